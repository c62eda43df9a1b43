import AgentSessions
import AgentSessionsConformance
import AgentSessionsMemory

extension Mutant {
    static let creation: [Mutant] = [
        Mutant(
            "create.overwrites", "Creating a session whose id is taken replaces it.",
            caughtBy: ["create.id-taken", "create.id-taken-by-equal", "create.race"]
        ) { store in
            store.create = { [data = store.data] new in
                try await data.change { tables in
                    if let old = try tables.session(new.id) { try tables.remove(old) }
                    try tables.insert(new.session)
                    return new.session
                }
            }
        },
        Mutant(
            "create.gives-existing", "Creating a session whose id is taken gives the old one.",
            caughtBy: ["create.id-taken", "create.id-taken-by-equal", "create.race"]
        ) {
            store in
            store.create = { [store] new in
                if let old = try await store.get(new.id) { return old }
                return try await store.create(new)
            }
        },
        Mutant(
            "create.ignores-id", "A created session gets an id of the store's making.",
            caughtBy: ["create.fields", "create.time-as-given", "create.id-taken"]
        ) { store in
            let generator = ULIDGenerator()
            store.create = { [store] new in
                try await store.create(
                    NewSession(
                        id: try generator.next(), actorName: new.actorName, metadata: new.metadata,
                        createdAt: new.createdAt))
            }
        },
        Mutant(
            "create.own-clock", "A session is created at the time of the store's clock.",
            caughtBy: ["create.time-as-given"]
        ) { store in
            store.create = { [store] new in
                try await store.create(
                    NewSession(id: new.id, actorName: new.actorName, metadata: new.metadata, createdAt: .now()))
            }
        },
        Mutant("create.drops-metadata", "Creating a session forgets its metadata.", caughtBy: ["create.fields"]) {
            store in
            store.create = { [store] new in
                _ = try await store.create(
                    NewSession(id: new.id, actorName: new.actorName, createdAt: new.createdAt))
                return new.session
            }
        },
        Mutant(
            "create.checks-outside", "Whether an id is taken is looked up before the transaction.",
            caughtBy: ["create.race"]
        ) {
            store in
            store.create = { [store] new in
                guard try await store.get(new.id) == nil else { throw StoreError.sessionExists(new.id) }
                await roundTrip()
                return try await store.data.change { tables in
                    if let old = try tables.session(new.id) { try tables.remove(old) }
                    try tables.insert(new.session)
                    return new.session
                }
            }
        },
        Mutant(
            "create.one-session-an-actor", "An actor's second session takes the place of the first.",
            caughtBy: ["create.same-actor", "create.id-taken-by-equal"]
        ) { store in
            store.create = { [store] new in
                for old in try await store.data.everySession() where old.actorName == new.actorName {
                    _ = try await store.delete(old.id, nil)
                }
                return try await store.create(new)
            }
        },
        Mutant(
            "create.get-nearest", "A session that is absent is read as the next one by id.",
            caughtBy: ["create.get-absent", "create.get-neighbour"]
        ) {
            store in
            store.get = { [store] id in
                if let found = try await store.get(id) { return found }
                return try await store.data.everySession().map(\.id).sorted().first { $0 > id }
                    .asyncFlatMap { try await store.get($0) }
            }
        },
    ]

