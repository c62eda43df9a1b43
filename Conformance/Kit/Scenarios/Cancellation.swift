import AgentSessions

extension Scenario {
    static let cancellation: [Scenario] = cancelledCalls.map(cancelled) + cancelledCalls.map(afterCancelled)

    /// A change of a session, or one that makes another for it.
    private typealias CancelledCall = (
        name: String, what: String, change: @Sendable (StoreAccess, Session) async throws -> Void
    )

    private static let cancelledCalls: [CancelledCall] = [
        call("create", "creation") { access, session in
            _ = try await access.create("cancelled", id: session.cancelledID)
        },
        call("update", "update") { access, session in
            _ = try await access.update(session.id, actorName: "cancelled", metadata: ["cancelled": true])
        },
        call("usage", "increment of usage") { access, session in
            _ = try await access.addUsage(TokenUsage(inputTokens: 1), to: session.id)
        },
        call("append", "append of a batch") { access, session in
            _ = try await access.append([turn(4), turn(5), turn(6)], to: session.id)
        },
        call("rewind", "rewind") { access, session in _ = try await access.rewind(session.id, to: 1) },
        call("delete", "deletion") { access, session in _ = try await access.delete(session.id) },
        call("restore", "restore") { access, session in
            let restored = Session(
                id: session.cancelledID, actorName: "cancelled", createdAt: session.createdAt,
                updatedAt: session.updatedAt)
            try await access.store.restore(restored, messages: ListedMessages([]))
        },
        call("replace", "replacement") { access, session in
            var next = session
            next.actorName = "cancelled"
            next.messageCount = 0
            next.updatedAt = session.revision.advanced(by: 1)
            try await access.store.replace(next, messages: ListedMessages([]), expectedRevision: session.revision)
        },
    ]

    private static func call(
        _ name: String, _ what: String, _ change: @escaping @Sendable (StoreAccess, Session) async throws -> Void
    ) -> CancelledCall {
        (name, what, change)
    }

    /// A change by a task that is cancelled: before the call, and at some moment of it.
    private static func cancelled(_ call: CancelledCall) -> Scenario {
        let (name, what, change) = call
        return Scenario(
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

    /// Other tasks' calls after one that was cancelled before it began, or at some moment of it.
    private static func afterCancelled(_ call: CancelledCall) -> Scenario {
        Scenario(
            "concurrency.after-cancelled-\(call.name)", .concurrency, "3.13",
            "After a cancelled \(call.what) every call of a task that was not cancelled does what it should.",
            layers: [.repository]
        ) { test in
            for (name, next) in operations {
                for round in 0..<2 {
                    let session = try await test.session(messages: 3)
                    let other = try await test.session(messages: 3)
                    let access = test.access
                    let task = Task {
                        if round == 0 { withUnsafeCurrentTask { $0?.cancel() } }
                        try await call.change(access, session)
                    }
                    for _ in 0..<round { await Task.yield() }
                    task.cancel()
                    _ = await task.result
                    do throws(StoreError) {
                        try await next(access, other.id)
                    } catch {
                        test.fail("\(name) after a cancelled \(call.what): \(shown(error))")
                    }
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
