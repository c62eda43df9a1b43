import AgentSessions
import Synchronization

extension Scenario {
    /// A source that is not what the session says: nothing of it is stored.
    static let restoring: [Scenario] = [
        lying("other-session", "a message of another session", lengths: [12, 620]) { messages, place, test in
            messages[place] = messages[place].with(sessionID: test.newID())
        },
        lying("sequence-low", "a sequence again", lengths: [12, 620]) { messages, place, _ in
            messages[place] = messages[place].with(sequence: place)
        },
        lying("sequence-high", "a sequence too early", lengths: [12, 620]) { messages, place, _ in
            messages[place] = messages[place].with(sequence: place + 2)
        },
        lying("sequence-extreme", "a sequence that no session has", lengths: [12]) { messages, place, _ in
            messages[place] = messages[place].with(sequence: place.isMultiple(of: 2) ? .min : .max)
        },
        lying("sequences-from-zero", "sequences that begin at 0", lengths: [12]) { messages, _, _ in
            messages = messages.map { $0.with(sequence: $0.sequence - 1) }
        },
        lying("sequences-backwards", "its messages last first", lengths: [12]) { messages, _, _ in
            messages.reverse()
        },
        lying("exchanged", "two messages exchanged", lengths: [12, 620]) { messages, place, _ in
            messages.swapAt(place, place == 0 ? 1 : place - 1)
        },
        lying("message-missing", "a message too few", lengths: [12, 620]) { messages, place, _ in
            messages.remove(at: place)
        },
        lying("message-more", "a message too many", lengths: [12, 500, 620]) { messages, _, test in
            messages.append(
                messages[0].with(id: test.newID(), sequence: messages.count + 1))
        },
        lying("id-twice", "a message id twice, near or far apart", lengths: [12, 620]) { messages, place, _ in
            let other = place == 0 ? messages.count - 1 : place - 1
            messages[other] = messages[other].with(id: messages[place].id)
        },
        lying("id-first-and-last", "the id of its first message again", lengths: [12, 620]) { messages, place, _ in
            messages[max(place, 1)] = messages[max(place, 1)].with(id: messages[0].id)
        },
        Scenario(
            "restore.source-fails", .record, "3.10",
            "A restore whose source fails, wherever it fails, throws what the source throws and stores nothing.",
            layers: [.repository]
        ) { test in
            let snapshot = try test.restorable(messages: 620)
            for length in [0, 1, 499, 500, 501, 619, 620] {
                let source = ListedMessages(
                    snapshot.messages.prefix(length), failure: StoreError(.checksumMismatch, "The source failed."))
                await test.expect(.checksumMismatch, "a source that fails after \(length) messages") {
                    () throws(StoreError) in
                    try await test.store.restore(snapshot.session, messages: source)
                }
                try await test.expectNothing(of: snapshot.session.id, "after \(length) messages")
            }
            try await test.store.restore(snapshot.session, messages: ListedMessages(snapshot.messages))
            test.expect(
                try await test.access.snapshot(of: snapshot.session.id) == snapshot,
                "the session is not the one that was restored")
        },
        Scenario(
            "restore.ids-of-sessions", .record, "3.10",
            "A restore that is refused leaves the sessions whose ids its messages have as they are.",
            layers: [.repository]
        ) { test in
            let there = try await test.session(messages: 5)
            let snapshot = try test.restorable(messages: 620)
            let messages = snapshot.messages.enumerated().map { $0 == 0 ? $1.with(id: there.id) : $1 }
            try await test.expectUnchanged(there.id, "a refused restore") {
                await test.expect(.checksumMismatch, "a source that fails") { () throws(StoreError) in
                    try await test.store.restore(
                        snapshot.session,
                        messages: ListedMessages(
                            messages, failure: StoreError(.checksumMismatch, "The source failed.")))
                }
            }
            try await test.store.restore(snapshot.session, messages: ListedMessages(messages))
            test.expect(
                try await test.access.messages(snapshot.session.id) == messages,
                "the messages are not those that were restored")
        },
        Scenario(
            "restore.endless", .record, "3.10",
            "A source that goes on beyond what the session counts is refused there, and not read to its end.",
            layers: [.repository]
        ) { test in
            let snapshot = try test.restorable(messages: 3)
            let read = Atomic<Int>(0)
            do throws(StoreError) {
                try await test.store.restore(
                    snapshot.session,
                    messages: EndlessMessages(snapshot.messages, beyond: 40_000) {
                        read.add(1, ordering: .relaxed)
                    })
                test.fail("the restore succeeded")
            } catch {
                test.expect(error.code != .internalFailure, "the error: \(error)")
            }
            let count = read.load(ordering: .relaxed)
            test.expect(count <= 20_000, "\(count) messages were read for a session of 3")
            try await test.expectNothing(of: snapshot.session.id, "after an endless source")
        },
        Scenario(
            "concurrency.refused-restores", .concurrency, "3.10",
            "A restore that fails after it wrote a part leaves nothing, and the changes that may share a commit with it "
                + "are made once."
        ) { test in
            let session = try await test.access.create()
            let (access, store) = (test.access, test.store)
            let refused = try (0..<4).map { _ in try test.restorable(messages: 3) }
            _ = try await atOnce(8) { task in
                for round in 0..<10 {
                    if task < 4 {
                        _ = try await access.append(
                            [turn(round), turn(task)], to: session.id, usage: TokenUsage(inputTokens: 1))
                        _ = try await access.addUsage(TokenUsage(outputTokens: 1), to: session.id)
                    } else {
                        let snapshot = refused[task - 4]
                        await test.expect(.checksumMismatch, "a source that fails") { () throws(StoreError) in
                            try await store.restore(
                                snapshot.session,
                                messages: ListedMessages(
                                    snapshot.messages.prefix(2),
                                    failure: StoreError(.checksumMismatch, "The source failed.")))
                        }
                    }
                }
            }
            let found = try test.require(await test.access.snapshot(of: session.id), "the session")
            test.expect(found.messages.map(\.sequence), equals: Array(1...80), "the sequences")
            test.expect(
                found.session.usage, equals: TokenUsage(inputTokens: 40, outputTokens: 40), "the usage that was added")
            for snapshot in refused { try await test.expectNothing(of: snapshot.session.id, "in the end") }
            // The request as it is where nothing else is asked for.
            test.expect(
                try await test.store.list(SessionListRequest(limit: 10)), equals: [found.session], "the list")
        },
        Scenario(
            "restore.lengths", .record, "3.10", "A session of any length is restored whole.", level: .full,
            layers: [.repository], timeLimit: .seconds(40)
        ) { test in
            for count in [0, 1, 2, 3, 255, 256, 257, 499, 500, 501, 999, 1000, 1001, 1024, 1025] {
                let snapshot = try test.restorable(messages: count)
                try await test.store.restore(snapshot.session, messages: ListedMessages(snapshot.messages))
                let found = try await test.access.snapshot(of: snapshot.session.id)
                try test.require(found == snapshot, "the session of \(count) messages is not the one that was restored")
            }
        },
        Scenario(
            "restore.ids-alike", .record, "3.10", "Of a restore ids that differ in one byte, or in one half, are two.",
            layers: [.repository]
        ) { test in
            let ids = alikeIDs(to: test.newID())
            let snapshot = try test.restorable(messages: ids.count)
            let messages = zip(snapshot.messages, ids).map { $0.with(id: $1) }
            try await test.store.restore(snapshot.session, messages: ListedMessages(messages))
            test.expect(try await test.access.messages(snapshot.session.id), equals: messages, "the messages")
            test.expect(
                try await test.access.append(messages.map(again), to: snapshot.session.id), equals: messages,
                "the replay")
        },
        Scenario(
            "restore.race", .record, "3.10",
            "Of restores and creations of one id at once, one is made, and the others throw alreadyExists.",
            layers: [.repository]
        ) { test in
            let (access, store) = (test.access, test.store)
            for restores in [6, 5] {
                let first = try test.restorable(messages: 3)
                let made = try await atOnce(6) { index -> Session? in
                    var session = first.session
                    session.actorName = "racer/\(index)"
                    do throws(StoreError) {
                        if index >= restores { return try await access.create("racer/\(index)", id: session.id) }
                        try await store.restore(session, messages: ListedMessages(first.messages))
                        return session
                    } catch {
                        test.expect(error.code, equals: .alreadyExists, "the error of a racer who lost")
                        return nil
                    }
                }
                let winners = made.compactMap { $0 }
                test.expect(winners.count, equals: 1, "racers who succeeded")
                test.expect(try await test.access.get(first.session.id), equals: winners.first, "the session")
            }
        },
    ]

