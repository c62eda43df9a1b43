import AgentSessions
import AgentSessionsConformance
import AgentSessionsMemory

extension Mutant {
    /// What a call does to others: beside it in a commit, between its look and its change, in another session of the same
    /// ids, in the lists, in its error.
    static let neighbours: [Mutant] = sharedCommits + lookThenAct + trustedMemories + sharedIDs + staleIndexes + secrets

    // MARK: A shared commit

    /// A commit that is not one transaction: a refused call makes the others beside it be made again, or undoes them.
    private static let sharedCommits: [Mutant] =
        [Member.create, .update, .usage, .append, .rewind, .restore, .replace].flatMap { refused in
            ["usage-again", "usage-lost", "append-usage-again", "append-lost"].map { effect in
                Mutant(
                    "concurrency.\(effect)-beside-\(refused.rawValue)",
                    "A refused \(refused.rawValue) lets changes beside it be made wrongly (\(effect)).",
                    caughtBy: ["concurrency.refused-neighbours"], remembering: Memory(0)
                ) { store, refusals in
                    let (data, update, append) = (store.data, store.update, store.append)
                    store.around([refused], after: { _, error in if error != nil { refusals { $0 += 1 } } })
                    // What was refused meanwhile.
                    @Sendable func isBeside(_ call: () async throws -> Void) async throws -> Bool {
                        let before = refusals { $0 }
                        try await call()
                        await roundTrip()
                        return refusals { $0 } > before
                    }
                    store.update = { [outer = store.update] id, change in
                        guard change.usage != nil, effect.hasPrefix("usage") else { return try await outer(id, change) }
                        guard try await isBeside({}) else { return try await outer(id, change) }
                        guard effect == "usage-again" else {
                            guard let found = try await data.get(id) else { throw StoreError.sessionNotFound(id) }
                            return try change.apply(to: found)
                        }
                        _ = try await update(id, change)
                        return try await outer(id, change)
                    }
                    store.append = { [outer = store.append] request in
                        guard effect.hasPrefix("append") else { return try await outer(request) }
                        let beside = try await isBeside({})
                        guard beside, effect == "append-lost" else {
                            let result = try await outer(request)
                            if beside, let usage = request.usage {
                                _ = try await update(
                                    request.sessionID, SessionChange(usage: usage, time: request.time))
                            }
                            return result
                        }
                        guard let found = try await data.get(request.sessionID) else {
                            return try await append(request)
                        }
                        guard case .write(_, let messages) = try request.plan(session: found, stored: []) else {
                            return try await append(request)
                        }
                        return AppendResult(messages: messages, isReplay: false)
                    }
                }
            }
        }

    // MARK: Expectations

    /// The expectation is looked at before the change, and others come between.
    private static let lookThenAct: [Mutant] = [
        Mutant(
            "rewind.revision-outside", "The revision that a rewind expects is looked at before the transaction.",
            caughtBy: ["rewind.race"]
        ) { store in
            store.rewind = { [store] id, request in
                guard let expected = request.expectedRevision else { return try await store.rewind(id, request) }
                guard try await store.data.get(id)?.revision == expected else {
                    throw StoreError(.conflict, "Session \(id) was changed.")
                }
                await roundTrip()
                var request = request
                request.expectedRevision = nil
                return try await store.rewind(id, request)
            }
        },
        Mutant(
            "rewind.sequence-outside", "The sequence that a rewind expects is looked at before the transaction.",
            caughtBy: ["rewind.race"]
        ) { store in
            store.rewind = { [store] id, request in
                guard let expected = request.expectedSequence else { return try await store.rewind(id, request) }
                guard try await store.data.get(id)?.messageCount == expected else {
                    throw StoreError(.conflict, "Session \(id) was changed.")
                }
                await roundTrip()
                var request = request
                request.expectedSequence = nil
                return try await store.rewind(id, request)
            }
        },
        Mutant("restore.outside", "Whether an id is free is looked at before a restore.", caughtBy: ["restore.race"]) {
            store in
            store.restore = { [store] session, source in
                guard try await store.data.get(session.id) == nil else {
                    throw StoreError(.alreadyExists, "Session \(session.id) is there.")
                }
                await roundTrip()
                _ = try await store.data.delete(session.id)
                try await store.restore(session, source)
            }
        },
    ]

