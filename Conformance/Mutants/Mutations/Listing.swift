import AgentSessions
import AgentSessionsConformance
import AgentSessionsMemory

extension Mutant {
    static let listing: [Mutant] = [
        listing("list.never-empty", "An empty store lists a session that nobody made.", caughtBy: ["list.empty"]) {
            sessions, request in
            guard sessions.isEmpty, let id = try? ULID(bytes: [UInt8](repeating: 1, count: 16)) else {
                return sessions.newestFirst().after(request).page(request)
            }
            return [Session(id: id, actorName: "nobody", createdAt: .earliest, updatedAt: .earliest)]
        },
        listing(
            "list.oldest-first", "The list is oldest first.",
            caughtBy: ["list.limit", "list.newest-first", "list.extreme-bounds"]
        ) { sessions, request in
            sessions.newestFirst().reversed().page(request)
        },
        listing(
            "list.by-id", "The list is in the order of ids.",
            caughtBy: ["list.limit", "list.newest-first", "list.extreme-bounds"]
        ) { sessions, request in
            sessions.sorted { $0.id > $1.id }.after(request).page(request)
        },
        listing(
            "list.ties-oldest-first", "Sessions of one timestamp are listed smallest id first.",
            caughtBy: ["list.ties-by-id", "list.actor-ties"]
        ) {
            sessions, request in
            sessions.sorted { ($1.createdAt, $0.id) < ($0.createdAt, $1.id) }.after(request).page(request)
        },
        listing(
            "list.by-update", "The list is in the order of the last change.",
            caughtBy: ["list.change-keeps-place", "list.ties-by-id", "list.actor-renamed"]
        ) { sessions, request in
            sessions.sorted { $0.updatedAt > $1.updatedAt }.after(request).page(request)
        },
        listing(
            "list.limit-off-by-one", "The list gives one session too many.",
            caughtBy: ["list.limit", "list.offset", "list.filter-then-page"]
        ) { sessions, request in
            var request = request
            request.limit = request.limit.plus(1)
            return sessions.newestFirst().after(request).page(request)
        },
        listing(
            "list.limit-capped", "The list gives at most 100 sessions, whatever the limit.",
            caughtBy: ["list.more-than-a-thousand"]
        ) { sessions, request in
            Array(sessions.newestFirst().after(request).page(request).prefix(100))
        },
        listing(
            "list.offset-ignored", "The list ignores the offset.",
            caughtBy: ["list.offset", "list.limit-bounds", "list.filter-then-page"]
        ) { sessions, request in
            var request = request
            request.offset = 0
            return sessions.newestFirst().after(request).page(request)
        },
        listing(
            "list.offset-before-filter", "The offset counts sessions that the filter leaves out.",
            caughtBy: ["list.filter-then-page", "list.actor-ties"]
        ) {
            sessions, request in
            let rest = sessions.newestFirst().after(request).dropFirst(request.offset)
            return Array(rest.filter(request.filter.includes).prefix(request.limit))
        },
        listing(
            "list.limit-before-filter", "The limit counts sessions that the filter leaves out.",
            caughtBy: ["list.filter-then-page", "list.actor-ties"]
        ) {
            sessions, request in
            let run = sessions.newestFirst().after(request).prefix(request.limit.plus(request.offset))
            return Array(run.filter(request.filter.includes).dropFirst(request.offset))
        },
        filtering(
            "list.actor-ignored", "The filter by actor is ignored.",
            caughtBy: ["list.actor", "list.actor-renamed", "list.filter-then-page"]
        ) { $0.actorName = nil },
        listing(
            "list.actor-prefix", "The filter by actor takes every name that begins with it.",
            caughtBy: ["text.actor-invisible", "text.actor-prefix"]
        ) { sessions, request in
            sessions.newestFirst().after(request).page(request) { $0.hasPrefix($1) }
        },
        listing(
            "list.actor-any-case", "The filter by actor takes capitals for small letters.",
            caughtBy: ["text.actor-case", "text.actor-composition"]
        ) { sessions, request in
            sessions.newestFirst().after(request).page(request) { $0.lowercased() == $1.lowercased() }
        },
        listing(
            "list.actor-canonical", "The filter by actor takes one Unicode form for the other.",
            caughtBy: ["text.actor-composition"]
        ) {
            sessions, request in
            sessions.newestFirst().after(request).page(request) { $0 == $1 }
        },
        listing(
            "list.actor-pattern", "An underscore in the filter by actor stands for any character.",
            caughtBy: ["text.actor-underscore"]
        ) {
            sessions, request in
            sessions.newestFirst().after(request).page(request) { name, wanted in
                name.utf8.count == wanted.utf8.count
                    && zip(name.utf8, wanted.utf8).allSatisfy { $0 == $1 || $1 == UInt8(ascii: "_") }
            }
        },
        filtering(
            "list.created-from-exclusive", "A session created at the first moment is left out.",
            caughtBy: ["list.created-from", "list.before-1970", "list.filter-then-page"]
        ) {
            $0.createdFrom = $0.createdFrom?.advanced(by: 1)
        },
        filtering(
            "list.created-before-inclusive", "A session created at the end is taken in.",
            caughtBy: ["list.empty-range", "list.created-before", "list.before-1970"]
        ) {
            $0.createdBefore = $0.createdBefore?.advanced(by: 1)
        },
        filtering(
            "list.updated-from-exclusive", "A session changed at the first moment is left out.",
            caughtBy: ["list.updated-from", "list.filters-combine"]
        ) {
            $0.updatedFrom = $0.updatedFrom?.advanced(by: 1)
        },
        filtering(
            "list.updated-before-inclusive", "A session changed at the end is taken in.",
            caughtBy: ["list.updated-before"]
        ) {
            $0.updatedBefore = $0.updatedBefore?.advanced(by: 1)
        },
        filtering(
            "list.updated-is-created", "The filter by last change looks at the creation.",
            caughtBy: ["list.updated-before", "list.updated-from", "list.filters-combine"]
        ) {
            $0.createdFrom = $0.updatedFrom ?? $0.createdFrom
            $0.createdBefore = $0.updatedBefore ?? $0.createdBefore
            $0.updatedFrom = nil
            $0.updatedBefore = nil
        },
        filtering("list.one-filter", "Of several filters only the first counts.", caughtBy: ["list.filters-combine"]) {
            filter in
            if filter.actorName != nil {
                filter = SessionFilter(actorName: filter.actorName)
            } else if filter.createdFrom != nil || filter.createdBefore != nil {
                filter.updatedFrom = nil
                filter.updatedBefore = nil
            }
        },
        filtering(
            "list.filters-or", "With a filter by creation, that by actor is dropped.",
            caughtBy: ["list.filters-combine"]
        ) { filter in
            if filter.createdFrom != nil || filter.createdBefore != nil { filter.actorName = nil }
        },
        filtering(
            "list.millisecond-bounds", "Bounds of time are cut to milliseconds.",
            caughtBy: ["list.created-before", "list.created-from", "list.before-1970"]
        ) { filter in
            func cut(_ time: Timestamp?) -> Timestamp? {
                time.flatMap { Timestamp(microseconds: $0.microseconds / 1000 * 1000) }
            }
            filter.createdFrom = cut(filter.createdFrom)
            filter.createdBefore = cut(filter.createdBefore)
            filter.updatedFrom = cut(filter.updatedFrom)
            filter.updatedBefore = cut(filter.updatedBefore)
        },
        Mutant(
            "list.actor-index-stale", "A renamed session is found under its first name.",
            caughtBy: ["list.actor-renamed", "list.whole-sessions"],
            remembering: Memory<[ULID: Session]>([:])
        ) { store, first in
            store.rememberCreations(in: first)
            store.list = { [data = store.data] request in
                let first = first { $0 }
                return try await data.everySession().newestFirst().after(request).filter { session in
                    var old = session
                    old.actorName = first[session.id]?.actorName ?? session.actorName
                    return request.filter.includes(old)
                }.dropFirst(request.offset).prefix(request.limit).map { $0 }
            }
        },
        Mutant(
            "list.rows-of-creation", "The list shows sessions as they were created.",
            caughtBy: ["list.whole-sessions", "list.filters-combine"],
            remembering: Memory<[ULID: Session]>([:])
        ) { store, first in
            store.rememberCreations(in: first)
            store.list = { [store] request in
                let first = first { $0 }
                return try await store.list(request).map { first[$0.id] ?? $0 }
            }
        },
        listing("list.without-metadata", "The list leaves metadata out.", caughtBy: ["list.whole-sessions"]) {
            sessions, request in
            sessions.newestFirst().after(request).page(request).map { session in
                var session = session
                session.metadata = JSONObject()
                return session
            }
        },
        listing(
            "list.skips-empty", "The list leaves out sessions without messages.",
            caughtBy: ["list.newest-first", "list.extreme-bounds", "list.microseconds"]
        ) { sessions, request in
            let filled = sessions.filter { $0.messageCount > 0 || !$0.metadata.isEmpty || request.limit < 1000 }
            return filled.newestFirst().after(request).page(request)
        },
    ]

