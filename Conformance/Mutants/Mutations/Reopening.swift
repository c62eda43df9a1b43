import AgentSessions
import AgentSessionsConformance
import AgentSessionsMemory

extension Mutant {
    static let reopening: [Mutant] = [
        reopened(
            "reopen.loses-all", "A store that was opened again is empty.",
            caughtBy: ["reopen.many-times", "reopen.revision", "reopen.kept"]
        ) { tables, sessions in
            for session in sessions { try tables.remove(session) }
        },
        reopened(
            "reopen.loses-last-session", "The session that was made last is gone after the store was opened again.",
            caughtBy: ["reopen.many-times", "reopen.revision", "reopen.kept"]
        ) { tables, sessions in if let last = sessions.last { try tables.remove(last) } },
        reopened(
            "reopen.loses-last-message", "The message that came last is gone after the store was opened again.",
            caughtBy: ["reopen.many-times", "reopen.kept", "reopen.deleted"]
        ) {
            tables, sessions in
            for session in sessions where session.messageCount > 0 {
                var cut = session
                cut.messageCount -= 1
                try tables.removeMessages(of: session, after: cut.messageCount)
                try tables.replace(session, with: cut)
            }
        },
        reopened("reopen.loses-usage", "Usage is gone after the store was opened again.", caughtBy: ["reopen.kept"]) {
            tables, sessions in
            for session in sessions {
                var changed = session
                changed.usage = .zero
                try tables.replace(session, with: changed)
            }
        },
        reopened(
            "reopen.loses-metadata", "Metadata is gone after the store was opened again.", caughtBy: ["reopen.kept"]
        ) { tables, sessions in
            for session in sessions {
                var changed = session
                changed.metadata = JSONObject()
                try tables.replace(session, with: changed)
            }
        },
        reopened(
            "reopen.rounds-revisions", "updated_at is rounded to milliseconds when the store is opened again.",
            caughtBy: ["reopen.many-times", "reopen.revision", "reopen.kept"]
        ) {
            tables, sessions in
            for session in sessions {
                var changed = session
                changed.updatedAt =
                    Timestamp(microseconds: session.updatedAt.microseconds / 1000 * 1000) ?? session.updatedAt
                try tables.replace(session, with: changed)
            }
        },
        reopened(
            "reopen.loses-empty", "Sessions without messages are gone after the store was opened again.",
            caughtBy: ["reopen.empty-sessions"]
        ) {
            tables, sessions in for session in sessions where session.messageCount == 0 { try tables.remove(session) }
        },
        Mutant(
            "reopen.forgets-ids", "Message ids are not known any more after the store was opened again.",
            caughtBy: ["reopen.replay"],
            remembering: Memory(Set<MessageKey>())
        ) { store, old in
            store.close = { [data = store.data] in
                for session in (try? await data.everySession()) ?? [] {
                    let messages = (try? await data.everyMessage(of: session.id)) ?? []
                    old { $0.formUnion(messages.map(\.key)) }
                }
            }
            store.append = { [store] request in
                let result = try await store.append(request)
                if result.isReplay, result.messages.contains(where: { message in old { $0.contains(message.key) } }) {
                    throw StoreError(.conflict, "Another message is stored under that id.")
                }
                return result
            }
        },
        Mutant(
            "reopen.deleted-come-back", "Deleted sessions are back after the store was opened again.",
            caughtBy: ["reopen.deleted"],
            remembering: Memory<[Session]>([])
        ) { store, gone in
            store.delete = { [store] id, createdAt in
                if let session = try await store.get(id) { gone { $0.append(session) } }
                return try await store.delete(id, createdAt)
            }
            store.close = { [data = store.data] in
                for session in gone({ $0 }) {
                    _ = try? await data.create(
                        NewSession(id: session.id, actorName: session.actorName, createdAt: session.createdAt))
                }
            }
        },
        Mutant(
            "reopen.rewound-come-back", "Removed messages are back after the store was opened again.",
            caughtBy: ["reopen.kept"],
            remembering: Memory<[ULID: [SessionMessage]]>([:])
        ) { store, removed in
            store.rewind = { [store] id, request in
                let all = try await store.data.everyMessage(of: id)
                let session = try await store.rewind(id, request)
                removed { $0[id] = Array(all.dropFirst(request.sequence)) }
                return session
            }
            store.close = { [data = store.data] in
                for (id, messages) in removed({ $0 }) {
                    _ = try? await data.change { tables in
                        guard let session = try tables.session(id),
                            session.messageCount + 1 == messages.first?.sequence
                        else { return }
                        var grown = session
                        grown.messageCount += messages.count
                        try tables.insert(messages)
                        try tables.replace(session, with: grown)
                    }
                }
            }
        },
        Mutant(
            "reopen.queue-lost", "What was acknowledged last is lost when the store is closed at once.",
            caughtBy: ["reopen.many-times", "reopen.kept", "reopen.deleted"],
            remembering: Memory<[ULID: Int]>([:])
        ) { store, last in
            store.append = { [store] request in
                let before = try await store.get(request.sessionID)?.messageCount ?? 0
                let result = try await store.append(request)
                if !result.isReplay { last { $0 = [request.sessionID: before] } }
                return result
            }
            store.close = { [data = store.data] in
                for (id, count) in last({ $0 }) {
                    _ = try? await data.rewind(id, RewindRequest(to: count, time: .now()))
                }
            }
        },
        Mutant(
            "reopen.migrates-again", "Opening a store applies its migrations again.",
            caughtBy: ["reopen.migrations-once", "reopen.race"]
        ) { store in
            let openedAt = Timestamp.now()
            store.migrations = { [store] in
                try await store.migrations().map {
                    MigrationStatus(
                        name: $0.name, parent: $0.parent, origin: $0.origin, appliedAt: openedAt, build: $0.build)
                }
            }
        },
        Mutant(
            "reopen.racers-migrate", "Of openers that race for a fresh place, each applies the migrations.",
            caughtBy: ["reopen.race"], remembering: Memory(0)
        ) { store, applied in
            store.open = {
                guard applied({ $0 }) == 0 else { return }
                await roundTrip()
                applied { $0 += 1 }
            }
            store.migrations = { [store] in
                let chain = try await store.migrations()
                return (0..<applied { $0 }).flatMap { _ in chain }
            }
        },
    ]

    /// A store that does something to its data when it is closed.
    private static func reopened(
        _ id: String, _ mistake: String, caughtBy: [String] = [],
        _ alter: @escaping @Sendable (inout MemoryTables, [Session]) throws -> Void
    ) -> Mutant {
        Mutant(id, mistake, caughtBy: caughtBy) { store in
            store.close = { [data = store.data] in
                guard let sessions = try? await data.everySession() else { return }
                _ = try? await data.change { try alter(&$0, sessions) }
            }
        }
    }
}
