import AgentSessions
import AgentSessionsConformance
import AgentSessionsMemory

extension Mutant {
    static let capabilities: [Mutant] = [
        Mutant(
            "capabilities.reopen-undeclared", "The store can be opened again and does not say so.",
            caughtBy: ["capabilities.durability", "capabilities.durability-unclosed", "capabilities.undeclared"]
        ) {
            store in store.capabilities.abilities.remove(.reopen)
        },
        Mutant(
            "capabilities.instances-undeclared", "The store can be opened twice and does not say so.",
            caughtBy: ["reopen.race", "capabilities.undeclared"]
        ) { store in
            store.capabilities.abilities.remove(.multipleInstances)
        },
        Mutant(
            "capabilities.instances-missing", "Two instances have nothing in common though it is declared.",
            caughtBy: ["reopen.migrations-once", "reopen.many-times"]
        ) { store in
            let own = StoreMethods(MemorySessionStore())
            let capabilities = store.capabilities
            store = own
            store.capabilities = capabilities
        },
        Mutant(
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
        Mutant(
            "capabilities.crash-without-reopen", "The store declares to survive a crash, and not to be opened again.",
            caughtBy: ["capabilities.consistent"]
        ) { store in
            store.capabilities.durability = .processCrash
            store.capabilities.abilities.remove(.reopen)
        },
        Mutant(
            "capabilities.processes-without-instances",
            "The store declares to be shared by processes, and not to be opened twice.",
            caughtBy: ["capabilities.consistent"]
        ) { store in
            store.capabilities.scope = .many
            store.capabilities.abilities.remove(.multipleInstances)
        },
        Mutant(
            "capabilities.saved-on-close",
            "What is acknowledged is written when the store is closed, though it is declared to survive a crash.",
            caughtBy: ["capabilities.durability-unclosed"]
        ) { store in
            let (disk, memory) = (store.data, MemorySessionStore())
            var capabilities = store.capabilities
            capabilities.durability = .processCrash
            store = StoreMethods(memory)
            store.capabilities = capabilities
            store.open = { try await memory.replaceAll(by: disk) }
            store.close = { try? await disk.replaceAll(by: memory) }
        },
    ]
}

extension MemorySessionStore {
    /// Takes over what another store holds, in place of what this one held.
    fileprivate func replaceAll(by other: MemorySessionStore) async throws {
        var held: [(session: Session, messages: [SessionMessage])] = []
        for session in try await other.everySession() {
            held.append((session, try await other.everyMessage(of: session.id)))
        }
        try await change { [held] tables in
            for session in try tables.sessions(SessionListRequest(limit: .max)) { try tables.remove(session) }
            for (session, messages) in held {
                try tables.insert(session)
                try tables.insert(messages)
            }
        }
    }
}
