import AgentSessions

extension Scenario {
    /// A call, on a session that is there.
    typealias Call = @Sendable (StoreAccess, ULID) async throws(StoreError) -> Void

    /// Every call of a store.
    static let operations: [(String, Call)] = [
        ("create", { access, _ throws(StoreError) in _ = try await access.create() }),
        ("get", { access, id throws(StoreError) in _ = try await access.get(id) }),
        ("list", { access, _ throws(StoreError) in _ = try await access.list() }),
        ("update", { access, id throws(StoreError) in _ = try await access.update(id, actorName: "b") }),
        (
            "usage",
            { access, id throws(StoreError) in _ = try await access.addUsage(TokenUsage(inputTokens: 1), to: id) }
        ),
        ("delete", { access, id throws(StoreError) in _ = try await access.delete(id) }),
        ("append", { access, id throws(StoreError) in _ = try await access.append([turn(1)], to: id) }),
        ("messages", { access, id throws(StoreError) in _ = try await access.page(id) }),
        ("rewind", { access, id throws(StoreError) in _ = try await access.rewind(id, to: 0) }),
        (
            "restore",
            { access, _ throws(StoreError) in
                let time = access.clock.next()
                let session = Session(id: access.newID(), actorName: "a", createdAt: time, updatedAt: time)
                try await access.store.restore(session, messages: ListedMessages([]))
            }
        ),
        (
            "replace",
            { access, id throws(StoreError) in
                // A store that was closed cannot tell what is to be replaced, and is asked to all the same.
                let there = try? await access.store.get(id)
                let time = access.clock.next()
                let next = Session(id: id, actorName: "b", createdAt: there?.createdAt ?? time, updatedAt: time)
                try await access.store.replace(
                    next, messages: ListedMessages([]), expectedRevision: there?.revision ?? time)
            }
        ),
    ]
}
