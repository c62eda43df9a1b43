import AgentSessions
import AgentSessionsConformance
import AgentSessionsMemory

extension Mutant {
    static let instances: [Mutant] = [
        Mutant(
            "instances.cached-sessions", "An instance goes on showing sessions as it read them first.",
            caughtBy: ["instances.see-each-other"]
        ) { store in
            let cache = Memory<[ULID: Session]>([:])
            store.get = { [store] id in
                if let cached = cache({ $0[id] }) { return cached }
                let found = try await store.get(id)
                cache { $0[id] = found }
                return found
            }
            store.update = { [store] id, change in
                let changed = try await store.update(id, change)
                cache { $0[id] = changed }
                return changed
            }
            store.append = { [store] request in
                defer { cache { $0[request.sessionID] = nil } }
                return try await store.append(request)
            }
            store.rewind = { [store] id, request in
                defer { cache { $0[id] = nil } }
                return try await store.rewind(id, request)
            }
            store.delete = { [store] id, createdAt in
                defer { cache { $0[id] = nil } }
                return try await store.delete(id, createdAt)
            }
        },
        Mutant(
            "instances.cached-pages", "An instance goes on showing pages that it read while they were full.",
            caughtBy: ["instances.rewound"]
        ) { store in
            let cache = Memory<[ULID: MessagePage]>([:])
            store.messages = { [store] request in
                if let page = cache({ $0[request.sessionID] }), request.range == .after(0) { return page }
                let page = try await store.messages(request)
                if request.range == .after(0) { cache { $0[request.sessionID] = page } }
                return page
            }
            let forget: @Sendable (ULID) -> Void = { id in cache { $0[id] = nil } }
            store.append = { [store] request in
                defer { forget(request.sessionID) }
                return try await store.append(request)
            }
            store.update = { [store] id, change in
                defer { forget(id) }
                return try await store.update(id, change)
            }
            store.rewind = { [store] id, request in
                defer { forget(id) }
                return try await store.rewind(id, request)
            }
            store.delete = { [store] id, createdAt in
                defer { forget(id) }
                return try await store.delete(id, createdAt)
            }
        },
        Mutant(
            "instances.cached-list", "An instance keeps the list until it changes something itself.",
            caughtBy: ["instances.see-absence-end"]
        ) {
            store in
            let cache = Memory<[Session]?>(nil)
            let forget: @Sendable () -> Void = { cache { $0 = nil } }
            store.list = { [data = store.data] request in
                let cached = cache { $0 }
                let sessions: [Session]
                if let cached { sessions = cached } else { sessions = try await data.everySession() }
                cache { $0 = sessions }
                return sessions.newestFirst().after(request).page(request)
            }
            store.create = { [store] new in
                defer { forget() }
                return try await store.create(new)
            }
            store.update = { [store] id, change in
                defer { forget() }
                return try await store.update(id, change)
            }
            store.append = { [store] request in
                defer { forget() }
                return try await store.append(request)
            }
            store.delete = { [store] id, createdAt in
                defer { forget() }
                return try await store.delete(id, createdAt)
            }
            store.rewind = { [store] id, request in
                defer { forget() }
                return try await store.rewind(id, request)
            }
            store.restore = { [store] session, source in
                defer { forget() }
                return try await store.restore(session, source)
            }
            store.replace = { [store] session, source, expected in
                defer { forget() }
                return try await store.replace(session, source, expected)
            }
        },
        Mutant(
            "instances.cached-counts", "An instance counts the messages of a session on its own.",
            caughtBy: ["instances.sequences", "instances.concurrent", "instances.see-each-other"]
        ) {
            store in
            let counts = Memory<[ULID: Int]>([:])
            store.append = { [store] request in
                let counted = counts { $0[request.sessionID] }
                // What another instance wrote meanwhile is overwritten.
                let result = try await store.data.change { tables in
                    if let counted, let now = try tables.session(request.sessionID), now.messageCount > counted {
                        var old = now
                        old.messageCount = counted
                        try tables.removeMessages(of: now, after: counted)
                        try tables.replace(now, with: old)
                    }
                    return try request.carryOut(&tables)
                }
                counts { $0[request.sessionID] = result.messages.last?.sequence }
                return result
            }
            store.rewind = { [store] id, request in
                counts { $0[id] = nil }
                return try await store.rewind(id, request)
            }
        },
        Mutant(
            "instances.cached-absence", "An instance that found a session absent goes on saying so.",
            caughtBy: ["instances.see-absence-end"]
        ) {
            store in
            let absent = Memory<Set<ULID>>([])
            store.get = { [store] id in
                if absent({ $0.contains(id) }) { return nil }
                let found = try await store.get(id)
                if found == nil { absent { _ = $0.insert(id) } }
                return found
            }
            store.create = { [store] new in
                absent { _ = $0.remove(new.id) }
                return try await store.create(new)
            }
            store.restore = { [store] session, source in
                absent { _ = $0.remove(session.id) }
                try await store.restore(session, source)
            }
        },
        Mutant(
            "instances.own-replays", "An instance knows the ids of its own messages alone.",
            caughtBy: ["instances.replay"]
        ) {
            store in
            let own = Memory<Set<MessageKey>>([])
            store.append = { [store] request in
                let result = try await store.append(request)
                if result.isReplay, !result.messages.allSatisfy({ message in own { $0.contains(message.key) } }) {
                    throw StoreError(.conflict, "Another message is stored under that id.")
                }
                own { $0.formUnion(result.messages.map(\.key)) }
                return result
            }
        },
        Mutant(
            "instances.close-closes-all", "Closing one instance closes the others.", caughtBy: ["instances.one-closes"],
            remembering: Memory(0)
        ) { store, closings in
            let before = closings { $0 }
            store.close = { closings { $0 += 1 } }
            store.get = { [store] id in
                guard closings({ $0 }) == before else { throw StoreError.storeClosed(backend: MutantStore.name) }
                return try await store.get(id)
            }
            store.append = { [store] request in
                guard closings({ $0 }) == before else { throw StoreError.storeClosed(backend: MutantStore.name) }
                return try await store.append(request)
            }
        },
        Mutant(
            "instances.one-writer", "While two instances are open, the second cannot write.",
            caughtBy: ["instances.sequences", "instances.no-stale-decision", "instances.replay"],
            remembering: Memory(0)
        ) { store, opened in
            let number = opened { opened in
                opened += 1
                return opened
            }
            store.close = { opened { $0 -= 1 } }
            guard number > 1 else { return }
            store.append = { _ in throw StoreError(.busy, "database is locked") }
        },
    ]
}
