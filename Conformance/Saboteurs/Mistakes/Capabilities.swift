import AgentSessions
import AgentSessionsConformance
import AgentSessionsMemory

extension Saboteur {
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
}
