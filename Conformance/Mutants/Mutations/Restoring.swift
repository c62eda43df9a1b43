import AgentSessions
import AgentSessionsConformance
import AgentSessionsMemory

extension Mutant {
    /// Restores that believe their source, or make of it what they can.
    static let restoring: [Mutant] = [
        mending(
            "restore.adopts", "A restore takes messages of other sessions for its own.",
            caughtBy: ["restore.other-session"]
        ) { _, messages, session in
            messages.map {
                SessionMessage(
                    id: $0.id, sessionID: session.id, sequence: $0.sequence, role: $0.role, content: $0.content,
                    toolCallID: $0.toolCallID, metadata: $0.metadata, createdAt: $0.createdAt)
            }
        },
        mending(
            "restore.numbers", "A restore gives messages the sequences of the order in which they come.",
            caughtBy: [
                "restore.sequence-low", "restore.sequence-high", "restore.sequence-extreme",
                "restore.sequences-from-zero", "restore.sequences-backwards", "restore.exchanged",
            ]
        ) { _, messages, _ in
            messages.numbered
        },
        mending(
            "restore.sorts", "A restore brings messages into the order of their sequences.",
            caughtBy: ["restore.sequences-backwards", "restore.exchanged"]
        ) { _, messages, _ in
            messages.sorted { $0.sequence < $1.sequence }
        },
        mending(
            "restore.counts", "A restore counts what comes, whatever the session says.",
            caughtBy: ["restore.message-missing", "restore.message-more"]
        ) { counted, messages, _ in
            counted.messageCount = messages.count
            return messages.numbered
        },
        mending(
            "restore.cuts", "A restore leaves out what is more than the session counts.",
            caughtBy: ["restore.message-more"]
        ) { _, messages, session in
            Array(messages.prefix(session.messageCount))
        },
        mending(
            "restore.renames", "A restore gives a message whose id was there before an id of its own.",
            caughtBy: ["restore.id-twice", "restore.id-first-and-last"]
        ) { _, messages, _ in
            var seen: Set<ULID> = []
            return messages.map { seen.insert($0.id).inserted ? $0 : $0.with(id: try? ULIDGenerator.shared.next()) }
        },
        mending(
            "restore.looks-nearby", "A restore looks for ids that are there twice among the last hundred.",
            caughtBy: ["restore.id-twice", "restore.id-first-and-last"]
        ) { _, messages, _ in
            messages.enumerated().map { index, message in
                let far = messages.prefix(max(index - 100, 0)).contains { $0.id == message.id }
                return far ? message.with(id: try? ULIDGenerator.shared.next()) : message
            }
        },
        Mutant(
            "restore.keeps-part", "A restore whose source fails keeps what came before.",
            caughtBy: ["restore.source-fails", "concurrency.refused-restores"]
        ) { store in
            store.restore = { [store] session, source in
                var messages: [SessionMessage] = []
                do {
                    var reader = try source.makeReader()
                    while let message = try reader.next() { messages.append(message) }
                } catch {
                    var part = session
                    part.messageCount = messages.count
                    try? await store.data.restore(part, messages: HeldMessages(messages: messages))
                    throw error
                }
                try await store.restore(session, source)
            }
        },
        Mutant(
            "restore.reads-all", "A restore reads its source to the end before it looks at it.",
            caughtBy: ["restore.endless"]
        ) { store in
            store.restore = { [store] session, source in
                var reader = try source.makeReader()
                while try reader.next() != nil {}
                try await store.restore(session, source)
            }
        },
        Mutant(
            "restore.undoes-by-id", "A restore that fails removes what has the ids of its messages.",
            caughtBy: ["restore.ids-of-sessions"]
        ) { store in
            store.restore = { [store] session, source in
                do {
                    try await store.restore(session, source)
                } catch {
                    var reader = try source.makeReader()
                    while let message = try? reader.next() { _ = try await store.delete(message.id, nil) }
                    throw error
                }
            }
        },
        Mutant(
            "restore.own-error", "A restore whose source fails throws an error of its own.",
            caughtBy: ["restore.source-fails"]
        ) { store in
            store.restore = { [store] session, source in
                do {
                    try await store.restore(session, source)
                } catch let error as StoreError where error.code == .checksumMismatch {
                    throw StoreError(.unavailable, "The messages cannot be read.", cause: error)
                }
            }
        },
        Mutant(
            "concurrency.failed-restore-shared",
            "A restore that fails while others write leaves its session, which is committed with their changes.",
            caughtBy: ["concurrency.refused-restores"], remembering: Memory(0)
        ) { store, writing in
            store.append = { [store] request in
                writing { $0 += 1 }
                await roundTrip()
                defer { writing { $0 -= 1 } }
                return try await store.append(request)
            }
            store.restore = { [store] session, source in
                do {
                    try await store.restore(session, source)
                } catch {
                    var empty = session
                    empty.messageCount = 0
                    if writing({ $0 }) > 0 {
                        try? await store.data.restore(empty, messages: HeldMessages(messages: []))
                    }
                    throw error
                }
            }
        },
    ]

    /// A restore that makes something of what its source gives, where it should refuse it.
    private static func mending(
        _ id: String, _ mistake: String, caughtBy: [String],
        _ mend: @escaping @Sendable (inout Session, [SessionMessage], Session) -> [SessionMessage]
    ) -> Mutant {
        Mutant(id, mistake, caughtBy: caughtBy) { store in
            store.restore = { [store] session, source in
                var reader = try source.makeReader()
                var messages: [SessionMessage] = []
                while let message = try reader.next() { messages.append(message) }
                var mended = session
                messages = mend(&mended, messages, session)
                try await store.restore(mended, HeldMessages(messages: messages))
            }
        }
    }
}

extension [SessionMessage] {
    /// The messages with sequences by their places.
    fileprivate var numbered: [SessionMessage] { enumerated().map { $1.with(sequence: $0 + 1) } }
}

/// Messages that are all there.
private struct HeldMessages: MessageSource {
    let messages: [SessionMessage]

    func makeReader() throws(StoreError) -> any MessageReader { Reader(rest: messages[...]) }

    private struct Reader: MessageReader {
        var rest: ArraySlice<SessionMessage>

        mutating func next() throws(StoreError) -> SessionMessage? { rest.popFirst() }
    }
}
