import AgentSessions

extension Scenario {
    /// What a service makes of the store's answers where calls fail on the way. The faults are the kit's; that nothing
    /// is stored twice is up to the store: its ids, replays and revisions.
    static let faults: [Scenario] =
        [
            faulty("append", "An append") { service, id, state throws(StoreError) in
                let message = try await service.appendMessage(
                    NewMessage(.user, "once"), to: id, usage: TokenUsage(inputTokens: 1))
                var expected = state
                expected.session.messageCount += 1
                expected.session.usage.inputTokens += 1
                expected.session.updatedAt = message.createdAt
                expected.messages.append(message)
                return expected
            },
            faulty("batch", "A batch") { service, id, state throws(StoreError) in
                let messages = try await service.append(
                    [turn(1), turn(2), turn(3)], to: id, usage: TokenUsage(outputTokens: 2),
                    expectedSequence: state.session.messageCount)
                var expected = state
                expected.session.messageCount += 3
                expected.session.usage.outputTokens += 2
                expected.session.updatedAt = try messages.at(0).createdAt
                expected.messages += messages
                return expected
            },
            faulty("usage", "An increment") { service, id, state throws(StoreError) in
                let changed = try await service.updateTokenUsage(id, adding: TokenUsage(estimatedCost: 5))
                var expected = state
                expected.session.usage.estimatedCost += 5
                expected.session.updatedAt = changed.updatedAt
                return expected
            },
            faulty("update", "A change of metadata") { service, id, state throws(StoreError) in
                let changed = try await service.update(id, metadata: ["changed": "once"])
                var expected = state
                expected.session.metadata = ["changed": "once"]
                expected.session.updatedAt = changed.updatedAt
                return expected
            },
            faulty("update-expected", "A change that expects a revision") { service, id, state throws(StoreError) in
                let changed = try await service.update(
                    id, actorName: "b", metadata: nil, expectedRevision: state.session.revision)
                var expected = state
                expected.session.actorName = "b"
                expected.session.updatedAt = changed.updatedAt
                return expected
            },
            faulty("rewind", "A rewind") { service, id, state throws(StoreError) in
                let changed = try await service.rewind(id, to: 1)
                var expected = state
                expected.session.messageCount = 1
                expected.session.updatedAt = changed.updatedAt
                expected.messages = Array(state.messages.prefix(1))
                return expected
            },
        ]
        + sequences.map { name, what, faults in
            Scenario(
                "faults.create-\(name)", .faults, "3.12", "A creation is made once though the call \(what).",
                layers: [.service]
            ) { test in
                let store = FaultyStore(test.store, faults)
                let service = retrying(store, clock: test.clock)
                let session = try await service.create(actorName: "a", metadata: ["k": 1])
                test.expect(store.left, equals: 0, "faults that were not met")
                test.expect(try await test.access.list(), equals: [session], "the list")
            }
        }
        + sequences.map { name, what, faults in
            Scenario(
                "faults.delete-\(name)", .faults, "3.12", "A deletion succeeds though the call \(what).",
                layers: [.service]
            ) { test in
                let session = try await test.session(messages: 2)
                let other = try await test.session(messages: 2)
                let store = FaultyStore(test.store, faults)
                try await retrying(store, clock: test.clock).delete(session.id)
                test.expect(store.left, equals: 0, "faults that were not met")
                test.expect(try await test.access.list(), equals: [other], "the list")
            }
        } + [
            Scenario(
                "faults.import", .faults, "3.12",
                "An import is made once though the outcome of its commit was unknown.",
                layers: [.service]
            ) { test in
                let session = try await test.session(messages: 3)
                let document = try await exported(session.id, from: test.service)
                let store = FaultyStore(test.store, [.after(.outcomeUnknown), .before(.busy)])
                let id = try await retrying(store, clock: test.clock).importSession(.bytes(document))
                test.expect(try await test.access.list().count, equals: 2, "sessions in the list")
                test.expect(
                    try await test.access.messages(id).map(\.content), equals: ["m1", "m2", "m3"], "the contents")
            },
            Scenario(
                "faults.bounded", .faults, "3.12",
                "Attempts are bounded: a fault that stays is thrown in the end, and "
                    + "nothing was stored.", layers: [.service]
            ) { test in
                let session = try await test.session(messages: 1)
                try await test.expectUnchanged(session.id, "a fault that stays") {
                    let store = FaultyStore(test.store, Array(repeating: .before(.busy), count: 100))
                    await test.expect(.busy, "an append") { () throws(StoreError) in
                        try await retrying(store, clock: test.clock).append([turn(2)], to: session.id)
                    }
                    test.expect(store.left < 100 && store.left > 80, "attempts: \(100 - store.left)")
                }
            },
            Scenario(
                "faults.not-transient", .faults, "3.12", "An error that is not transient is not tried again.",
                layers: [.service]
            ) { test in
                let session = try await test.session(messages: 1)
                for code in [StoreError.Code.corrupt, .conflict, .unsupported, .internalFailure] {
                    try await test.expectUnchanged(session.id, "an error \(code)") {
                        let store = FaultyStore(test.store, [.before(code), .before(code)])
                        await test.expect(code, "an append") { () throws(StoreError) in
                            try await retrying(store, clock: test.clock).append([turn(2)], to: session.id)
                        }
                        test.expect(store.left, equals: 1, "faults that were not met")
                    }
                }
            },
            Scenario(
                "faults.cancelled-before", .faults, "3.13",
                "A task that is cancelled before its call begins gets cancelled, and nothing is stored.",
                layers: [.service]
            ) { test in
                let session = try await test.session(messages: 1)
                let service = test.service
                try await test.expectUnchanged(session.id, "a cancelled call") {
                    let task = Task {
                        while !Task.isCancelled { await Task.yield() }
                        await test.expect(.cancelled, "an append") { () throws(StoreError) in
                            try await service.append([turn(2)], to: session.id)
                        }
                    }
                    task.cancel()
                    await task.value
                }
            },
            Scenario(
                "faults.cancelled-during", .faults, "3.13",
                "A task that is cancelled during an append learns what became of it: stored where it succeeded, not "
                    + "stored where it threw.", timeLimit: .seconds(30)
            ) { test in
                let session = try await test.access.create()
                let access = test.access
                var expected = 0
                for round in 0..<30 {
                    let task = Task { () async throws(StoreError) -> Bool in
                        do throws(StoreError) {
                            _ = try await access.append(NewMessage(.user, "\(round)"), to: session.id)
                            return true
                        } catch {
                            if error.code == .cancelled { return false }
                            throw error
                        }
                    }
                    if round.isMultiple(of: 3) { await Task.yield() }
                    task.cancel()
                    if try await task.value { expected += 1 }
                    test.expect(
                        try await test.current(session.id).messageCount, equals: expected,
                        "messages after round \(round)")
                }
                test.expect(try await test.access.messages(session.id).count, equals: expected, "messages")
            },
        ]

