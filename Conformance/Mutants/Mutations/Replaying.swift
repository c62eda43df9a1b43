import AgentSessions
import AgentSessionsConformance
import AgentSessionsMemory

extension Mutant {
    static let replaying: [Mutant] = [
        Mutant(
            "replay.doubled", "A replay is stored a second time.",
            caughtBy: ["replay.is-marked", "replay.usage", "replay.usage-overflow"],
            remembering: Aliases()
        ) { store, aliases in
            store.append = { [store] request in
                let stored = Set(try await store.data.everyMessage(of: request.sessionID).map(\.id))
                return try await aliases.append(request, to: store) { stored.contains($0.id) }
            }
            store.alterMessages(aliases.asGiven)
        },
        Mutant(
            "replay.refused", "A replay is refused as a conflict.",
            caughtBy: ["replay.is-marked", "replay.usage", "replay.usage-overflow"]
        ) { store in
            store.append = { [store] request in
                let result = try await store.append(request)
                guard !result.isReplay else { throw StoreError(.conflict, "The messages are stored already.") }
                return result
            }
        },
        Mutant(
            "replay.replaces", "The same id with another payload replaces the message.",
            caughtBy: ["replay.payload-content", "replay.order", "replay.payload-content-normalised"]
        ) { store in
            store.append = { [data = store.data] request in
                try await data.change { tables in
                    let stored = try tables.messages(of: request.sessionID, withIDs: request.messages.map(\.id))
                    guard let session = try tables.session(request.sessionID),
                        stored.count == request.messages.count, let first = stored.map(\.sequence).min(),
                        first + stored.count - 1 == session.messageCount
                    else { return try request.carryOut(&tables) }
                    try tables.removeMessages(of: session, after: first - 1)
                    let new = request.messages.enumerated().map { offset, message in
                        message.stored(in: session.id, sequence: first + offset, at: stored[0].createdAt)
                    }
                    try tables.insert(new)
                    return AppendResult(messages: new, isReplay: true)
                }
            }
        },
        comparing(
            "replay.compares-nothing", "The same id with another payload is taken for a replay.",
            caughtBy: ["replay.payload-content", "replay.payload-content-normalised", "replay.payload-role"]
        ) { _, _ in true },
        comparing(
            "replay.compares-content", "Of a replay only the content is compared.",
            caughtBy: ["replay.payload-role", "replay.payload-metadata", "replay.payload-metadata-emptied"]
        ) {
            $0.content.utf8.elementsEqual($1.content.utf8)
        },
        comparing(
            "replay.compares-role-and-content", "Of a replay the metadata is not compared.",
            caughtBy: ["replay.payload-metadata", "replay.payload-metadata-emptied", "replay.payload-metadata-number"]
        ) {
            $0.role == $1.role && $0.content.utf8.elementsEqual($1.content.utf8) && $0.toolCallID == $1.toolCallID
        },
        comparing(
            "replay.ignores-tool-call", "Of a replay the tool call id is not compared.",
            caughtBy: ["replay.payload-tool-call-id", "replay.payload-tool-call-id-missing"]
        ) {
            $0.role == $1.role && $0.content.utf8.elementsEqual($1.content.utf8) && $0.metadata == $1.metadata
        },
        comparing("replay.ignores-role", "Of a replay the role is not compared.", caughtBy: ["replay.payload-role"]) {
            $0.content.utf8.elementsEqual($1.content.utf8) && $0.metadata == $1.metadata
                && $0.toolCallID == $1.toolCallID
        },
        comparing(
            "replay.compares-canonically", "Of a replay texts are compared as Unicode sees them.",
            caughtBy: ["replay.payload-content-normalised"]
        ) {
            $0.role == $1.role && $0.content == $1.content && $0.metadata == $1.metadata
                && $0.toolCallID == $1.toolCallID
        },
        comparing(
            "replay.nil-is-empty", "Of a replay no tool call id is the same as an empty one.",
            caughtBy: ["replay.payload-tool-call-id-empty"]
        ) {
            $0.role == $1.role && $0.content.utf8.elementsEqual($1.content.utf8) && $0.metadata == $1.metadata
                && ($0.toolCallID ?? "") == ($1.toolCallID ?? "")
        },
        comparing(
            "replay.compares-lengths", "Of a replay the length of the content is compared.",
            caughtBy: ["replay.payload-content-end"]
        ) {
            $0.role == $1.role && $0.content.utf8.count == $1.content.utf8.count && $0.metadata == $1.metadata
                && $0.toolCallID == $1.toolCallID
        },
        comparing(
            "replay.compares-beginnings", "Of a replay the first 64 bytes of the content are compared.",
            caughtBy: ["replay.payload-content-end"]
        ) {
            $0.role == $1.role && $0.content.utf8.prefix(64).elementsEqual($1.content.utf8.prefix(64))
                && $0.metadata == $1.metadata && $0.toolCallID == $1.toolCallID
        },
        Mutant(
            "replay.first-alone", "Of the replay of a batch the first message is compared.",
            caughtBy: ["replay.apart", "replay.payload-content", "replay.part"]
        ) { store in
            store.append = { [store] request in
                let stored = try await store.data.everyMessage(of: request.sessionID)
                guard request.messages.count > 1,
                    let start = stored.firstIndex(where: { $0.id == request.messages[0].id }),
                    start + request.messages.count <= stored.count
                else { return try await store.append(request) }
                _ = try await store.append(request.with(messages: [request.messages[0]]))
                return AppendResult(
                    messages: Array(stored[start..<(start + request.messages.count)]), isReplay: true)
            }
        },
        Mutant(
            "replay.rest-is-added", "Of a batch that is stored in part, the rest is stored.",
            caughtBy: ["replay.rewound-part", "replay.part"]
        ) { store in
            store.append = { [store] request in
                let stored = try await store.data.everyMessage(of: request.sessionID)
                let ids = Set(request.messages.map(\.id))
                let old = stored.filter { ids.contains($0.id) }
                guard !old.isEmpty, old.count < request.messages.count else { return try await store.append(request) }
                let oldIDs = Set(old.map(\.id))
                let new = request.messages.filter { !oldIDs.contains($0.id) }
                let result = try await store.append(request.with(messages: new))
                return AppendResult(messages: old + result.messages, isReplay: false)
            }
        },
        Mutant(
            "replay.part-is-whole", "A batch that is stored in part is a replay of that part.",
            caughtBy: ["replay.rewound-part", "replay.part"]
        ) {
            store in
            store.append = { [store] request in
                let ids = Set(request.messages.map(\.id))
                let old = try await store.data.everyMessage(of: request.sessionID).filter { ids.contains($0.id) }
                guard !old.isEmpty, old.count < request.messages.count else { return try await store.append(request) }
                return AppendResult(messages: old, isReplay: true)
            }
        },
        Mutant("replay.any-order", "A batch in another order is a replay.", caughtBy: ["replay.order"]) { store in
            store.append = { [store] request in
                let places = Dictionary(
                    try await store.data.everyMessage(of: request.sessionID).map { ($0.id, $0.sequence) },
                    uniquingKeysWith: { $1 })
                guard request.messages.allSatisfy({ places[$0.id] != nil }) else {
                    return try await store.append(request)
                }
                return try await store.append(
                    request.with(
                        messages: request.messages.sorted { places[$0.id, default: 0] < places[$1.id, default: 0] }))
            }
        },
        Mutant(
            "replay.scattered", "Messages that were not appended together make a replay.",
            caughtBy: ["replay.apart", "replay.order"]
        ) { store in
            store.append = { [store] request in
                let stored = try await store.data.everyMessage(of: request.sessionID)
                guard request.messages.count > 1 else { return try await store.append(request) }
                var found: [SessionMessage] = []
                for message in request.messages {
                    guard stored.contains(where: { $0.id == message.id }) else {
                        return try await store.append(request)
                    }
                    found += try await store.append(request.with(messages: [message])).messages
                }
                return AppendResult(messages: found, isReplay: true)
            }
        },
        replaying(
            "replay.moves-revision", "A replay moves updated_at.",
            caughtBy: ["replay.usage-overflow", "replay.batch", "replay.expected"]
        ) { session, request in
            session.updatedAt = (try? session.nextRevision(at: request.time)) ?? session.updatedAt
        },
        replaying("replay.adds-usage", "A replay adds its usage again.", caughtBy: ["replay.usage", "replay.race"]) {
            session, request in
            if let usage = request.usage { session.usage = (try? session.usage.adding(usage)) ?? session.usage }
        },
        Mutant(
            "replay.checks-expected", "A replay is refused where the session has grown.", caughtBy: ["replay.expected"]
        ) { store in
            store.append = { [store] request in
                let result = try await store.append(request)
                if result.isReplay, let expected = request.expectedSequence,
                    let session = try await store.get(request.sessionID), session.messageCount != expected
                {
                    throw StoreError(
                        .conflict, "The last sequence is \(session.messageCount), not \(expected).")
                }
                return result
            }
        },
        Mutant(
            "replay.gives-request", "A replay gives messages the time of the replay.",
            caughtBy: ["replay.is-marked", "replay.usage-overflow", "replay.batch"]
        ) { store in
            store.append = { [store] request in
                let result = try await store.append(request)
                guard result.isReplay else { return result }
                return AppendResult(messages: result.messages.map { $0.with(createdAt: request.time) }, isReplay: true)
            }
        },
        Mutant(
            "replay.gives-next-sequences", "A replay gives messages the sequences that come next.",
            caughtBy: ["replay.is-marked", "replay.usage-overflow", "replay.batch"]
        ) {
            store in
            store.append = { [store] request in
                let result = try await store.append(request)
                guard result.isReplay, let session = try await store.get(request.sessionID) else { return result }
                let messages = result.messages.enumerated().map { offset, message in
                    message.with(sequence: session.messageCount + offset + 1)
                }
                return AppendResult(messages: messages, isReplay: true)
            }
        },
        Mutant("replay.not-told", "A replay says that it was written.", caughtBy: ["replay.is-marked"]) { store in
            store.append = { [store] request in
                AppendResult(messages: try await store.append(request).messages, isReplay: false)
            }
        },
        Mutant(
            "replay.forgets-old", "Of a session only the last 16 message ids are known.", caughtBy: ["replay.later"],
            remembering: Aliases()
        ) { store, aliases in
            store.append = { [store] request in
                let stored = try await store.data.everyMessage(of: request.sessionID)
                let old = Set(stored.dropLast(16).map(\.id))
                guard request.messages.contains(where: { old.contains($0.id) }) else {
                    return try await store.append(request)
                }
                return try await aliases.append(request, to: store)
            }
            store.alterMessages(aliases.asGiven)
        },
        Mutant(
            "replay.checked-outside", "Whether a message is stored is looked up before the transaction.",
            caughtBy: ["replay.race"], remembering: Aliases()
        ) { store, aliases in
            store.append = { [store] request in
                let before = Set(try await store.data.everyMessage(of: request.sessionID).map(\.id))
                guard !request.messages.contains(where: { before.contains($0.id) }) else {
                    return try await store.append(request)
                }
                await roundTrip()
                let stored = Set(try await store.data.everyMessage(of: request.sessionID).map(\.id))
                guard request.messages.contains(where: { stored.contains($0.id) }) else {
                    return try await store.append(request)
                }
                return try await aliases.append(request, to: store)
            }
            store.alterMessages(aliases.asGiven)
        },
        Mutant(
            "replay.after-delete", "A replay is answered from a list of ids though the session is gone.",
            caughtBy: ["replay.deleted"], remembering: Memory<[MessageKey: SessionMessage]>([:])
        ) { store, known in
            store.append = { [store] request in
                let found = known { known in
                    request.messages.compactMap { known[MessageKey(session: request.sessionID, id: $0.id)] }
                }
                if found.count == request.messages.count, try await store.get(request.sessionID) == nil {
                    return AppendResult(messages: found, isReplay: true)
                }
                let result = try await store.append(request)
                known { known in for message in result.messages { known[message.key] = message } }
                return result
            }
        },
    ]

