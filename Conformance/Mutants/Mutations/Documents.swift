import AgentSessions
import AgentSessionsConformance
import AgentSessionsMemory

extension Mutant {
    static let documents: [Mutant] = [
        restoring(
            "document.fresh-revision", "A restored session gets a fresh updated_at.", caughtBy: ["document.same-bytes"]
        ) { session in
            session.updatedAt = .now()
        },
        restoring(
            "document.loses-usage", "A restored session begins without usage.",
            caughtBy: ["document.round-trip", "document.same-bytes"]
        ) { $0.usage = .zero },
        restoring(
            "document.loses-metadata", "A restored session has no metadata.",
            caughtBy: ["document.empty-session", "document.chat-round-trip", "document.round-trip"]
        ) { $0.metadata = JSONObject() },
        restoring("document.fresh-creation", "A restored session is created now.", caughtBy: ["document.same-bytes"]) {
            session in
            session = session.with(createdAt: session.updatedAt)
        },
        messages(
            "document.fresh-times", "Restored messages have the time of their session.",
            caughtBy: ["document.same-bytes"]
        ) { message, session in
            message.with(createdAt: session.updatedAt)
        },
        messages(
            "document.fresh-ids", "Restored messages get ids of the store's making.", caughtBy: ["document.same-bytes"]
        ) { message, _ in
            var bytes = message.id.bytes
            bytes[15] ^= 1
            return message.with(id: try? ULID(bytes: bytes))
        },
        messages(
            "document.loses-tool-calls", "Restored messages lose their tool call ids.",
            caughtBy: ["document.chat-round-trip", "document.round-trip", "document.same-bytes"]
        ) { message, _ in
            message.with(toolCallID: .some(nil))
        },
        messages(
            "document.loses-message-metadata", "Restored messages lose their metadata.",
            caughtBy: ["document.chat-round-trip", "document.round-trip", "document.same-bytes"]
        ) { message, _ in
            message.with(metadata: JSONObject())
        },
        Mutant(
            "document.overwrites", "A restore under an id that is taken replaces the session.",
            caughtBy: ["record.restore-taken"]
        ) {
            store in
            store.restore = { [store] session, source in
                _ = try await store.delete(session.id, nil)
                try await store.restore(session, source)
            }
        },
        Mutant(
            "document.merges", "A restore under an id that is taken does nothing.", caughtBy: ["record.restore-taken"]
        ) { store in
            store.restore = { [store] session, source in
                guard try await store.get(session.id) == nil else { return }
                try await store.restore(session, source)
            }
        },
        Mutant(
            "document.torn", "A restore whose source fails leaves what it had written.",
            caughtBy: ["record.restore-whole-or-not"]
        ) { store in
            store.restore = { [store] session, source in
                guard try await store.get(session.id) == nil else { throw StoreError.sessionExists(session.id) }
                var batch: [SessionMessage] = []
                do {
                    var reader = try source.makeReader()
                    while let message = try reader.next() { batch.append(message) }
                    try await store.restore(session, source)
                } catch {
                    var part = session
                    part.messageCount = batch.count
                    let (stored, messages) = (part, batch)
                    try await store.data.change { tables in
                        try tables.insert(stored)
                        try tables.insert(messages)
                    }
                    throw error
                }
            }
        },
        Mutant(
            "document.trusts-count", "A restore does not look at the sequences and the count.",
            caughtBy: ["record.restore-whole-or-not"]
        ) {
            store in
            store.restore = { [store] session, source in
                guard try await store.get(session.id) == nil else { throw StoreError.sessionExists(session.id) }
                try await store.data.change { tables in
                    var reader = try source.makeReader()
                    var messages: [SessionMessage] = []
                    while let message = try reader.next() {
                        messages.append(message.with(sequence: messages.count + 1))
                    }
                    var counted = session
                    counted.messageCount = messages.count
                    try tables.insert(counted)
                    try tables.insert(messages)
                }
            }
        },
        Mutant(
            "document.same-id-twice", "A restore takes the same message id twice.",
            caughtBy: ["record.restore-whole-or-not"]
        ) { store in
            store.restore = { [store] session, source in
                guard try await store.get(session.id) == nil else { throw StoreError.sessionExists(session.id) }
                try await store.data.change { tables in
                    var reader = try source.makeReader()
                    var messages: [SessionMessage] = []
                    var seen: Set<ULID> = []
                    while let message = try reader.next() {
                        guard seen.insert(message.id).inserted else { continue }
                        messages.append(message.with(sequence: messages.count + 1))
                    }
                    var counted = session
                    counted.messageCount = messages.count
                    try tables.insert(counted)
                    try tables.insert(messages)
                }
            }
        },
        Mutant("document.first-500", "A restore stores the first 500 messages.", caughtBy: ["record.restored-long"]) {
            store in
            store.restore = { [store] session, source in
                try await store.restore(session, source)
                guard session.messageCount > 500 else { return }
                try await store.data.change { tables in
                    var cut = session
                    cut.messageCount = 500
                    try tables.removeMessages(of: session, after: 500)
                    try tables.replace(session, with: cut)
                }
            }
        },
        Mutant(
            "document.ids-unknown", "The ids of restored messages are not known, so that a replay is refused.",
            caughtBy: ["document.goes-on"], remembering: Memory<Set<ULID>>([])
        ) { store, restored in
            store.restore = { [store] session, source in
                try await store.restore(session, source)
                restored { _ = $0.insert(session.id) }
            }
            store.append = { [store] request in
                let result = try await store.append(request)
                if result.isReplay, restored({ $0.contains(request.sessionID) }) {
                    throw StoreError(.internalFailure, "The unique index was violated.")
                }
                return result
            }
        },
        Mutant(
            "document.not-listed", "A restored session is not in the list.",
            caughtBy: ["document.import-twice", "document.goes-on"],
            remembering: Memory<Set<ULID>>([])
        ) { store, restored in
            store.restore = { [store] session, source in
                try await store.restore(session, source)
                restored { _ = $0.insert(session.id) }
            }
            store.list = { [data = store.data] request in
                let hidden = restored { $0 }
                return try await data.everySession().newestFirst().after(request)
                    .filter { !hidden.contains($0.id) }.page(request)
            }
        },
        Mutant(
            "document.listed-last", "Restored sessions are listed by the order of restoring.",
            caughtBy: ["record.restored-in-list"],
            remembering: Memory<[ULID]>([])
        ) { store, restored in
            store.restore = { [store] session, source in
                try await store.restore(session, source)
                restored { $0.append(session.id) }
            }
            store.list = { [data = store.data] request in
                let restored = restored { $0 }
                let all = try await data.everySession().newestFirst()
                let first = restored.reversed().compactMap { id in all.first { $0.id == id } }
                return (first + all.filter { !restored.contains($0.id) }).after(request).page(request)
            }
        },
    ]