    static let sequences: [(name: String, what: String, faults: [FaultyStore.Fault])] = [
        ("busy", "fails twice before it begins", [.before(.busy), .before(.timeout)]),
        ("unknown-done", "ends in an unknown outcome after it was done", [.after(.outcomeUnknown)]),
        ("unknown-undone", "ends in an unknown outcome before it was done", [.before(.outcomeUnknown)]),
        (
            "unknown-often", "ends in unknown outcomes again and again",
            [.before(.outcomeUnknown), .before(.unavailable), .after(.outcomeUnknown)]
        ),
    ]

    private static func faulty(
        _ name: String, _ what: String,
        _ change: @escaping @Sendable (any SessionService, ULID, Expected) async throws(StoreError) -> Expected
    ) -> Scenario {
        Scenario(
            "faults.\(name)", .faults, "3.12",
            "\(what) is made once, wherever the call fails: before, after, with an unknown outcome, several times.",
            layers: [.service]
        ) { test in
            for (_, what, faults) in sequences {
                let session = try await test.session(messages: 3)
                let before = try test.require(await test.access.snapshot(of: session.id), "the session is absent")
                let store = FaultyStore(test.store, faults)
                let expected = try await change(
                    retrying(store, clock: test.clock), session.id,
                    Expected(session: before.session, messages: before.messages))
                test.expect(store.left, equals: 0, "faults that were not met, where the call \(what)")
                test.expect(
                    try await test.access.snapshot(of: session.id),
                    equals: SessionSnapshot(session: expected.session, messages: expected.messages),
                    "the session, where the call \(what)")
            }
        }
    }
}

/// What a session is to be after a change.
struct Expected: Sendable {
    var session: Session
    var messages: [SessionMessage]
}

/// A service that tries again soon.
func retrying(_ store: FaultyStore, clock: ScenarioClock) -> any SessionService {
    PersistentSessionService(
        store, retryPolicy: RetryPolicy(baseDelay: .milliseconds(1), maximumDelay: .milliseconds(2)),
        now: { clock.next() })
}

/// A session as a document.
func exported(
    _ id: ULID, from service: any SessionService, format: DocumentFormat = .native
) async throws(StoreError) -> [UInt8] {
    var bytes: [UInt8] = []
    for try await chunk in service.exportSession(id, format: format) { bytes += chunk }
    return bytes
}