    static let cursors: [Mutant] = [
        listing(
            "cursor.ties-skipped", "A cursor goes on after all sessions of its timestamp.",
            caughtBy: ["cursor.filter-ties", "cursor.ties"]
        ) { sessions, request in
            sessions.newestFirst().filter { session in
                request.after.map { session.createdAt < $0.createdAt } ?? true
            }.page(request)
        },
        listing(
            "cursor.ties-repeated", "A cursor begins again with the sessions of its timestamp.",
            caughtBy: ["cursor.between", "cursor.filter-ties", "cursor.ties"]
        ) {
            sessions, request in
            sessions.newestFirst().filter { session in
                request.after.map { session.createdAt <= $0.createdAt && session.id != $0.id } ?? true
            }.page(request)
        },
        listing(
            "cursor.inclusive", "A cursor gives its own session again.",
            caughtBy: ["cursor.end", "cursor.next", "cursor.walk"]
        ) { sessions, request in
            sessions.newestFirst().filter { session in
                request.after.map { session.position <= $0 } ?? true
            }.page(request)
        },
        listing(
            "cursor.both-smaller", "A cursor compares time and id each for itself.",
            caughtBy: ["cursor.walk"]
        ) { sessions, request in
            sessions.newestFirst().filter { session in
                request.after.map { session.createdAt <= $0.createdAt && session.id < $0.id } ?? true
            }.page(request)
        },
        listing(
            "cursor.needs-its-session", "A cursor whose session was deleted gives nothing.",
            caughtBy: ["cursor.between", "cursor.deleted"]
        ) { sessions, request in
            guard let after = request.after else { return sessions.newestFirst().page(request) }
            guard sessions.contains(where: { $0.position == after }) else { return [] }
            return sessions.newestFirst().after(request).page(request)
        },
        listing(
            "cursor.starts-over", "A cursor whose session was deleted gives the first page again.",
            caughtBy: ["cursor.between", "cursor.deleted"]
        ) {
            sessions, request in
            guard let after = request.after, sessions.contains(where: { $0.position == after }) else {
                return sessions.newestFirst().page(request)
            }
            return sessions.newestFirst().after(request).page(request)
        },
        listing(
            "cursor.drops-filter", "After a cursor the filter by actor is forgotten.",
            caughtBy: ["cursor.filter", "cursor.filter-ties"]
        ) { sessions, request in
            var request = request
            if request.after != nil { request.filter.actorName = nil }
            return sessions.newestFirst().after(request).page(request)
        },
        listing("cursor.drops-offset", "After a cursor the offset is forgotten.", caughtBy: ["cursor.offset"]) {
            sessions, request in
            var request = request
            if request.after != nil { request.offset = 0 }
            return sessions.newestFirst().after(request).page(request)
        },
        listing(
            "cursor.by-update", "A cursor compares with the last change.",
            caughtBy: ["cursor.ties", "cursor.updated-filter"]
        ) { sessions, request in
            sessions.newestFirst().filter { session in
                request.after.map { SessionPosition(createdAt: session.updatedAt, id: session.id) < $0 } ?? true
            }.page(request)
        },
        Mutant(
            "cursor.counts", "A cursor is kept as a number of sessions from the newest.",
            caughtBy: ["cursor.end", "cursor.newer-unseen", "cursor.between"],
            remembering: Memory<[SessionPosition: Int]>([:])
        ) { store, places in
            store.list = { [data = store.data] request in
                let sessions = try await data.everySession().newestFirst().filter(request.filter.includes)
                let start = places { places in request.after.flatMap { places[$0] } ?? 0 } + request.offset
                let page = Array(sessions.dropFirst(start).prefix(request.limit))
                places { places in
                    for (index, session) in page.enumerated() { places[session.position] = start + index + 1 }
                }
                return page
            }
        },
    ]

    /// A list that is made from all sessions.
    private static func listing(
        _ id: String, _ mistake: String, caughtBy: [String] = [],
        _ page: @escaping @Sendable ([Session], SessionListRequest) -> [Session]
    ) -> Mutant {
        Mutant(id, mistake, caughtBy: caughtBy) { store in
            store.list = { [data = store.data] in page(try await data.everySession(), $0) }
        }
    }

    /// A list whose filter is misread.
    private static func filtering(
        _ id: String, _ mistake: String, caughtBy: [String] = [],
        _ alter: @escaping @Sendable (inout SessionFilter) -> Void
    ) -> Mutant {
        Mutant(id, mistake, caughtBy: caughtBy) { store in
            store.list = { [store] request in
                var request = request
                alter(&request.filter)
                return try await store.list(request)
            }
        }
    }
}

extension [Session] {
    /// A page whose filter by actor is `matches(name, wanted)`.
    fileprivate func page(_ request: SessionListRequest, _ matches: (String, String) -> Bool) -> [Session] {
        var request = request
        let wanted = request.filter.actorName
        request.filter.actorName = nil
        return filter { session in wanted.map { matches(session.actorName, $0) } ?? true }.page(request)
    }
}
