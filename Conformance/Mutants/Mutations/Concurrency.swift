import AgentSessions
import AgentSessionsConformance
import AgentSessionsThreads

extension Mutant {
    static let concurrency: [Mutant] = [
        Mutant(
            "concurrency.cancelled-after-commit", "A cancelled task is told cancelled though its append is stored.",
            caughtBy: ["concurrency.cancelled-append"]
        ) { store in
            store.append = { [store] request in
                let result = try await store.append(request)
                guard !Task.isCancelled else { throw StoreError(.cancelled, "The task was cancelled.") }
                return result
            }
        },
        Mutant(
            "concurrency.cancelled-torn", "A cancelled task leaves half of its batch.",
            caughtBy: ["concurrency.cancelled-append"]
        ) { store in
            store.append = { [store] request in
                guard Task.isCancelled, request.messages.count > 1 else { return try await store.append(request) }
                _ = try await store.append(request.with(messages: [request.messages[0]]))
                throw StoreError(.cancelled, "The task was cancelled.")
            }
        },
        Mutant(
            "concurrency.cancelled-update", "A cancelled task is told cancelled though its update is stored.",
            caughtBy: ["concurrency.cancelled-update"]
        ) { store in
            store.update = { [store] id, change in
                let changed = try await store.update(id, change)
                guard !Task.isCancelled else { throw StoreError(.cancelled, "The task was cancelled.") }
                return changed
            }
        },
        Mutant(
            "concurrency.cancelled-create", "A cancelled task is told cancelled though its session is stored.",
            caughtBy: ["concurrency.cancelled-create"]
        ) { store in
            store.create = { [store] new in
                let made = try await store.create(new)
                guard !Task.isCancelled else { throw StoreError(.cancelled, "The task was cancelled.") }
                return made
            }
        },
        Mutant(
            "concurrency.cancelled-rewind", "A cancelled task is told cancelled though its rewind is stored.",
            caughtBy: ["concurrency.cancelled-rewind"]
        ) { store in
            store.rewind = { [store] id, request in
                let session = try await store.rewind(id, request)
                guard !Task.isCancelled else { throw StoreError(.cancelled, "The task was cancelled.") }
                return session
            }
        },
        Mutant(
            "concurrency.cancelled-delete", "A cancelled task is told cancelled though its session is gone.",
            caughtBy: ["concurrency.cancelled-delete"]
        ) { store in
            store.delete = { [store] id, createdAt in
                let existed = try await store.delete(id, createdAt)
                guard !Task.isCancelled else { throw StoreError(.cancelled, "The task was cancelled.") }
                return existed
            }
        },
        Mutant(
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
        Mutant(
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
        Mutant(
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
        Mutant(
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
        Mutant(
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
        Mutant(
            "concurrency.blocks", "An append waits for its disk on its caller's thread.",
            caughtBy: ["concurrency.threads"]
        ) { store in
            store.append = { [store] request in
                WorkerThread.pause(.milliseconds(1))
                return try await store.append(request)
            }
        },
    ]
}
