import AgentSessions
import AgentSessionsConformance
import AgentSessionsMemory

extension Mutant {
    static let copying: [Mutant] = [
        Mutant(
            "copy.forgets", "A store says that it keeps records of copies, and keeps none.",
            caughtBy: ["copy.record", "copy.record-with-session", "copy.again", "copy.kept"]
        ) { store in
            store.copyRecord = { _ in nil }
        },
        Mutant(
            "copy.first-record", "The record of the first copy stays when a session is replaced.",
            caughtBy: ["copy.record"], remembering: Memory<[ULID: CopyRecord]>([:])
        ) { store, first in
            store.copyRecord = { [store] id in
                guard let record = try await store.copyRecord(id) else { return nil }
                return first { first in
                    first[id] = first[id] ?? record
                    return first[id]
                }
            }
        },
        Mutant(
            "copy.follows", "The record of a copy follows the session through its changes.",
            caughtBy: ["copy.record", "copy.changed-in-target"]
        ) { store in
            store.copyRecord = { [store] id in
                guard let record = try await store.copyRecord(id), let now = try await store.get(id) else { return nil }
                return CopyRecord(source: record.source, revision: now.revision)
            }
        },
        Mutant(
            "copy.one-source", "All records name the source of the last copy.",
            caughtBy: ["copy.several-sources"], remembering: Memory<ULID?>(nil)
        ) { store, last in
            let note: @Sendable (any MessageSource) -> Void = { source in
                if let from = source.copiedFrom { last { $0 = from } }
            }
            store.restore = { [store] session, source in
                try await store.restore(session, source)
                note(source)
            }
            store.replace = { [store] session, source, expected in
                try await store.replace(session, source, expected)
                note(source)
            }
            store.copyRecord = { [store] id in
                try await store.copyRecord(id).map {
                    CopyRecord(source: last { $0 } ?? $0.source, revision: $0.revision)
                }
            }
        },
        Mutant(
            "copy.record-first", "The record of a copy is kept before the session is.",
            caughtBy: ["copy.record-with-session"], remembering: Memory<[ULID: CopyRecord]>([:])
        ) { store, records in
            let note: @Sendable (Session, any MessageSource) -> Void = { session, source in
                guard let from = source.copiedFrom else { return }
                records { $0[session.id] = CopyRecord(source: from, revision: session.revision) }
            }
            store.restore = { [store] session, source in
                note(session, source)
                try await store.restore(session, source)
            }
            store.replace = { [store] session, source, expected in
                note(session, source)
                try await store.replace(session, source, expected)
            }
            store.copyRecord = { id in records { $0[id] } }
        },
        Mutant(
            "copy.outlives", "The record of a copy outlives its session.", caughtBy: ["copy.record-with-session"],
            remembering: Memory<[ULID: CopyRecord]>([:])
        ) { store, left in
            store.delete = { [store] id, createdAt in
                let record = try await store.copyRecord(id)
                let existed = try await store.delete(id, createdAt)
                if let record { left { $0[id] = record } }
                return existed
            }
            store.copyRecord = { [store] id in try await store.copyRecord(id) ?? left { $0[id] } }
        },
        Mutant(
            "copy.until-closed", "Records of copies are gone after the store was opened again.",
            caughtBy: ["copy.kept"],
            remembering: Memory<Set<ULID>>([])
        ) { store, gone in
            store.close = { [data = store.data] in
                let ids = ((try? await data.everySession()) ?? []).map(\.id)
                gone { $0.formUnion(ids) }
            }
            store.copyRecord = { [store] id in gone { $0.contains(id) } ? nil : try await store.copyRecord(id) }
        },
        Mutant(
            "copy.same-id", "All stores have one id.", caughtBy: ["copy.store-id"]
        ) { store in
            store.storeID = { ULID(high: 1, low: 1) }
        },
    ]
}
