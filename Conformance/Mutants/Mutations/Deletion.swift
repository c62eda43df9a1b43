import AgentSessions
import AgentSessionsConformance
import AgentSessionsMemory

extension Mutant {
    static let deletion: [Mutant] = [
        Mutant(
            "delete.leaves-messages", "The messages of a deleted session stay, for a session of the same id.",
            caughtBy: ["delete.messages", "delete.long"], remembering: Memory<[ULID: [SessionMessage]]>([:])
        ) { store, left in
            store.delete = { [store] id, createdAt in
                let messages = try await store.data.everyMessage(of: id)
                let existed = try await store.delete(id, createdAt)
                left { $0[id] = messages }
                return existed
            }
            store.messages = { [store] request in
                guard let page = try await store.messages(request), page.session.messageCount == 0,
                    let old = left({ $0[request.sessionID] })
                else { return try await store.messages(request) }
                return MessagePage(session: page.session, messages: Array(old.prefix(request.limit)))
            }
        },
        Mutant(
            "delete.leaves-message-ids", "The ids of a deleted session's messages are remembered as stored.",
            caughtBy: ["delete.message-ids"], remembering: Memory<[ULID: [SessionMessage]]>([:])
        ) { store, left in
            store.delete = { [store] id, createdAt in
                let messages = try await store.data.everyMessage(of: id)
                let existed = try await store.delete(id, createdAt)
                left { $0[id, default: []] += messages }
                return existed
            }
            store.append = { [store] request in
                let old = left { $0[request.sessionID] ?? [] }
                let found = old.filter { message in request.messages.contains { $0.id == message.id } }
                guard found.isEmpty else { return AppendResult(messages: found, isReplay: true) }
                return try await store.append(request)
            }
        },
        Mutant(
            "delete.true-for-absent", "Deleting an absent session says that there was one.",
            caughtBy: ["delete.absent", "delete.twice"]
        ) {
            store in
            store.delete = { [store] id, createdAt in
                _ = try await store.delete(id, createdAt)
                return true
            }
        },
        Mutant(
            "delete.says-absent", "Deleting a session says that there was none.",
            caughtBy: ["delete.twice", "delete.gone"]
        ) { store in
            store.delete = { [store] id, createdAt in
                _ = try await store.delete(id, createdAt)
                return false
            }
        },
        Mutant(
            "delete.stays-listed", "A deleted session stays in the list.",
            caughtBy: ["delete.changes-refused", "delete.list-entries", "delete.others"],
            remembering: Memory<[Session]>([])
        ) { store, left in
            store.delete = { [store] id, createdAt in
                if let session = try await store.get(id) { left { $0.append(session) } }
                return try await store.delete(id, createdAt)
            }
            store.list = { [data = store.data] request in
                (try await data.everySession() + left { $0 }).newestFirst().after(request).page(request)
            }
        },
        Mutant(
            "delete.stays-under-actor", "A deleted session stays in the index of actors.",
            caughtBy: ["delete.list-entries", "delete.gone"],
            remembering: Memory<[Session]>([])
        ) { store, left in
            store.delete = { [store] id, createdAt in
                if let session = try await store.get(id) { left { $0.append(session) } }
                return try await store.delete(id, createdAt)
            }
            store.list = { [data = store.data] request in
                let gone = request.filter.actorName == nil ? [] : left { $0 }
                return (try await data.everySession() + gone).newestFirst().after(request).page(request)
            }
        },
        Mutant(
            "delete.id-stays-taken", "The id of a deleted session stays taken.",
            caughtBy: ["delete.list-entries", "delete.messages", "delete.usage"],
            remembering: Memory<Set<ULID>>([])
        ) { store, gone in
            store.delete = { [store] id, createdAt in
                let existed = try await store.delete(id, createdAt)
                if existed { gone { _ = $0.insert(id) } }
                return existed
            }
            store.create = { [store] new in
                guard !gone({ $0.contains(new.id) }) else { throw StoreError.sessionExists(new.id) }
                return try await store.create(new)
            }
        },
        Mutant("delete.takes-the-actors", "Deleting a session deletes all of its actor.", caughtBy: ["delete.others"]) {
            store in
            store.delete = { [store] id, createdAt in
                guard let session = try await store.get(id) else { return false }
                for other in try await store.data.everySession() where other.actorName == session.actorName {
                    _ = try await store.delete(other.id, nil)
                }
                return true
            }
        },
        Mutant(
            "delete.takes-same-message-ids", "Deleting takes messages of the same ids from other sessions too.",
            caughtBy: ["delete.others"]
        ) { store in
            store.delete = { [store] id, createdAt in
                let ids = Set(try await store.data.everyMessage(of: id).map(\.id))
                let existed = try await store.delete(id, createdAt)
                for other in try await store.data.everySession() {
                    let messages = try await store.data.everyMessage(of: other.id)
                    guard let first = messages.first(where: { ids.contains($0.id) }) else { continue }
                    try await store.data.change { tables in
                        try tables.removeMessages(of: other, after: first.sequence - 1)
                        var changed = other
                        changed.messageCount = first.sequence - 1
                        try tables.replace(other, with: changed)
                    }
                }
                return existed
            }
        },
        Mutant(
            "delete.leaves-usage", "A session of the id of a deleted one begins with its usage.",
            caughtBy: ["delete.usage"],
            remembering: Memory<[ULID: TokenUsage]>([:])
        ) { store, left in
            store.delete = { [store] id, createdAt in
                if let session = try await store.get(id) { left { $0[id] = session.usage } }
                return try await store.delete(id, createdAt)
            }
            store.create = { [store] new in
                let made = try await store.create(new)
                if let usage = left({ $0[new.id] }) {
                    try await store.data.changeSession(new.id) { $0.usage = usage }
                }
                return made
            }
        },
        Mutant(
            "delete.still-readable", "The messages of a deleted session can be read on.", caughtBy: ["delete.gone"],
            remembering: Memory<[ULID: MessagePage]>([:])
        ) { store, left in
            store.delete = { [store] id, createdAt in
                let page = try await store.messages(MessageRequest(sessionID: id, range: .after(0), limit: .max))
                if let page { left { $0[id] = page } }
                return try await store.delete(id, createdAt)
            }
            store.messages = { [store] request in
                try await store.messages(request) ?? left { $0[request.sessionID] }
            }
        },
        Mutant(
            "delete.append-revives", "An append to a deleted session brings it back.",
            caughtBy: ["delete.changes-refused"],
            remembering: Memory<[ULID: Session]>([:])
        ) { store, gone in
            store.delete = { [store] id, createdAt in
                if let session = try await store.get(id) { gone { $0[id] = session } }
                return try await store.delete(id, createdAt)
            }
            store.append = { [store] request in
                if try await store.get(request.sessionID) == nil, let old = gone({ $0[request.sessionID] }) {
                    _ = try await store.create(
                        NewSession(id: old.id, actorName: old.actorName, createdAt: old.createdAt))
                }
                return try await store.append(request)
            }
        },
    ]
}
