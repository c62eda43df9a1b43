import AgentSessions

extension Scenario {
    private static let many: [Requirement] = [.manyProcesses]

    static let processes: [Scenario] = [
        Scenario(
            "processes.see-each-other", .processes, "3", "A session that one process wrote, another reads.",
            level: .full, requires: many
        ) { test in
            var session = try await test.session(messages: 3)
            session = try await test.access.addUsage(TokenUsage(inputTokens: 7), to: session.id)
            let helper = try await test.startHelper(.read(session.id))
            test.expect(
                await helper.output(), equals: ["found 3 7 \(session.revision)"], "what the other process reads")
            let absent = try await test.startHelper(.read(test.newID()))
            test.expect(await absent.output(), equals: ["absent"], "what it reads of an absent session")
        },
        Scenario(
            "processes.written-by-another", .processes, "3", "What another process appended is there, in its order.",
            level: .full, requires: many
        ) { test in
            let session = try await test.session(messages: 2)
            let helper = try await test.startHelper(.append(session.id, count: 5))
            let told = await helper.output()
            let stored = try await test.access.messages(session.id, .after(2))
            test.expect(told.count, equals: 5, "appends that were acknowledged")
            test.expect(stored.map { "\($0.sequence) \($0.id)" }, equals: told, "the messages")
            test.expect(stored.map(\.content), equals: stored.map(\.id.description), "the contents")
        },
        Scenario(
            "processes.concurrent", .processes, "2", "Processes that append at once lose nothing and double nothing.",
            level: .full, requires: many, layers: [.repository], timeLimit: .seconds(40)
        ) { test in
            let session = try await test.access.create()
            let helpers = [
                try await test.startHelper(.append(session.id, count: 20)),
                try await test.startHelper(.append(session.id, count: 20)),
            ]
            var own: [String] = []
            for number in 1...20 {
                let stored = try await test.access.append(turn(number), to: session.id)
                own.append("\(stored.sequence) \(stored.id)")
            }
            var told = own
            for helper in helpers { told += await helper.output() }
            let stored = try await test.access.messages(session.id)
            test.expect(stored.map(\.sequence), equals: Array(1...60), "the sequences")
            test.expect(Set(stored.map { "\($0.sequence) \($0.id)" }), equals: Set(told), "what was acknowledged")
            test.expect(try await test.current(session.id).messageCount, equals: 60, "the count")
        },
        Scenario(
            "processes.usage", .processes, "3.8", "Increments of several processes are all counted.", level: .full,
            requires: many, layers: [.repository], timeLimit: .seconds(40)
        ) { test in
            let session = try await test.access.create()
            let helper = try await test.startHelper(.addUsage(session.id, count: 20))
            for _ in 0..<20 { _ = try await test.access.addUsage(TokenUsage(inputTokens: 1), to: session.id) }
            test.expect(await helper.output().count, equals: 20, "increments of the other process")
            test.expect(try await test.current(session.id).usage.inputTokens, equals: 40, "the tokens")
        },
        Scenario(
            "processes.compare-and-append", .processes, "3.6",
            "Processes that append after the sequence they read make one chain.", level: .full, requires: many,
            layers: [.repository], timeLimit: .seconds(40)
        ) { test in
            let session = try await test.access.create()
            let helpers = [
                try await test.startHelper(.compareAndAppend(session.id, count: 10)),
                try await test.startHelper(.compareAndAppend(session.id, count: 10)),
            ]
            var told: Set<String> = []
            for helper in helpers { told.formUnion(await helper.output()) }
            let stored = try await test.access.messages(session.id)
            test.expect(stored.map(\.sequence), equals: Array(1...20), "the sequences")
            test.expect(Set(stored.map { "\($0.sequence) \($0.id)" }), equals: told, "what was acknowledged")
        },
        Scenario(
            "processes.killed-writer@2", .processes, "3",
            "After a writer was killed every append that it was told of is there, every batch is whole, and the "
                + "store goes on.", level: .full, requires: many + [.durability(.processCrash)],
            layers: [.repository], timeLimit: .seconds(40)
        ) { test in
            let session = try await test.access.create()
            let helper = try await test.startHelper(.appendUntilKilled(session.id))
            _ = await helper.output(lines: 3 * test.random(in: 1...20))
            helper.kill()
            try await test.expectGoesOn(test.access, session.id, told: await helper.output())
        },
        Scenario(
            "processes.killed-alone@2", .processes, "3",
            "After the only process that had the store open was killed, every append that it was told of is there, every "
                + "batch is whole, and the store goes on.", level: .full,
            requires: [.durability(.processCrash), .ability(.reopen)], layers: [.repository], timeLimit: .seconds(40)
        ) { test in
            let place = try test.freshPlace()
            let id = test.newID()
            let helper = try await test.startHelper(.createAndAppendUntilKilled(id), at: place)
            _ = await helper.output(lines: 3 * test.random(in: 1...20))
            helper.kill()
            let told = await helper.output()
            try await test.expectGoesOn(try await test.open(place), id, told: told)
        },
        Scenario(
            "processes.killed-replacement", .processes, "8.7",
            "A process that is killed while it replaces a session leaves the old state or the new one, whole.",
            level: .full, requires: many + [.durability(.processCrash)], layers: [.repository],
            timeLimit: .seconds(40)
        ) { test in
            let session = try await test.access.create()
            for _ in 0..<3 {
                let helper = try await test.startHelper(.replaceUntilKilled(session.id))
                _ = await helper.output(lines: test.random(in: 1...5))
                try await Task.sleep(for: .milliseconds(test.random(in: 0...10)))
                helper.kill()
                let last = try test.require(await helper.output().last, "the process was not told of any replacement")
                let state = try test.require(await test.access.snapshot(of: session.id), "the session is absent")
                let acknowledged = try Timestamp(parsing: last)
                test.expect(state.session.revision >= acknowledged, "an acknowledged state is gone")
                test.expect(state.messages.count, equals: state.session.messageCount, "messages")
                test.expect(
                    Set(state.messages.map(\.content)), equals: ["\(state.session.revision)"],
                    "the states that the messages are of")
            }
            let next = try await test.access.append(turn(1), to: session.id)
            test.expect([301, 601].contains(next.sequence), "the next sequence is \(next.sequence)")
        },
        Scenario(
            "processes.create-race", .processes, "3.1", "An id that another process created is taken.", level: .full,
            requires: many
        ) { test in
            let id = test.newID()
            let helper = try await test.startHelper(.create(id))
            test.expect(await helper.output(), equals: ["created"], "the other process")
            await test.expect(.alreadyExists, "the same id here") { () throws(StoreError) in
                try await test.access.create(id: id)
            }
            let second = try await test.startHelper(.create(id))
            test.expect(await second.output(), equals: ["alreadyExists"], "the same id in a third process")
        },
        Scenario(
            "processes.killed-holder", .processes, "3.14",
            "A process that is killed while it has the store open locks nobody out.", level: .full, requires: many
        ) { test in
            let session = try await test.session(messages: 1)
            let helper = try await test.startHelper(.hold)
            _ = await helper.output(lines: 1)
            _ = try await test.access.append(turn(2), to: session.id)
            helper.kill()
            _ = await helper.output()
            _ = try await test.access.append(turn(3), to: session.id)
            let other = try await test.startHelper(.append(session.id, count: 1))
            test.expect(await other.output().count, equals: 1, "appends of a new process")
            test.expect(try await test.access.messages(session.id).count, equals: 4, "messages")
        },
    ]
}

