import AgentSessions

extension Scenario {
    static let cancellation: [Scenario] = [
        cancelled("create", "creation") { access, session in
            _ = try await access.create("cancelled", id: session.cancelledID)
        },
        cancelled("update", "update") { access, session in
            _ = try await access.update(session.id, actorName: "cancelled", metadata: ["cancelled": true])
        },
        cancelled("usage", "increment of usage") { access, session in
            _ = try await access.addUsage(TokenUsage(inputTokens: 1), to: session.id)
        },
        cancelled("append", "append of a batch") { access, session in
            _ = try await access.append([turn(4), turn(5), turn(6)], to: session.id)
        },
        cancelled("rewind", "rewind") { access, session in _ = try await access.rewind(session.id, to: 1) },
        cancelled("delete", "deletion") { access, session in _ = try await access.delete(session.id) },
        cancelled("restore", "restore") { access, session in
            let restored = Session(
                id: session.cancelledID, actorName: "cancelled", createdAt: session.createdAt,
                updatedAt: session.updatedAt)
            try await access.store.restore(restored, messages: ListedMessages([]))
        },
    ]

    /// A change by a task that is cancelled: before the call, and at some moment of it.
    private static func cancelled(
        _ name: String, _ what: String,
        _ change: @escaping @Sendable (StoreAccess, Session) async throws -> Void
    ) -> Scenario {
        Scenario(
            "concurrency.cancelled-\(name)", .concurrency, "3.13",
            "A cancelled task learns what became of its \(what): it is there and the call returns, or the error is "
                + "cancelled and nothing is."
        ) { test in
            for round in 0..<8 {
                let session = try await test.session(messages: 3)
                let before = try await test.moment(of: session)
                let access = test.access
                let task = Task {
                    if round == 0 { withUnsafeCurrentTask { $0?.cancel() } }
                    try await change(access, session)
                }
                for _ in 0..<round { await Task.yield() }
                task.cancel()
                let result = await task.result
                let after = try await test.moment(of: session)
                switch result {
                case .success:
                    test.expect(after != before, "the call returned, and nothing has changed")
                case .failure(let error as StoreError) where error.code == .cancelled:
                    test.expect(after, equals: before, "cancelled, although the change was made or half made")
                case .failure(let error):
                    test.fail("a cancelled \(what): expected a result or the error cancelled, found \(shown(error))")
                }
            }
        }
    }
}

extension Session {
    /// The id of a session that a cancelled task makes for this one.
    fileprivate var cancelledID: ULID {
        var bytes = id.bytes
        bytes[15] ^= 0xFF
        return (try? ULID(bytes: bytes)) ?? id
    }
}

extension ScenarioContext {
    /// What there is of a session, and of that which is made for it.
    fileprivate func moment(of session: Session) async throws -> [SessionSnapshot?] {
        [try await access.snapshot(of: session.id), try await access.snapshot(of: session.cancelledID)]
    }
}
