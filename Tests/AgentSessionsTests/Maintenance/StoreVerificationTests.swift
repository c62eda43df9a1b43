import AgentSessionsMemory
import Synchronization
import Testing

@testable import AgentSessions

@Suite("Store verification")
struct StoreVerificationTests {
    private static func damaged(_ what: String) -> StoreError { .corrupt(what, "for a test") }

    private func verify(_ store: some SessionStore) async throws -> VerificationReport {
        try await StoreVerification(of: store, retryPolicy: .quick).run()
    }

    /// Fills the underlying store with a session of `count` messages.
    private func fill(_ store: EditedStore, _ count: Int) async throws {
        let messages = (0..<count).map { makeMessage($0 + 1) }
        try await store.restore(makeSession(count), messages: ArraySource(messages: messages))
    }

    @Test("A verification says what it checked and reports its progress")
    func progress() async throws {
        let store = EditedStore()
        let service = PersistentSessionService(store)
        for count in 0..<7 {
            let session = try await service.create(actorName: "a")
            if count > 0 { try await service.append((0..<count).map { NewMessage(.user, "\($0)") }, to: session.id) }
        }
        let seen = Mutex(0)
        let report = try await StoreVerification(of: store).run { progress in seen.withLock { $0 = progress.messages } }
        #expect(report.isSound && report.problems.isEmpty && report.omittedProblems == 0)
        #expect(report.sessions == 7 && report.messages == 21 && seen.withLock { $0 } == 21)
        #expect(report.checks.map(\.name).contains("checksums"))
        #expect(report.checks.allSatisfy { $0.examined > 0 && $0.problemCount == 0 })
    }

    @Test(
        "A verification names the one message that cannot be read, and reads the others",
        arguments: [1, 2, 199, 200, 201, 999, 1000])
    func unreadableMessage(bad: Int) async throws {
        var store = EditedStore()
        store.page = { (_, page) throws(StoreError) in
            guard page?.messages.contains(where: { $0.sequence == bad }) == true else { return page }
            throw Self.damaged("Message \(bad)")
        }
        try await fill(store, 1000)
        let report = try await verify(store)
        #expect(report.problems.map(\.kind) == [.undecodable])
        #expect(report.problems.first?.sequence == bad && report.problems.first?.sessionID == ulid(1))
        #expect(report.messages == 1000)
        #expect("\(report.problems)".contains("for a test"))
    }

    @Test(
        "A verification finds a gap of any length",
        arguments: [(2...2, 10), (1...3, 10), (5...1500, 2000), (190...410, 500)])
    func gap(missing: ClosedRange<Int>, count: Int) async throws {
        var store = EditedStore()
        store.page = { _, page in
            page.map { page in
                MessagePage(session: page.session, messages: page.messages.filter { !missing.contains($0.sequence) })
            }
        }
        try await fill(store, count)
        let report = try await verify(store)
        #expect(report.problems.map(\.kind) == [.gap])
        #expect(report.problems.first?.sequence == missing.lowerBound)
        #expect(report.problems.first?.expected == "\(missing.lowerBound)")
        #expect(report.problems.first?.actual == "\(missing.upperBound + 1)")
        #expect(report.messages == count - missing.count)
    }

    @Test("A verification ends even if message_count is damaged", arguments: [4, 6, Int.max, Int.max - 1, 0])
    func damagedCount(count: Int) async throws {
        var store = EditedStore()
        store.page = { request, page in
            page.map { page in
                var session = page.session
                session.messageCount = count
                // As SQLite does, which looks for one message more than the session counts.
                let stray = request.range == .after(5) && count < 5 ? [makeMessage(5)] : []
                return MessagePage(session: session, messages: page.messages + stray)
            }
        }
        try await fill(store, 5)
        let problems = try await verify(store).problems
        #expect(problems.map(\.kind) == [.messageCount])
        #expect(problems.first?.expected == "5" && problems.first?.actual == "\(count)")
    }