    /// An instance that wrote last trusts what it remembers of the session, and not what is stored.
    private static let trustedMemories: [Mutant] =
        ["update-revision", "append-sequence", "rewind-revision", "rewind-sequence", "replace-revision"].map { kind in
            Mutant(
                "instances.trusts-\(kind)", "The instance that wrote last compares what it remembers (\(kind)).",
                caughtBy: ["instances.expectations"]
            ) { store in
                let data = store.data
                let own = Memory<[ULID: Session]>([:])
                @Sendable func keep(_ id: ULID) async throws {
                    let now = try await data.get(id)
                    own { $0[id] = now }
                }
                store.append = { [append = store.append] request in
                    var request = request
                    if kind == "append-sequence", let known = own({ $0[request.sessionID] }),
                        request.expectedSequence == known.messageCount
                    {
                        request.expectedSequence = nil
                    }
                    let result = try await append(request)
                    try await keep(request.sessionID)
                    return result
                }
                store.update = { [update = store.update] id, change in
                    var change = change
                    if kind == "update-revision", let known = own({ $0[id] }), change.expectedRevision == known.revision
                    {
                        change.expectedRevision = nil
                    }
                    let changed = try await update(id, change)
                    own { $0[id] = changed }
                    return changed
                }
                store.rewind = { [rewind = store.rewind] id, request in
                    var request = request
                    let known = own { $0[id] }
                    if kind == "rewind-revision", request.expectedRevision == known?.revision {
                        request.expectedRevision = nil
                    }
                    if kind == "rewind-sequence", request.expectedSequence == known?.messageCount {
                        request.expectedSequence = nil
                    }
                    let changed = try await rewind(id, request)
                    own { $0[id] = changed }
                    return changed
                }
                store.replace = { [replace = store.replace] session, source, expected in
                    let isKnown = kind == "replace-revision" && own { $0[session.id]?.revision } == expected
                    let now = isKnown ? try await data.get(session.id)?.revision : nil
                    try await replace(session, source, now ?? expected)
                    try await keep(session.id)
                }
            }
        }

    // MARK: Two sessions of the same ids

    private static let sharedIDs: [Mutant] =
        [Member.rewind, .delete, .replace].flatMap { member in
            ["messages", "ids"].map { effect in
                Mutant(
                    "\(member.rawValue).takes-\(effect)-of-others",
                    "What \(member.rawValue) removes goes from other sessions too (\(effect)).",
                    caughtBy: ["record.shared-ids"], remembering: Memory<[ULID: Set<ULID>]>([:])
                ) { store, forgotten in
                    let data = store.data
                    @Sendable func holders() async throws -> [ULID: Set<ULID>] {
                        var all: [ULID: Set<ULID>] = [:]
                        for session in try await data.everySession() {
                            all[session.id] = Set(try await data.everyMessage(of: session.id).map(\.id))
                        }
                        return all
                    }
                    @Sendable func take(from id: ULID, _ before: [ULID: Set<ULID>]) async throws {
                        let removed = before[id, default: []].subtracting(try await holders()[id, default: []])
                        for (other, ids) in before where other != id && !ids.isDisjoint(with: removed) {
                            if effect == "messages" {
                                let kept = try await data.everyMessage(of: other).prefix { !removed.contains($0.id) }
                                    .count
                                try await data.change { tables in
                                    guard let session = try tables.session(other) else { return }
                                    var cut = session
                                    cut.messageCount = kept
                                    try tables.removeMessages(of: session, after: kept)
                                    try tables.replace(session, with: cut)
                                }
                            } else {
                                forgotten { $0[other, default: []].formUnion(removed) }
                            }
                        }
                    }
                    switch member {
                    case .rewind:
                        store.rewind = { [rewind = store.rewind] id, request in
                            let before = try await holders()
                            let session = try await rewind(id, request)
                            try await take(from: id, before)
                            return session
                        }
                    case .delete:
                        store.delete = { [delete = store.delete] id, time in
                            let before = try await holders()
                            let existed = try await delete(id, time)
                            try await take(from: id, before)
                            return existed
                        }
                    default:
                        store.replace = { [replace = store.replace] session, source, expected in
                            let before = try await holders()
                            try await replace(session, source, expected)
                            try await take(from: session.id, before)
                        }
                    }
                    store.append = { [append = store.append] request in
                        let result = try await append(request)
                        let isForgotten = forgotten { forgotten in
                            result.messages.contains { forgotten[request.sessionID, default: []].contains($0.id) }
                        }
                        if result.isReplay, isForgotten { throw StoreError(.conflict, "These ids are taken.") }
                        return result
                    }
                }
            }
        }

