import AgentSessions
import AgentSessionsMemory

extension Scenario {
    /// Copies into the store, which are run again, and what it remembers of them. A store that keeps no records of copies
    /// takes what the messages prove, and refuses the rest.
    static let copying: [Scenario] = [
        copying("copy.record", "A session that is copied has the record of its copy, and the last one alone.") { test in
            let (session, source) = (try await test.session(messages: 2), test.newID())
            _ = try await test.access.delete(session.id)
            let keeps = try await test.store.keepCopyRecords()
            try await test.restore(session, from: nil)
            test.expect(try await test.store.copyRecord(of: session.id), equals: nil, "a session that was not copied")
            _ = try await test.access.delete(session.id)
            var state = session
            for round in 0..<3 {
                let from = round == 2 ? test.newID() : source
                if round == 0 {
                    try await test.restore(state, from: from)
                } else {
                    state.updatedAt = state.revision.advanced(by: 1_000_000)
                    try await test.replace(state, from: from)
                }
                let record = CopyRecord(source: from, revision: state.revision)
                for _ in 0..<2 {
                    test.expect(
                        try await test.store.copyRecord(of: session.id), equals: keeps ? record : nil,
                        "the record of round \(round)")
                    // A change leaves it, and leaves it behind.
                    state = try await test.access.update(session.id, metadata: ["round": .integer(Int64(round))])
                }
            }
            test.expect(
                try await test.store.copyRecord(of: test.newID()), equals: nil, "the record of an absent session")
        },
        copying("copy.record-with-session", "A record comes with its session and goes with it, or neither does.") {
            test in
            let session = try await test.session(messages: 2)
            _ = try await test.access.delete(session.id)
            let (source, other) = (test.newID(), test.newID())
            let keeps = try await test.store.keepCopyRecords()
            let failure = StoreError(.checksumMismatch, "The source failed.")
            await test.expect(.checksumMismatch, "a source that fails") { () throws(StoreError) in
                try await test.restore(session, from: source, failure: failure)
            }
            _ = try await test.access.create(id: session.id)
            test.expect(try await test.store.copyRecord(of: session.id), equals: nil, "after a restore that failed")
            _ = try await test.access.delete(session.id)
            try await test.restore(session, from: source)
            var next = session
            next.updatedAt = session.revision.advanced(by: 1_000_000)
            await test.expect(.checksumMismatch, "a source that fails") { [next] () throws(StoreError) in
                try await test.replace(next, from: other, failure: failure)
            }
            let record = CopyRecord(source: source, revision: session.revision)
            test.expect(
                try await test.store.copyRecord(of: session.id), equals: keeps ? record : nil,
                "after a replacement that failed")
            _ = try await test.access.delete(session.id)
            test.expect(try await test.store.copyRecord(of: session.id), equals: nil, "after the deletion")
            _ = try await test.access.create(id: session.id)
            test.expect(try await test.store.copyRecord(of: session.id), equals: nil, "of another session of the id")
        },
        copying(
            "copy.again", "A copy that is run again takes what is new, whatever the last change before it was."
        ) { test in
            let source = MemorySessionStore()
            let service = PersistentSessionService(source, now: { test.clock.next() })
            let keeps = try await test.store.keepCopyRecords()
            for last in Last.allCases {
                let id = try await service.create(actorName: "a").id
                try await service.append((1...5).map(turn), to: id, usage: nil, expectedSequence: nil)
                try await last.apply(to: id, service)
                _ = try await StoreCopy(from: source, to: test.store).run()
                let first = try await test.access.snapshot(of: id)
                test.expect(first, equals: try await source.snapshot(of: id), "the first copy, after \(last)")
                try await service.rewind(id, to: 1)
                try await service.appendMessage(NewMessage(.user, "new"), to: id)
                if keeps {
                    let result = try await StoreCopy(from: source, to: test.store).run()
                    test.expect(result.replaced, equals: 1, "sessions that were replaced, after \(last)")
                    test.expect(
                        try await test.access.snapshot(of: id), equals: try await source.snapshot(of: id),
                        "the second copy, after \(last)")
                } else {
                    await test.expect(.conflict, "what cannot be proved") { () throws(StoreError) in
                        try await StoreCopy(from: source, to: test.store).run()
                    }
                    test.expect(try await test.access.snapshot(of: id), equals: first, "the session that was refused")
                }
                try await service.delete(id)
            }
        },
        copying("copy.changed-in-target", "What was changed in the store is a conflict for a copy, and stays.") {
            test in
            let source = MemorySessionStore()
            let service = PersistentSessionService(source, now: { test.clock.next() })
            let id = try await service.create(actorName: "a").id
            try await service.append((1...5).map(turn), to: id, usage: nil, expectedSequence: nil)
            try await Last.usage.apply(to: id, service)
            _ = try await StoreCopy(from: source, to: test.store).run()
            _ = try await test.access.addUsage(TokenUsage(inputTokens: 1), to: id)
            try await Last.usage.apply(to: id, service)
            try await Last.append.apply(to: id, service)
            try await test.expectUnchanged(id, "a copy of what both have changed") {
                await test.expect(.conflict, "the copy") { () throws(StoreError) in
                    try await StoreCopy(from: source, to: test.store).run()
                }
            }
        },
        copying("copy.several-sources", "A copy replaces what came from its own source, and from no other.") { test in
            let (source, other) = (MemorySessionStore(), MemorySessionStore())
            let service = PersistentSessionService(source, now: { test.clock.next() })
            let theirs = PersistentSessionService(other, now: { test.clock.next() })
            let id = try await service.create(actorName: "a").id
            try await service.append((1...5).map(turn), to: id, usage: nil, expectedSequence: nil)
            _ = try await StoreCopy(from: source, to: other).run()
            // Both go on, and the store has what the first came to.
            try await service.appendMessage(NewMessage(.user, "first"), to: id)
            try await Last.usage.apply(to: id, service)
            _ = try await StoreCopy(from: source, to: test.store).run()
            try await theirs.appendMessage(NewMessage(.user, "second"), to: id)
            _ = try await theirs.create(actorName: "new")
            try await test.expectUnchanged(id, "a copy from another source") {
                for _ in 0..<2 {
                    await test.expect(.conflict, "the copy") { () throws(StoreError) in
                        try await StoreCopy(from: other, to: test.store).run()
                    }
                }
            }
        },
        Scenario(
            "copy.kept", .copy, "3.10", "Records of copies, and the store's id, are there after it was opened again.",
            requires: [.ability(.reopen)], layers: [.repository]
        ) { test in
            let session = try await test.session(messages: 2)
            _ = try await test.access.delete(session.id)
            let (source, id) = (test.newID(), try await test.store.storeID())
            let keeps = try await test.store.keepCopyRecords()
            try await test.restore(session, from: source)
            try await test.reopen()
            let record = CopyRecord(source: source, revision: session.revision)
            test.expect(
                try await test.store.copyRecord(of: session.id), equals: keeps ? record : nil, "the record of the copy")
            test.expect(try await test.store.storeID(), equals: id, "the store's id")
            test.expect(try await test.store.keepCopyRecords(), equals: keeps, "whether records are kept")
        },
        copying("copy.store-id", "A store has an id of its own, or none.") { test in
            let id = try await test.store.storeID()
            _ = try await test.session(messages: 1)
            test.expect(try await test.store.storeID(), equals: id, "the id later")
            let other = try await test.openElsewhere()
            test.expect(try await other.store.storeID() != id || id == nil, "two stores have one id")
        },
    ]