    @Test("A verification finds duplicated ids, however far apart")
    func duplicatedIDs() async throws {
        var store = EditedStore()
        // Ids that shrink, so that none is known to be new at first sight; two are the same.
        store.page = { _, page in
            page.map { page in
                let messages = page.messages.map { message in
                    SessionMessage(
                        id: ulid(UInt64(message.sequence == 900 ? 9999 - 3 : 9999 - message.sequence)),
                        sessionID: message.sessionID, sequence: message.sequence, role: .user, content: "x",
                        createdAt: message.createdAt)
                }
                return MessagePage(session: page.session, messages: messages)
            }
        }
        try await fill(store, 1000)
        let problems = try await verify(store).problems
        #expect(problems.map(\.kind) == [.duplicateID])
        #expect(problems.first?.messageID == ulid(9999 - 3))
    }

    @Test("A verification finds messages out of order and messages of another session")
    func misplacedMessages() async throws {
        var store = EditedStore()
        store.page = { _, page in
            page.map { page in
                let messages = page.messages.map { message in
                    makeMessage(message.sequence, of: message.sequence == 2 ? ulid(8) : ulid(1))
                }
                return MessagePage(session: page.session, messages: messages)
            }
        }
        try await fill(store, 3)
        let problems = try await verify(store).problems
        #expect(problems.map(\.kind) == [.gap] && problems.first?.sequence == 2)
    }

    @Test("A verification finds a session that is listed and does not exist")
    func listedOnly() async throws {
        var store = EditedStore()
        store.page = { request, page in request.sessionID == ulid(1) ? nil : page }
        try await fill(store, 3)
        let problems = try await verify(store).problems
        #expect(problems.map(\.kind) == [.danglingIndexEntry] && problems.first?.sessionID == ulid(1))
    }

    @Test("A verification ignores a session that is deleted meanwhile")
    func deletedMeanwhile() async throws {
        var store = EditedStore()
        let isGone = Mutex(false)
        store.page = { _, _ in
            isGone.withLock { $0 = true }
            return nil
        }
        store.list = { _, sessions in isGone.withLock { $0 } ? [] : sessions }
        try await fill(store, 3)
        #expect(try await verify(store).isSound)
    }

    @Test("A verification finds a session that the list of its actor lacks")
    func missingFromList() async throws {
        var store = EditedStore()
        store.list = { request, sessions in request.filter.actorName == nil ? sessions : [] }
        try await fill(store, 3)
        let problems = try await verify(store).problems
        #expect(problems.map(\.kind) == [.missingIndexEntry] && problems.first?.sessionID == ulid(1))
    }

    @Test("A verification finds the session of the largest id in the list of its actor")
    func largestID() async throws {
        let store = EditedStore()
        let largest = ULID(high: .max, low: .max)
        _ = try await store.create(NewSession(id: largest, actorName: "a", createdAt: time()))
        _ = try await store.create(NewSession(id: ULID(high: 1, low: .max), actorName: "a", createdAt: time()))
        #expect(try await verify(store).isSound)
    }

    @Test("A verification leaves out sessions that cannot be listed", arguments: [3, 100, 250])
    func unlistable(bad: Int) async throws {
        var store = EditedStore()
        let position = Mutex<[SessionPosition]>([])
        store.list = { (request, sessions) throws(StoreError) in
            let places = position.withLock { $0 }
            guard request.filter.actorName == nil, let last = places.first else { return sessions }
            // The oldest cannot be read.
            guard !sessions.contains(where: { $0.position <= last }) else { throw Self.damaged("The session") }
            return sessions
        }
        for number in 1...300 {
            _ = try await store.create(
                NewSession(id: ulid(UInt64(number)), actorName: "a", createdAt: time(Int64(number))))
        }
        let all = try await store.base.list(SessionListRequest(limit: 300)).reversed().map(\.position)
        position.withLock { $0 = [all[bad - 1]] }
        let report = try await verify(store)
        #expect(report.sessions == 300 - bad + min(bad, 100))
        let check = try #require(report.checks.first { $0.name == "sessions" })
        #expect(check.problemCount == (bad >= 100 ? 101 : bad))
        #expect(check.problems.count == min(check.problemCount, VerificationCheck.problemLimit))
        #expect(report.omittedProblems == check.problemCount - check.problems.count && !report.isSound)
    }

