import AgentSessions
import AgentSessionsConformance
import AgentSessionsMemory

extension Saboteur {
    static let lifecycle: [Saboteur] = [
        Saboteur(
            "lifecycle.works-closed", "A closed store goes on working.",
            caughtBy: ["lifecycle.closed-append", "lifecycle.closed-create", "lifecycle.closed-delete"]
        ) { store in
            store.errorWhenClosed = nil
        },
        Saboteur(
            "lifecycle.reads-closed", "A closed store still reads.",
            caughtBy: ["lifecycle.close-at-once", "lifecycle.close-twice", "lifecycle.closed-get"],
            remembering: Memory(false)
        ) { store, closed in
            store.errorWhenClosed = nil
            store.close = { closed { $0 = true } }
            let refuse: @Sendable () throws -> Void = {
                if closed({ $0 }) { throw StoreError.storeClosed(backend: SabotagedStore.name) }
            }
            store.create = { [store] new in
                try refuse()
                return try await store.create(new)
            }
            store.update = { [store] id, change in
                try refuse()
                return try await store.update(id, change)
            }
            store.delete = { [store] id in
                try refuse()
                return try await store.delete(id)
            }
            store.append = { [store] request in
                try refuse()
                return try await store.append(request)
            }
            store.rewind = { [store] id, request in
                try refuse()
                return try await store.rewind(id, request)
            }
            store.restore = { [store] session, source in
                try refuse()
                try await store.restore(session, source)
            }
        },
        Saboteur(
            "lifecycle.unavailable-closed", "A closed store says that it is unavailable.",
            caughtBy: ["lifecycle.closed-append", "lifecycle.closed-create", "lifecycle.closed-delete"]
        ) { store in
            store.errorWhenClosed = StoreError(.unavailable, "The connection was closed.")
        },
        Saboteur(
            "lifecycle.empty-closed", "A closed store says that everything is absent.",
            caughtBy: ["lifecycle.closed-append", "lifecycle.closed-create", "lifecycle.closed-delete"]
        ) { store in
            store.errorWhenClosed = StoreError(.notFound, "There is no such session.")
        },
        Saboteur(
            "lifecycle.settings-without-engine", "The settings do not name the engine.",
            caughtBy: ["capabilities.settings"]
        ) { store in
            store.effectiveSettings = { [] }
        },
        Saboteur(
            "lifecycle.no-migrations", "The store says that it has no migrations.", caughtBy: ["reopen.migrations"]
        ) { store in
            store.migrations = { [] }
        },
        Saboteur(
            "lifecycle.migrations-backwards", "The migrations are told last first.", caughtBy: ["reopen.migrations"]
        ) { store in
            store.migrations = { [store] in try await store.migrations().reversed() }
        },
        Saboteur(
            "lifecycle.migrations-not-applied", "The last migration is told as missing.",
            caughtBy: ["reopen.migrations"]
        ) { store in
            store.migrations = { [store] in
                var steps = try await store.migrations()
                if let last = steps.popLast() {
                    steps.append(
                        MigrationStatus(
                            name: last.name, parent: last.parent, origin: last.origin, appliedAt: nil, build: nil))
                }
                return steps
            }
        },
        Saboteur(
            "lifecycle.migrations-without-parents", "The migrations are told without their parents.",
            caughtBy: ["reopen.migrations"]
        ) {
            store in
            store.migrations = { [store] in
                try await store.migrations().map {
                    MigrationStatus(
                        name: $0.name, parent: nil, origin: $0.origin, appliedAt: $0.appliedAt, build: $0.build)
                }
            }
        },
    ]