    /// A source that differs from what it should be by `change`, at the first message, in the middle and at the last.
    private static func lying(
        _ name: String, _ what: String, lengths: [Int],
        _ change: @escaping @Sendable (inout [SessionMessage], _ place: Int, ScenarioContext) -> Void
    ) -> Scenario {
        Scenario(
            "restore.\(name)", .record, "3.10", "A restore whose source gives \(what) is refused and stores nothing.",
            layers: [.repository]
        ) { test in
            for length in lengths {
                let snapshot = try test.restorable(messages: length)
                for place in Set([0, length / 2, length - 1]).sorted() {
                    var messages = snapshot.messages
                    change(&messages, place, test)
                    do throws(StoreError) {
                        try await test.store.restore(snapshot.session, messages: ListedMessages(messages))
                        test.fail("\(what), at \(place) of \(length): the restore succeeded")
                    } catch {
                        test.expect(error.code != .internalFailure, "\(what), at \(place) of \(length): \(error)")
                    }
                    try await test.expectNothing(of: snapshot.session.id, "at \(place) of \(length)")
                }
                // Nothing of the refused ones stands in the way of a good one.
                try await test.store.restore(snapshot.session, messages: ListedMessages(snapshot.messages))
                test.expect(
                    try await test.access.snapshot(of: snapshot.session.id) == snapshot,
                    "the session is not the one that was restored")
                _ = try await test.access.delete(snapshot.session.id)
            }
        }
    }
}

