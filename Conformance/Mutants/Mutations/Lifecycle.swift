import AgentSessions
import AgentSessionsConformance

extension Mutant {
    static let lifecycle: [Mutant] = [
        Mutant(
            "lifecycle.works-closed", "A closed store goes on working.",
            caughtBy: [
                "lifecycle.closed-append", "lifecycle.closed-create", "lifecycle.closed-delete",
                "lifecycle.closed-settings", "lifecycle.closed-migrations", "lifecycle.closed-checks",
            ]
        ) { store in
            store.errorWhenClosed = nil
        },
        Mutant(
            "lifecycle.reads-closed", "A closed store still reads.",
            caughtBy: ["lifecycle.close-at-once", "lifecycle.close-twice", "lifecycle.closed-get"],
            remembering: Memory(false)
        ) { store, closed in
            store.errorWhenClosed = nil
            store.close = { closed { $0 = true } }
            let refuse: @Sendable () throws -> Void = {
                if closed({ $0 }) { throw StoreError.storeClosed(backend: MutantStore.name) }
            }
            store.create = { [store] new in
                try refuse()
                return try await store.create(new)
            }
            store.update = { [store] id, change in
                try refuse()
                return try await store.update(id, change)
            }
            store.delete = { [store] id, createdAt in
                try refuse()
                return try await store.delete(id, createdAt)
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
            store.replace = { [store] session, source, expected in
                try refuse()
                try await store.replace(session, source, expected)
            }
        },
        Mutant(
            "lifecycle.unavailable-closed", "A closed store says that it is unavailable.",
            caughtBy: ["lifecycle.closed-append", "lifecycle.closed-create", "lifecycle.closed-delete"]
        ) { store in
            store.errorWhenClosed = StoreError(.unavailable, "The connection was closed.")
        },
        Mutant(
            "lifecycle.empty-closed", "A closed store says that everything is absent.",
            caughtBy: ["lifecycle.closed-append", "lifecycle.closed-create", "lifecycle.closed-delete"]
        ) { store in
            store.errorWhenClosed = StoreError(.notFound, "There is no such session.")
        },
        Mutant(
            "lifecycle.display-name", "The backend's name is one for people, which no store URL can begin with.",
            caughtBy: ["lifecycle.own-name"]
        ) { store in
            store.backendName = "My Store"
        },
        Mutant(
            "lifecycle.settings-without-engine", "The settings do not name the engine.",
            caughtBy: ["capabilities.settings"]
        ) { store in
            store.effectiveSettings = { [] }
        },
        Mutant(
            "lifecycle.no-migrations", "The store says that it has no migrations.", caughtBy: ["reopen.migrations"]
        ) { store in
            store.migrations = { [] }
        },
        Mutant(
            "lifecycle.migrations-backwards", "The migrations are told last first.", caughtBy: ["reopen.migrations"]
        ) { store in
            store.migrations = { [store] in try await store.migrations().reversed() }
        },
        Mutant(
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
        Mutant(
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
}