    static let reopening: [Saboteur] = [
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
        Saboteur(
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
        Saboteur(
            "reopen.deleted-come-back", "Deleted sessions are back after the store was opened again.",
            caughtBy: ["reopen.deleted"],
            remembering: Memory<[Session]>([])
        ) { store, gone in
            store.delete = { [store] id in
                if let session = try await store.get(id) { gone { $0.append(session) } }
                return try await store.delete(id)
            }
            store.close = { [data = store.data] in
                for session in gone({ $0 }) {
                    _ = try? await data.create(
                        NewSession(id: session.id, actorName: session.actorName, createdAt: session.createdAt))
                }
            }
        },
        Saboteur(
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
        Saboteur(
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
        Saboteur(
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
    ]

    static let instances: [Saboteur] = [
        Saboteur(
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
            store.delete = { [store] id in
                defer { cache { $0[id] = nil } }
                return try await store.delete(id)
            }
        },
        Saboteur(
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
            store.delete = { [store] id in
                defer { forget(id) }
                return try await store.delete(id)
            }
        },
        Saboteur(
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
            store.delete = { [store] id in
                defer { forget() }
                return try await store.delete(id)
            }
            store.rewind = { [store] id, request in
                defer { forget() }
                return try await store.rewind(id, request)
            }
            store.restore = { [store] session, source in
                defer { forget() }
                return try await store.restore(session, source)
            }
        },
        Saboteur(
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
        Saboteur(
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
        Saboteur(
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
        Saboteur(
            "instances.close-closes-all", "Closing one instance closes the others.", caughtBy: ["instances.one-closes"],
            remembering: Memory(0)
        ) { store, closings in
            let before = closings { $0 }
            store.close = { closings { $0 += 1 } }
            store.get = { [store] id in
                guard closings({ $0 }) == before else { throw StoreError.storeClosed(backend: SabotagedStore.name) }
                return try await store.get(id)
            }
            store.append = { [store] request in
                guard closings({ $0 }) == before else { throw StoreError.storeClosed(backend: SabotagedStore.name) }
                return try await store.append(request)
            }
        },
        Saboteur(
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

    static let concurrency: [Saboteur] = [
        Saboteur(
            "concurrency.cancelled-after-commit", "A cancelled task is told cancelled though its append is stored.",
            caughtBy: ["concurrency.cancelled-append"]
        ) { store in
            store.append = { [store] request in
                let result = try await store.append(request)
                guard !Task.isCancelled else { throw StoreError(.cancelled, "The task was cancelled.") }
                return result
            }
        },
        Saboteur(
            "concurrency.cancelled-torn", "A cancelled task leaves half of its batch.",
            caughtBy: ["concurrency.cancelled-append"]
        ) { store in
            store.append = { [store] request in
                guard Task.isCancelled, request.messages.count > 1 else { return try await store.append(request) }
                _ = try await store.append(request.with(messages: [request.messages[0]]))
                throw StoreError(.cancelled, "The task was cancelled.")
            }
        },
        Saboteur(
            "concurrency.cancelled-update", "A cancelled task is told cancelled though its update is stored.",
            caughtBy: ["concurrency.cancelled-update"]
        ) { store in
            store.update = { [store] id, change in
                let changed = try await store.update(id, change)
                guard !Task.isCancelled else { throw StoreError(.cancelled, "The task was cancelled.") }
                return changed
            }
        },
        Saboteur(
            "concurrency.cancelled-create", "A cancelled task is told cancelled though its session is stored.",
            caughtBy: ["concurrency.cancelled-create"]
        ) { store in
            store.create = { [store] new in
                let made = try await store.create(new)
                guard !Task.isCancelled else { throw StoreError(.cancelled, "The task was cancelled.") }
                return made
            }
        },
        Saboteur(
            "concurrency.cancelled-rewind", "A cancelled task is told cancelled though its rewind is stored.",
            caughtBy: ["concurrency.cancelled-rewind"]
        ) { store in
            store.rewind = { [store] id, request in
                let session = try await store.rewind(id, request)
                guard !Task.isCancelled else { throw StoreError(.cancelled, "The task was cancelled.") }
                return session
            }
        },
        Saboteur(
            "concurrency.cancelled-delete", "A cancelled task is told cancelled though its session is gone.",
            caughtBy: ["concurrency.cancelled-delete"]
        ) { store in
            store.delete = { [store] id in
                let existed = try await store.delete(id)
                guard !Task.isCancelled else { throw StoreError(.cancelled, "The task was cancelled.") }
                return existed
            }
        },
        Saboteur(
            "concurrency.busy", "Of several changes at once, all but one are refused as busy.",
            caughtBy: ["concurrency.sessions", "concurrency.rewind", "concurrency.appends"],
            remembering: Memory(0)
        ) { store, running in
            store.append = { [store] request in
                let isAlone = running { running in
                    running += 1
                    return running == 1
                }
                defer { running { $0 -= 1 } }
                guard isAlone else { throw StoreError(.internalFailure, "database is locked") }
                await roundTrip()
                return try await store.append(request)
            }
        },
        Saboteur(
            "concurrency.stale-reads", "While a session is being changed, readers get it as it was long before.",
            caughtBy: ["history.clients", "history.instances"], remembering: Memory<[ULID: [MessagePage]]>([:])
        ) { store, history in
            store.messages = { [store] request in
                guard let page = try await store.messages(request) else { return nil }
                guard request.range == .after(0) else { return page }
                return history { history in
                    history[request.sessionID, default: []].append(page)
                    let seen = history[request.sessionID, default: []]
                    // The fifth reader of a session gets what the second got.
                    return seen.count % 5 == 0 ? seen[seen.count - 4] : page
                }
            }
        },
        Saboteur(
            "concurrency.non-prefix", "A reader at the same time as writers misses a message in the middle.",
            caughtBy: ["concurrency.rewind"], remembering: Memory<[ULID: Int]>([:])
        ) { store, writing in
            store.append = { [store] request in
                writing { $0[request.sessionID, default: 0] += 1 }
                await roundTrip()
                defer { writing { $0[request.sessionID, default: 0] -= 1 } }
                return try await store.append(request)
            }
            store.messages = { [store] request in
                guard let page = try await store.messages(request) else { return nil }
                guard writing({ $0[request.sessionID, default: 0] }) > 0, page.messages.count > 2 else { return page }
                var messages = page.messages
                messages.remove(at: messages.count - 2)
                return MessagePage(session: page.session, messages: messages)
            }
        },
        Saboteur(
            "concurrency.answers-swapped", "Of appends that are committed together, each gets the answer of the first.",
            caughtBy: ["concurrency.appends", "concurrency.revisions", "concurrency.batches"],
            remembering: Memory<[ULID: AppendResult]>([:])
        ) { store, first in
            store.append = { [store] request in
                let isFirst = first { $0[request.sessionID] == nil }
                let result = try await store.append(request)
                if isFirst { first { $0[request.sessionID] = result } }
                await roundTrip()
                defer { if isFirst { first { $0[request.sessionID] = nil } } }
                return isFirst ? result : first { $0[request.sessionID] } ?? result
            }
        },
        Saboteur(
            "concurrency.one-at-a-time", "A second call while one is under way is lost without an error.",
            caughtBy: ["concurrency.usage", "concurrency.revisions", "concurrency.usage-and-appends"],
            remembering: Memory<Set<ULID>>([])
        ) { store, running in
            store.update = { [store] id, change in
                let isAlone = running { $0.insert(id).inserted }
                guard isAlone else {
                    guard let found = try await store.get(id) else { throw StoreError.sessionNotFound(id) }
                    return try change.apply(to: found)
                }
                await roundTrip()
                defer { running { _ = $0.remove(id) } }
                return try await store.update(id, change)
            }
        },
    ]

    static let capabilities: [Saboteur] = [
        Saboteur(
            "capabilities.reopen-undeclared", "The store can be opened again and does not say so.",
            caughtBy: ["capabilities.durability", "capabilities.durability-unclosed"]
        ) {
            store in store.capabilities.abilities.remove(.reopen)
        },
        Saboteur(
            "capabilities.instances-undeclared", "The store can be opened twice and does not say so.",
            caughtBy: ["reopen.race"]
        ) { store in
            store.capabilities.abilities.remove(.multipleInstances)
        },
        Saboteur(
            "capabilities.instances-missing", "Two instances have nothing in common though it is declared.",
            caughtBy: ["reopen.migrations-once", "reopen.many-times"]
        ) { store in
            let own = StoreMethods(MemorySessionStore())
            let capabilities = store.capabilities
            store = own
            store.capabilities = capabilities
        },
        Saboteur(
            "capabilities.changing", "The capabilities are others after the store was opened again.",
            caughtBy: ["capabilities.same-after-reopen"],
            remembering: Memory(0)
        ) { store, openings in
            let number = openings { openings in
                openings += 1
                return openings
            }
            if number > 1 { store.capabilities.limits.contentBytes = 1 << 20 }
        },
    ]

    /// A store that does something to its data when it is closed.
    private static func reopened(
        _ id: String, _ mistake: String, caughtBy: [String] = [],
        _ alter: @escaping @Sendable (inout MemoryTables, [Session]) throws -> Void
    ) -> Saboteur {
        Saboteur(id, mistake, caughtBy: caughtBy) { store in
            store.close = { [data = store.data] in
                guard let sessions = try? await data.everySession() else { return }
                _ = try? await data.change { try alter(&$0, sessions) }
            }
        }
    }
}
