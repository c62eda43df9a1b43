import AgentSessions
import AgentSessionsConformance
import AgentSessionsMemory

extension Mutant {
    static let repeating: [Mutant] = [
        Mutant(
            "replay.repeats-blindly", "A repeated append is stored wherever its messages are not there.",
            caughtBy: ["replay.repeat-taken-back", "replay.repeat-cut", "faults.append-taken-back"]
        ) { store in
            store.append = { [store] request in
                var request = request
                request.mayBeStored = false
                return try await store.append(request)
            }
        },
        Mutant(
            "replay.repeats-never", "A repeated append whose messages are not there is never stored.",
            caughtBy: ["replay.repeat-lost", "faults.append"]
        ) { store in
            store.append = { [store] request in
                let ids = Set(try await store.data.everyMessage(of: request.sessionID).map(\.id))
                guard request.mayBeStored, !request.messages.contains(where: { ids.contains($0.id) }) else {
                    return try await store.append(request)
                }
                throw StoreError(.outcomeUnknown, "The messages are not there.")
            }
        },
        Mutant(
            "replay.repeats-unsure", "A repeated append that meets another payload is said to be unknown.",
            caughtBy: ["replay.repeat-conflict"]
        ) { store in
            store.append = { [store] request in
                do {
                    return try await store.append(request)
                } catch let error as StoreError where request.mayBeStored && error.code == .conflict {
                    throw StoreError(.outcomeUnknown, "Other messages are there.")
                }
            }
        },
        Mutant(
            "replay.repeats-refused", "A repeated append is refused as a conflict where its messages are there.",
            caughtBy: ["replay.repeat-there"]
        ) { store in
            store.append = { [store] request in
                let result = try await store.append(request)
                guard request.mayBeStored, result.isReplay else { return result }
                throw StoreError(.conflict, "The messages are stored already.")
            }
        },
        Mutant(
            "delete.any-of-the-id", "A deletion takes the session of the id, whenever it was created.",
            caughtBy: ["delete.created-at", "faults.delete-made-again"]
        ) { store in
            store.delete = { [store] id, _ in try await store.delete(id, nil) }
        },
    ]
}