    private static func copying(_ id: String, _ rule: String, _ body: @escaping Body) -> Scenario {
        Scenario(id, .copy, "3.10", rule, layers: [.repository], timeLimit: .seconds(40), body)
    }

    /// The last change of a session before it is copied.
    private enum Last: CaseIterable {
        case usage, update, rewind, append

        func apply(to id: ULID, _ service: some SessionService) async throws(StoreError) {
            switch self {
            case .usage: try await service.updateTokenUsage(id, adding: TokenUsage(inputTokens: 1))
            case .update: try await service.update(id, metadata: ["k": 1])
            case .rewind: try await service.rewind(id, to: 3)
            case .append: try await service.appendMessage(NewMessage(.user, "x"), to: id)
            }
        }
    }
}

/// Messages of a session that is copied from a store.
private struct CopiedMessages: MessageSource {
    let messages: ListedMessages
    let copiedFrom: ULID?

    func makeReader() throws(StoreError) -> any MessageReader { try messages.makeReader() }
}

extension ScenarioContext {
    private func messages(of session: Session, from source: ULID?, _ failure: StoreError?) -> CopiedMessages {
        CopiedMessages(
            messages: ListedMessages(restorableMessages(session.messageCount, of: session), failure: failure),
            copiedFrom: source)
    }

    fileprivate func restore(
        _ session: Session, from source: ULID?, failure: StoreError? = nil
    ) async throws(StoreError) {
        try await store.restore(session, messages: messages(of: session, from: source, failure))
    }

    fileprivate func replace(
        _ session: Session, from source: ULID?, failure: StoreError? = nil
    ) async throws(StoreError) {
        guard let there = try await store.get(session.id) else { throw .sessionNotFound(session.id) }
        try await store.replace(
            session, messages: messages(of: session, from: source, failure), expectedRevision: there.revision)
    }
}

extension MemorySessionStore {
    fileprivate func snapshot(of id: ULID) async throws(StoreError) -> SessionSnapshot? {
        try await messages(MessageRequest(sessionID: id, range: .after(0), limit: .max)).map {
            SessionSnapshot(session: $0.session, messages: $0.messages)
        }
    }
}
