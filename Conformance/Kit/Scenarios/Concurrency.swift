import AgentSessions
import Synchronization

extension Scenario {
    static let concurrency: [Scenario] = [
        Scenario(
            "concurrency.appends", .concurrency, "2",
            "Appends of several tasks to one session are all stored, each once, without a gap.", timeLimit: .seconds(30)
        ) { test in
            let session = try await test.access.create()
            let access = test.access
            let stored = try await atOnce(8) { writer in
                var own: [SessionMessage] = []
                for round in 0..<10 {
                    own.append(try await access.append(NewMessage(.user, "\(writer)/\(round)"), to: session.id))
                }
                return own
            }
            let expected = stored.flatMap { $0 }.sorted { $0.sequence < $1.sequence }
            test.expect(expected.map(\.sequence), equals: Array(1...80), "the sequences that appends gave")
            test.expect(try await test.access.messages(session.id), equals: expected, "the messages")
            for own in stored {
                test.expect(own.map(\.sequence) == own.map(\.sequence).sorted(), "a writer's own order")
            }
            test.expect(try await test.current(session.id).messageCount, equals: 80, "the count")
        },
        Scenario(
            "concurrency.batches", .concurrency, "3.6",
            "Batches of several tasks do not mix: each stands in one piece.", timeLimit: .seconds(30)
        ) { test in
            let session = try await test.access.create()
            let access = test.access
            let stored = try await atOnce(6) { writer in
                var own: [[SessionMessage]] = []
                for round in 0..<5 {
                    own.append(
                        try await access.append(
                            (0..<4).map { NewMessage(.user, "\(writer)/\(round)/\($0)") }, to: session.id))
                }
                return own
            }
            let batches = stored.flatMap { $0 }.sorted { ($0.first?.sequence ?? 0) < ($1.first?.sequence ?? 0) }
            test.expect(
                try await test.access.messages(session.id), equals: batches.flatMap { $0 }, "the messages")
            test.expect(Set(batches.compactMap(\.first?.createdAt)).count, equals: 30, "revisions of the batches")
        },
        Scenario(
            "concurrency.usage", .concurrency, "3.8", "Increments of several tasks are all counted, each once."
        ) { test in
            let session = try await test.access.create()
            let access = test.access
            _ = try await atOnce(8) { _ in
                for _ in 0..<10 {
                    _ = try await access.addUsage(
                        TokenUsage(inputTokens: 1, outputTokens: 2, estimatedCost: 3), to: session.id)
                }
            }
            test.expect(
                try await test.current(session.id).usage,
                equals: TokenUsage(inputTokens: 80, outputTokens: 160, estimatedCost: 240), "the totals")
        },
        Scenario(
            "concurrency.usage-and-appends", .concurrency, "3.8",
            "Increments and appends of several tasks to one session lose nothing of each other."
        ) { test in
            let session = try await test.access.create("a", metadata: ["n": 0])
            let access = test.access
            _ = try await atOnce(6) { writer in
                for round in 0..<8 {
                    switch writer % 3 {
                    case 0: _ = try await access.addUsage(TokenUsage(inputTokens: 1), to: session.id)
                    case 1:
                        _ = try await access.append(turn(round), to: session.id, usage: TokenUsage(outputTokens: 1))
                    default: _ = try await access.update(session.id, metadata: ["w": .integer(Int64(writer))])
                    }
                }
            }
            let found = try await test.current(session.id)
            test.expect(found.usage, equals: TokenUsage(inputTokens: 16, outputTokens: 16), "the totals")
            test.expect(found.messageCount, equals: 16, "the count")
            test.expect(try await test.access.messages(session.id).count, equals: 16, "messages")
        },
        Scenario(
            "concurrency.revisions", .concurrency, "2",
            "Changes of several tasks have revisions that are all different."
        ) { test in
            let session = try await test.access.create()
            let access = test.access
            test.clock.setStep(0)
            let revisions = try await atOnce(6) { writer in
                var own: [Timestamp] = []
                for round in 0..<8 {
                    if writer.isMultiple(of: 2) {
                        own.append(
                            try await access.update(session.id, metadata: ["r": .integer(Int64(round))]).revision)
                    } else {
                        own.append(try await access.append(turn(round), to: session.id).createdAt)
                    }
                }
                test.expect(own == own.sorted(), "a writer's own revisions must grow")
                return own
            }
            test.expect(Set(revisions.flatMap { $0 }).count, equals: 48, "different revisions")
            test.expect(
                revisions.flatMap { $0 }.max(), equals: try await test.current(session.id).revision, "the last revision"
            )
        },
        Scenario(
            "concurrency.sessions", .concurrency, "2",
            "Tasks that write to sessions of their own do not disturb others."
        ) { test in
            let access = test.access
            let made = try await atOnce(10) { index in
                let session = try await access.create("agent/\(index)")
                for round in 1...6 {
                    let stored = try await access.append(NewMessage(.user, "\(index)/\(round)"), to: session.id)
                    test.expect(stored.sequence, equals: round, "a sequence")
                }
                return session.id
            }
            for (index, id) in made.enumerated() {
                test.expect(
                    try await test.access.messages(id).map(\.content), equals: (1...6).map { "\(index)/\($0)" },
                    "the contents of session \(index)")
            }
            test.expect(Set(try await test.access.list().map(\.id)), equals: Set(made), "the list")
        },
        Scenario(
            "concurrency.compare-and-append", .concurrency, "3.6",
            "Several tasks that append after the sequence they read, and try again on conflict, make one chain.",
            timeLimit: .seconds(30)
        ) { test in
            let session = try await test.access.create()
            let access = test.access
            _ = try await atOnce(4) { writer in
                var done = 0
                for _ in 0..<1000 where done < 5 {
                    guard let page = try await access.page(session.id, .last, limit: 1) else { return }
                    let count = page.session.messageCount
                    do throws(StoreError) {
                        // Says which message it follows.
                        _ = try await access.append(
                            NewMessage(.user, page.messages.last?.id.description ?? "first"), to: session.id,
                            expectedSequence: count)
                        done += 1
                    } catch {
                        if error.code != .conflict { throw error }
                    }
                }
            }
            let chain = try await test.access.messages(session.id)
            test.expect(chain.count, equals: 20, "messages")
            test.expect(
                chain.map(\.content), equals: ["first"] + chain.dropLast().map(\.id.description), "what each follows")
        },
        Scenario(
            "concurrency.rewind", .concurrency, "3.7",
            "Rewinds among appends leave sequences without a gap and a count that fits."
        ) { test in
            let session = try await test.session(messages: 10)
            let access = test.access
            _ = try await atOnce(4) { writer in
                for round in 0..<8 {
                    if writer == 0 {
                        _ = try await access.rewind(session.id, to: 5)
                    } else {
                        _ = try await access.append([turn(round), turn(round)], to: session.id)
                    }
                    guard let page = try await access.page(session.id) else { return }
                    test.expect(
                        page.messages.map(\.sequence), equals: page.session.sequences,
                        "the sequences of a page")
                }
            }
        },
        Scenario(
            "concurrency.delete", .concurrency, "3.5",
            "An append that races a deletion is stored before it or refused with notFound; nothing is left behind."
        ) { test in
            for _ in 0..<5 {
                let session = try await test.session(messages: 2)
                let access = test.access
                _ = try await atOnce(4) { index in
                    if index == 0 {
                        test.expect(try await access.delete(session.id), equals: true, "the deletion")
                        return
                    }
                    do throws(StoreError) {
                        for round in 0..<3 { _ = try await access.append(turn(round), to: session.id) }
                    } catch {
                        test.expect(error.code, equals: .notFound, "the error of an append")
                    }
                }
                test.expect(try await test.access.get(session.id), equals: nil, "get")
                let again = try await test.access.create(id: session.id)
                test.expect(
                    try await test.access.snapshot(of: session.id),
                    equals: SessionSnapshot(session: again, messages: []), "a session of the same id")
                _ = try await test.access.delete(again.id)
            }
            test.expect(try await test.access.list(), equals: [], "the list")
        },
        Scenario(
            "concurrency.delete-once", .concurrency, "3.5", "Of several deletions at once, one finds the session."
        ) { test in
            let session = try await test.session(messages: 3)
            let access = test.access
            let found = try await atOnce(6) { _ in try await access.delete(session.id) }
            test.expect(found.filter { $0 }.count, equals: 1, "deletions that found it")
        },
        Scenario(
            "concurrency.refusals-do-no-harm", .concurrency, "3.6",
            "Changes that are refused leave the changes beside them, which may share a commit with them, as they are."
        ) { test in
            let session = try await test.session(messages: 1)
            let taken = try await test.access.messages(session.id).at(0)
            let access = test.access
            let stored = try await atOnce(8) { index -> [SessionMessage] in
                if index.isMultiple(of: 2) {
                    return try await access.append(
                        [NewMessage(.user, "good \(index)"), turn(index)], to: session.id,
                        usage: TokenUsage(inputTokens: 1))
                }
                await test.expect(.conflict, "an id that is taken") { () throws(StoreError) in
                    try await access.append(
                        [NewMessage(.user, "bad"), NewMessage(.user, "other", id: taken.id)], to: session.id,
                        usage: TokenUsage(inputTokens: 1000))
                }
                return []
            }
            let expected = [taken] + stored.flatMap { $0 }.sorted { $0.sequence < $1.sequence }
            test.expect(try await test.access.messages(session.id), equals: expected, "the messages")
            test.expect(try await test.current(session.id).usage.inputTokens, equals: 4, "the tokens")
        },
        Scenario(
            "concurrency.reads-during-writes", .concurrency, "3.6",
            "What one task was told is stored, every read that begins afterwards shows, in any task."
        ) { test in
            let session = try await test.access.create()
            let access = test.access
            for number in 1...10 {
                let stored = try await access.append(turn(number), to: session.id)
                _ = try await atOnce(4) { reader in
                    let last = try await access.messages(session.id, .last, limit: 1)
                    test.expect(last, equals: [stored], "what reader \(reader) sees after append \(number)")
                }
            }
        },
        Scenario(
            "concurrency.threads", .concurrency, "3.14",
            "A call that waits, for a disk or a server, does not keep its caller's thread meanwhile.", level: .full,
            layers: [.repository], timeLimit: .seconds(60)
        ) { test in
            // The caller's thread alone is looked at. A store that blocks threads of Swift's pool in tasks of its own is not
            // told from one that has threads of its own.
            let calls = 16
            for (name, call) in operations {
                try await test.expectNoWaits(in: calls, of: call, name)
            }
        },
        Scenario(
            "concurrency.threads-of-members", .concurrency, "3.14",
            "What a store says of itself, its opening and its closing keep no caller's thread waiting either.",
            level: .full,
            requires: [.ability(.multipleInstances)], layers: [.repository], timeLimit: .seconds(60)
        ) { test in
            let calls: [(String, Call)] = [
                (
                    "effectiveSettings",
                    { access, _ throws(StoreError) in _ = try await access.store.effectiveSettings() }
                ),
                ("migrations", { access, _ throws(StoreError) in _ = try await access.store.migrations() }),
                ("identity", { access, _ throws(StoreError) in _ = try await access.store.identity() }),
                ("engineChecks", { access, _ throws(StoreError) in _ = try await access.store.engineChecks() }),
                ("open", { _, _ throws(StoreError) in _ = try await test.secondInstance() }),
            ]
            for (name, call) in calls { try await test.expectNoWaits(in: 6, of: call, name) }
            let instances = Mutex<[StoreAccess]>([])
            for _ in 0..<18 {
                let instance = try await test.secondInstance()
                instances.withLock { $0.append(instance) }
            }
            try await test.expectNoWaits(
                in: 6, of: { _, _ throws(StoreError) in await instances.withLock { $0.popLast() }?.store.close() },
                "close")
        },
    ]
}