    // MARK: Indexes

    /// A list that loses the newest session after a change that was refused, or that changed nothing.
    private static let staleIndexes: [Mutant] = Member.changes.flatMap { member in
        ["actor", "updated", "all"].flatMap { index in
            [true, false].filter { isRefused in isRefused ? member != .delete : ![.create, .restore].contains(member) }
                .map { isRefused in
                    Mutant(
                        "list.\(index)-after-\(isRefused ? "refused" : "idle")-\(member.rawValue)",
                        "After a \(member.rawValue) that \(isRefused ? "was refused" : "changed nothing") the list loses one "
                            + "(\(index)).",
                        caughtBy: [isRefused ? "list.after-refusals" : "list.after-nothing"],
                        remembering: Memory<Set<ULID>>([])
                    ) { store, lost in
                        let before = Memory<[Session]>([])
                        let data = store.data
                        store.around(
                            [member],
                            before: { _ in
                                let sessions = try await data.everySession()
                                before { $0 = sessions }
                            },
                            after: { _, error in
                                let sessions = try await data.everySession()
                                func essence(_ session: Session) -> Session {
                                    var same = session
                                    same.updatedAt = session.createdAt
                                    return same
                                }
                                let isIdle = error == nil && before { $0.map(essence) } == sessions.map(essence)
                                guard isRefused ? error != nil : isIdle, let last = sessions.last else { return }
                                lost { _ = $0.insert(last.id) }
                            })
                        store.list = { [list = store.list] request in
                            let filter = request.filter
                            let isMeant =
                                switch index {
                                case "actor": filter.actorName != nil
                                case "updated": filter.updatedFrom != nil || filter.updatedBefore != nil
                                default: filter == SessionFilter()
                                }
                            guard isMeant else { return try await list(request) }
                            return try await list(request).filter { session in !lost { $0.contains(session.id) } }
                        }
                    }
                }
        }
    }

    // MARK: Secrets

    /// Errors that show a field of what is stored, call by call.
    private static let secrets: [Mutant] = Member.changes.filter { $0 != .delete }.flatMap { member in
        let fields: [(String, @Sendable (Session, SessionMessage) -> String)] = [
            ("actor", { session, _ in session.actorName }), ("metadata", { session, _ in "\(session.metadata)" }),
            ("metadata-key", { session, _ in session.metadata.map(\.key).joined() }),
            ("content", { $1.content }), ("tool-call-id", { $1.toolCallID ?? "" }),
            ("message-metadata", { "\($1.metadata.map(\.value))" }),
            ("message-metadata-key", { $1.metadata.map(\.key).joined() }),
        ]
        return fields.map { name, field in
            Mutant(
                "errors.\(name)-in-\(member.rawValue)", "The error of a \(member.rawValue) shows the \(name).",
                caughtBy: ["errors.no-field-\(member.rawValue)"]
            ) { store in
                store.around(
                    [member],
                    after: { [data = store.data] _, error in
                        guard let error = error as? StoreError else { return }
                        for session in try await data.everySession() {
                            guard let message = try await data.everyMessage(of: session.id).first else { continue }
                            throw StoreError(error.code, "\(error.message) It was \(field(session, message)).")
                        }
                    })
            }
        }
    }
}