    static let identity: [Mutant] = [
        Mutant(
            "identity.high-bit-lost", "The first bit of an id is lost, as in a signed column.",
            caughtBy: ["identity.id-not-made-up", "identity.extreme-ids"]
        ) {
            store in
            store.get = { [store] id in try await store.get(id).map { $0.with(id: id.withoutFirstBit) } }
            store.alterIDs { $0.withoutFirstBit }
        },
        Mutant("identity.signed-order", "Ids are compared as signed numbers.", caughtBy: ["identity.extreme-ids"]) {
            store in
            store.list = { [store] request in
                try await store.data.everySession()
                    .sorted { $0.createdAt == $1.createdAt ? $0.id.signed > $1.id.signed : $0.createdAt > $1.createdAt }
                    .filter { session in
                        guard let after = request.after else { return true }
                        return session.createdAt == after.createdAt
                            ? session.id.signed < after.id.signed : session.createdAt < after.createdAt
                    }
                    .page(request)
            }
        },
        Mutant(
            "identity.milliseconds", "Times are kept in milliseconds.",
            caughtBy: [
                "identity.revision-is-time", "identity.revision-clock-microsecond", "identity.revision-clock-back",
            ]
        ) { store in
            store.alterTimes { Timestamp(microseconds: $0.microseconds / 1000 * 1000) ?? $0 }
        },
        Mutant("identity.nothing-before-1970", "Times before 1970 are kept as 1970.", caughtBy: ["list.before-1970"]) {
            store in
            store.alterTimes { max($0, Timestamp(microseconds: 0) ?? $0) }
        },
        Mutant(
            "identity.nothing-after-2262", "Times are kept as 64 bits of nanoseconds.", caughtBy: ["list.before-1970"]
        ) { store in
            store.alterTimes { time in
                Timestamp(microseconds: time.microseconds.multipliedReportingOverflow(by: 1000).partialValue / 1000)
                    ?? time
            }
        },
        Mutant(
            "identity.revision-is-clock", "updated_at is what the clock shows, though it went back.",
            caughtBy: ["identity.revision-clock-back", "identity.revision-clock-stands", "identity.revision-successor"]
        ) { store in
            store.update = { [data = store.data] id, change in
                try await data.change { tables in
                    guard let session = try tables.session(id) else { throw StoreError.sessionNotFound(id) }
                    var changed = try change.apply(to: session)
                    changed.updatedAt = change.time
                    try tables.replace(session, with: changed)
                    return changed
                }
            }
        },
        Mutant(
            "identity.append-revision-is-clock", "An append sets updated_at to the clock, though it went back.",
            caughtBy: ["identity.revision-clock-back", "identity.revision-clock-stands", "identity.revision-successor"]
        ) { store in
            store.append = { [store] request in
                let result = try await store.append(request)
                guard !result.isReplay else { return result }
                try await store.data.changeSession(request.sessionID) { $0.updatedAt = request.time }
                return result
            }
        },
        Mutant(
            "identity.revision-of-server", "updated_at is the store's own time, not that of the change.",
            caughtBy: ["identity.revision-is-time", "identity.revision-successor"]
        ) { store in
            store.update = { [store] id, change in
                var change = change
                change.time = .now()
                return try await store.update(id, change)
            }
        },
        Mutant(
            "identity.revision-skips", "A change under a clock that stands raises updated_at by a millisecond.",
            caughtBy: ["identity.revision-successor"]
        ) { store in
            store.update = { [store] id, change in
                var change = change
                if let found = try await store.get(id), found.updatedAt >= change.time {
                    change.time = found.updatedAt.advanced(by: 1000)
                }
                return try await store.update(id, change)
            }
        },
        Mutant(
            "identity.get-touches", "Reading a session moves its updated_at.",
            caughtBy: ["identity.reads-change-nothing", "identity.revision-successor"]
        ) { store in
            store.get = { [store] id in
                guard let found = try await store.get(id) else { return nil }
                try await store.data.changeSession(id) { $0.updatedAt = $0.updatedAt.advanced(by: 1) }
                return found
            }
        },
        Mutant(
            "identity.created-moves", "Every change moves created_at too.", caughtBy: ["identity.created-at-stays"]
        ) { store in
            store.update = { [store] id, change in
                let changed = try await store.update(id, change)
                try await store.data.change { tables in
                    guard let session = try tables.session(id) else { return }
                    let moved = session.with(createdAt: session.updatedAt)
                    let messages = try tables.messages(
                        MessageRequest(sessionID: id, range: .after(0), limit: .max), of: session)
                    try tables.remove(session)
                    try tables.insert(moved)
                    try tables.insert(messages)
                }
                return changed
            }
        },
    ]
}

extension ULID {
    fileprivate var withoutFirstBit: ULID {
        var bytes = bytes
        bytes[0] &= 0x7F
        return (try? ULID(bytes: bytes)) ?? self
    }

    /// As two signed numbers, the first of which decides.
    fileprivate var signed: SignedID {
        let words = bytes.reduce(into: [UInt8]()) { $0.append($1) }
        return SignedID(
            high: words[..<8].reduce(Int64(0)) { $0 << 8 | Int64($1) },
            low: words[8...].reduce(Int64(0)) { $0 << 8 | Int64($1) })
    }
}

private struct SignedID: Comparable {
    let high: Int64
    let low: Int64

    static func < (left: SignedID, right: SignedID) -> Bool {
        (left.high, left.low) < (right.high, right.low)
    }
}

extension Optional {
    fileprivate func asyncFlatMap<Result>(_ body: (Wrapped) async throws -> Result?) async rethrows -> Result? {
        guard let self else { return nil }
        return try await body(self)
    }
}