    @Test("A verification reads a session again that is written during the read")
    func changedMeanwhile() async throws {
        var store = EditedStore()
        let reads = Mutex(0)
        store.page = { _, page in
            page.map { page in
                let read = reads.withLock { reads in
                    reads += 1
                    return reads
                }
                var session = page.session
                session.updatedAt = time(Int64(min(read, 5)))
                // This looks like a gap at first.
                let messages = read < 3 ? page.messages.filter { $0.sequence != 2 } : page.messages
                return MessagePage(session: session, messages: messages)
            }
        }
        try await fill(store, 3)
        #expect(try await verify(store).isSound)
    }

    @Test("A verification names a session whose own row cannot be read")
    func unreadableSession() async throws {
        var store = EditedStore()
        store.page = { (_, _) throws(StoreError) in throw Self.damaged("The row of the session") }
        try await fill(store, 0)
        let problems = try await verify(store).problems
        #expect(problems.map(\.kind) == [.undecodable] && problems.first?.sessionID == ulid(1))
    }

    @Test("A verification finds values that no store accepts")
    func invalidValues() async throws {
        let store = EditedStore()
        var session = makeSession(2, updatedAt: time(-1))
        session.actorName = "a\u{7}"
        let long = SessionMessage(
            id: ulid(7), sessionID: ulid(1), sequence: 1, role: .user, content: "",
            toolCallID: String(repeating: "x", count: 256), createdAt: time())
        let endless = SessionMessage(
            id: ulid(8), sessionID: ulid(1), sequence: 2, role: .user, content: "", metadata: ["x": .double(.infinity)],
            createdAt: time())
        try await store.restore(session, messages: ArraySource(messages: [long, endless]))
        let report = try await verify(store)
        let kinds = report.checks.map { ($0.name, $0.problemCount) }
        #expect(kinds.filter { $0.1 > 0 }.map(\.0) == ["sessions", "messages", "checksums"])
        #expect(report.problems.count { $0.kind == .outsideLimits && $0.messageID == ulid(7) } == 1)
        #expect(report.problems.contains { $0.detail.contains("updated_at") || $0.detail.contains("actor name") })
    }

    @Test("A verification fails if the store cannot be read at all")
    func unreadableStore() async throws {
        let store = EditedStore()
        try await fill(store, 3)
        await store.base.close()
        #expect(
            try await storeError { () async throws(StoreError) in
                try await StoreVerification(of: store).run()
            }.code == .closed)
        let faulty = FaultyStore()
        try await faulty.base.restore(makeSession(), messages: ArraySource(messages: []))
        faulty.fail(reads: [.none, .failBefore(.internalFailure)])
        #expect(
            try await storeError { () async throws(StoreError) in
                try await StoreVerification(of: faulty).run()
            }.code == .internalFailure)
    }

    @Test(
        "Every kind of problem has a hint",
        arguments: [
            VerificationProblem.Kind.gap, .messageCount, .orphan, .missingIndexEntry, .danglingIndexEntry, .undecodable,
            .duplicateID, .outsideLimits, .engine, .schema,
        ])
    func hints(kind: VerificationProblem.Kind) {
        let problem = VerificationProblem(kind, "detail", sessionID: ulid(1), messageID: ulid(2), sequence: 3)
        #expect(problem.hint.hasSuffix("."))
        #expect(problem.description == "\(kind), session \(ulid(1)), message \(ulid(2)), sequence 3: detail")
    }
}