extension ScenarioContext {
    /// Looks at a session to which a process appended batches of three until it was killed.
    ///
    /// The batch that was under way then may be stored after that: a server has it already, and LMDB shows what the dead
    /// process committed and told nobody of when somebody writes next.
    ///
    /// - Parameter told: What the process was told is stored.
    fileprivate func expectGoesOn(_ access: StoreAccess, _ id: ULID, told: [String]) async throws {
        expect(!told.isEmpty, "the process was not told of any append")
        let before = try await wholePage(access, id)
        expect(before.prefix(told.count).map { "\($0.sequence) \($0.id)" }, equals: told, "what was acknowledged")
        expect(before.count.isMultiple(of: 3), "a batch was torn: \(before.count) messages in batches of 3")
        let next = try await access.append(turn(1), to: id)
        let after = try await wholePage(access, id)
        expect(Array(after.prefix(before.count)), equals: before, "what was there before the store went on")
        expect(after.first { $0.id == next.id }, equals: next, "the message that was appended now")
        let late = after.count - 1 - before.count
        expect([0, 3].contains(late), "\(late) messages came by themselves, where one batch of 3 was under way")
    }

    /// The messages of a session, which have no gap and are as many as it counts.
    private func wholePage(_ access: StoreAccess, _ id: ULID) async throws -> [SessionMessage] {
        let page = try await access.page(id)
        let messages = page?.messages ?? []
        expect(messages.map(\.sequence), equals: Array(1..<(messages.count + 1)), "the sequences")
        expect(page?.session.messageCount, equals: messages.count, "the count")
        return messages
    }
}