extension ScenarioContext {
    /// Notes a failure where anything of a session is in the store.
    fileprivate func expectNothing(of id: ULID, _ when: String) async throws {
        expect(try await access.get(id), equals: nil, "the session \(when)")
        expect(try await access.page(id)?.messages.count, equals: nil, "the messages \(when)")
        expect(try await access.list().contains { $0.id == id }, equals: false, "the session in the list \(when)")
    }
}

/// The messages of a session, and then more than it counts.
private struct EndlessMessages: MessageSource {
    private let messages: [SessionMessage]
    private let more: Int
    private let progress: @Sendable () -> Void

    /// - Parameter progress: Told of each that is read.
    init(_ messages: [SessionMessage], beyond more: Int, progress: @escaping @Sendable () -> Void) {
        self.messages = messages
        self.more = more
        self.progress = progress
    }

    func makeReader() throws(StoreError) -> any MessageReader { Reader(source: self) }

    private struct Reader: MessageReader {
        let source: EndlessMessages
        var read = 0

        mutating func next() throws(StoreError) -> SessionMessage? {
            guard read < source.messages.count + source.more, let last = source.messages.last else { return nil }
            read += 1
            source.progress()
            let isBeyond = read > source.messages.count
            return isBeyond
                ? last.with(id: ULID(high: 7, low: UInt64(read)), sequence: read) : source.messages[read - 1]
        }
    }
}