    /// A restore that stores the session otherwise than it came.
    private static func restoring(
        _ id: String, _ mistake: String, caughtBy: [String] = [],
        _ alter: @escaping @Sendable (inout Session) -> Void
    ) -> Mutant {
        Mutant(id, mistake, caughtBy: caughtBy) { store in
            store.restore = { [store] session, source in
                var session = session
                alter(&session)
                try await store.restore(session, source)
            }
        }
    }

    /// A restore that stores messages otherwise than they came.
    private static func messages(
        _ id: String, _ mistake: String, caughtBy: [String] = [],
        _ alter: @escaping @Sendable (SessionMessage, Session) -> SessionMessage
    ) -> Mutant {
        Mutant(id, mistake, caughtBy: caughtBy) { store in
            store.restore = { [store] session, source in
                try await store.restore(
                    session, AlteredSource(source: source) { alter($0, session) })
            }
        }
    }
}

/// Messages as `alter` makes them.
struct AlteredSource: MessageSource {
    let source: any MessageSource
    let alter: @Sendable (SessionMessage) -> SessionMessage

    var copiedFrom: ULID? { source.copiedFrom }

    func makeReader() throws(StoreError) -> any MessageReader {
        Reader(reader: try source.makeReader(), alter: alter)
    }

    private struct Reader: MessageReader {
        var reader: any MessageReader
        let alter: @Sendable (SessionMessage) -> SessionMessage

        mutating func next() throws(StoreError) -> SessionMessage? {
            try reader.next().map(alter)
        }
    }
}