extension ScenarioContext {
    /// Notes a failure where a call keeps its caller's thread waiting.
    fileprivate func expectNoWaits(in calls: Int, of call: @escaping Scenario.Call, _ name: String) async throws {
        // A thread waits too where it meets another at a mutex, or a page has to come from the disk: seldom, and not each
        // time. A store that waits on the thread does so in every call.
        var fewest = Int.max
        for _ in 0..<3 where fewest > calls / 2 { fewest = min(fewest, try await waits(in: calls, of: call)) }
        expect(fewest <= calls / 2, "\(name): the caller's thread was kept waiting in \(fewest) of \(calls) calls")
    }

    /// How often a thread that made so many calls was kept waiting.
    private func waits(in calls: Int, of call: @escaping Scenario.Call) async throws -> Int {
        var ids: [ULID] = []
        for _ in 0..<calls { ids.append(try await access.create().id) }
        let threads = try ScenarioThreads(count: 1, countsWaits: true)
        defer { threads.finish() }
        let waits = try await Task(executorPreference: threads) { [access, ids] () throws -> Int? in
            for id in ids {
                try await call(access, id)
                // What comes after it is another job.
                await Task.yield()
            }
            return threads.waitingJobs
        }.value
        guard let waits else {
            throw EnvironmentMissing(what: "this system does not tell how often a thread was put to sleep")
        }
        return waits
    }
}