    /// A store that takes a message for the stored one of its id where `isSame` says so.
    static func comparing(
        _ id: String, _ mistake: String, caughtBy: [String] = [],
        _ isSame: @escaping @Sendable (SessionMessage, PendingMessage) -> Bool
    ) -> Mutant {
        Mutant(id, mistake, caughtBy: caughtBy) { store in
            store.append = { [store] request in
                let stored = try await store.data.everyMessage(of: request.sessionID)
                let messages = request.messages.map { message in
                    guard let old = stored.first(where: { $0.id == message.id }), isSame(old, message) else {
                        return message
                    }
                    return PendingMessage(
                        id: old.id, role: old.role, content: old.content, toolCallID: old.toolCallID,
                        metadata: old.metadata)
                }
                return try await store.append(request.with(messages: messages))
            }
        }
    }

    /// A replay that changes the session.
    private static func replaying(
        _ id: String, _ mistake: String, caughtBy: [String] = [],
        _ alter: @escaping @Sendable (inout Session, AppendRequest) -> Void
    ) -> Mutant {
        Mutant(id, mistake, caughtBy: caughtBy) { store in
            store.append = { [store] request in
                let result = try await store.append(request)
                if result.isReplay {
                    try await store.data.changeSession(request.sessionID) { alter(&$0, request) }
                }
                return result
            }
        }
    }
}

/// Messages that were stored a second time, under ids of the store's making, and are shown under those that the caller
/// gave: how a replay that is not known for one comes out.
private struct Aliases: Sendable {
    private let given = Memory<[MessageKey: ULID]>([:])
    private let generator = ULIDGenerator()

    /// Stores messages, under fresh ids where `isRenamed` says so.
    func append(
        _ request: AppendRequest, to store: StoreMethods,
        renaming isRenamed: (PendingMessage) -> Bool = { _ in true }
    ) async throws -> AppendResult {
        let messages = try request.messages.map { message in
            guard isRenamed(message) else { return message }
            let id = try generator.next()
            given { $0[MessageKey(session: request.sessionID, id: id)] = message.id }
            return PendingMessage(
                id: id, role: message.role, content: message.content, toolCallID: message.toolCallID,
                metadata: message.metadata)
        }
        let result = try await store.append(request.with(messages: messages))
        return AppendResult(messages: result.messages.map(asGiven), isReplay: false)
    }

    /// The message under the id that the caller gave.
    @Sendable func asGiven(_ message: SessionMessage) -> SessionMessage {
        message.with(id: given { $0[message.key] })
    }
}
