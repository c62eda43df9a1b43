import AgentSessions

extension Scenario {
    static let errors: [Scenario] =
        refusals.map(fields) + [
            leak("conflict-replay") { test, secret in
                let session = try await test.access.create()
                let stored = try await test.access.append(NewMessage(.user, secret), to: session.id)
                return await test.expect(.conflict, "another payload") { () throws(StoreError) in
                    try await test.access.append(NewMessage(.user, secret + "!", id: stored.id), to: session.id)
                }
            },
            leak("conflict-sequence") { test, secret in
                let session = try await test.access.create()
                return await test.expect(.conflict, "a stale append") { () throws(StoreError) in
                    try await test.access.append(
                        NewMessage(.user, secret, toolCallID: secret, metadata: ["k": .string(secret)]), to: session.id,
                        expectedSequence: 5)
                }
            },
            leak("not-found") { test, secret in
                await test.expect(.notFound, "an absent session") { () throws(StoreError) in
                    try await test.access.append(
                        NewMessage(.user, secret, metadata: [secret: .string(secret)]), to: test.newID())
                }
            },
            leak("already-exists") { test, secret in
                let session = try await test.access.create("a", metadata: ["k": .string(secret)])
                return await test.expect(.alreadyExists, "an id that is taken") { () throws(StoreError) in
                    try await test.access.create("a", metadata: ["k": .string(secret)], id: session.id)
                }
            },
            leak("conflict-revision") { test, secret in
                let session = try await test.access.create("a", metadata: ["k": .string(secret)])
                return await test.expect(.conflict, "a stale update") { () throws(StoreError) in
                    try await test.access.update(
                        session.id, metadata: ["k": .string(secret)], expectedRevision: .earliest)
                }
            },
            leak("closed") { test, secret in
                let session = try await test.access.create()
                await test.store.close()
                return await test.expect(.closed, "a closed store") { () throws(StoreError) in
                    try await test.access.append(NewMessage(.user, secret), to: session.id)
                }
            },
            Scenario("errors.name-the-session", .errors, "3", "An error about a session names it.") { test in
                let id = test.newID()
                let absent = await test.expect(.notFound, "an absent session") { () throws(StoreError) in
                    try await test.access.append(turn(1), to: id)
                }
                let session = try await test.access.create()
                let taken = await test.expect(.alreadyExists, "an id that is taken") { () throws(StoreError) in
                    try await test.access.create(id: session.id)
                }
                let stale = await test.expect(.conflict, "a stale update") { () throws(StoreError) in
                    try await test.access.update(session.id, actorName: "b", expectedRevision: .earliest)
                }
                for (error, id) in [(absent, id), (taken, session.id), (stale, session.id)] {
                    guard let error else { continue }
                    test.expect(error.message.contains("\(id)"), "the message must name \(id): \(error.message)")
                }
            },
            Scenario(
                "errors.not-transient", .errors, "3.12",
                "A refusal by a rule is not transient, so that nobody tries it again."
            ) { test in
                let session = try await test.session(messages: 1)
                let refusals = [
                    await test.expect(.conflict, "a stale append") { () throws(StoreError) in
                        try await test.access.append(turn(1), to: session.id, expectedSequence: 9)
                    },
                    await test.expect(.alreadyExists, "an id that is taken") { () throws(StoreError) in
                        try await test.access.create(id: session.id)
                    },
                    await test.expect(.notFound, "an absent session") { () throws(StoreError) in
                        try await test.access.append(turn(1), to: test.newID())
                    },
                ]
                for error in refusals.compactMap({ $0 }) {
                    test.expect(!error.isTransient, "\(error.code) must not be transient")
                }
            },
            Scenario(
                "errors.cause", .errors, "3",
                "An error of metadata that cannot be taken carries what was wrong with it.",
                layers: [.service]
            ) { test in
                let session = try await test.access.create()
                for (code, metadata) in [
                    (StoreError.Code.invalidArgument, ["n": .double(.nan)] as JSONObject),
                    (.limitExceeded, ["t": .string(String(repeating: "x", count: 2 << 20))]),
                ] {
                    let error = await test.expect(code, "an update") { () throws(StoreError) in
                        try await test.service.update(session.id, metadata: metadata)
                    }
                    test.expect(error?.cause is JSONError, "the cause of \(code) must be an error of JSON")
                }
            },
            Scenario(
                "errors.after-refusal", .errors, "3",
                "After any refusal the store works as before: the next change is made."
            ) { test in
                let session = try await test.session(messages: 1)
                for round in 1...10 {
                    await test.expect(.conflict, "a stale append") { () throws(StoreError) in
                        try await test.access.append(turn(1), to: session.id, expectedSequence: 99)
                    }
                    await test.expect(.alreadyExists, "an id that is taken") { () throws(StoreError) in
                        try await test.access.create(id: session.id)
                    }
                    await test.expect(.invalidArgument, "a rewind beyond the end") { () throws(StoreError) in
                        try await test.access.rewind(session.id, to: 1000)
                    }
                    let stored = try await test.access.append(turn(1), to: session.id)
                    test.expect(stored.sequence, equals: round + 1, "the next sequence")
                }
            },
        ]

    /// Calls that are refused, of a session whose every text is a secret.
    private typealias Refusal = @Sendable (StoreAccess, SessionSnapshot, _ secret: String) async throws -> Void

    private static let refusals: [(name: String, calls: [Refusal])] = [
        (
            "create",
            [
                { access, found, secret in
                    _ = try await access.create(secret, metadata: [secret: .string(secret)], id: found.session.id)
                }
            ]
        ),
        (
            "update",
            [
                { access, found, secret in
                    _ = try await access.update(
                        found.session.id, actorName: secret, metadata: [secret: .string(secret)],
                        expectedRevision: .earliest)
                }, { access, _, secret in _ = try await access.update(access.newID(), actorName: secret) },
            ]
        ),
        (
            "usage",
            [
                { access, found, _ in
                    _ = try await access.addUsage(TokenUsage(inputTokens: .max), to: found.session.id)
                },
                { access, found, _ in _ = try await access.addUsage(TokenUsage(inputTokens: -1), to: found.session.id)
                },
            ]
        ),
        (
            "append",
            [
                { access, found, secret in
                    _ = try await access.append(
                        NewMessage(.user, secret, toolCallID: secret, metadata: [secret: .string(secret)]),
                        to: found.session.id,
                        expectedSequence: 9)
                },
                { access, found, secret in
                    _ = try await access.append(
                        NewMessage(.user, secret, id: found.messages.at(0).id), to: found.session.id)
                },
                { access, found, secret in
                    _ = try await access.append(
                        [again(found.messages.at(0)), NewMessage(.user, secret)], to: found.session.id)
                },
            ]
        ),
        (
            "rewind",
            [
                { access, found, _ in _ = try await access.rewind(found.session.id, to: 99) },
                { access, found, _ in _ = try await access.rewind(found.session.id, to: 0, expectedRevision: .earliest)
                },
            ]
        ),
        (
            "restore",
            [
                { access, found, _ in
                    try await access.store.restore(found.session, messages: ListedMessages(found.messages))
                },
                { access, found, _ in
                    let other = found.session
                    let session = Session(
                        id: access.newID(), actorName: other.actorName, messageCount: 1, metadata: other.metadata,
                        createdAt: other.createdAt, updatedAt: other.updatedAt)
                    try await access.store.restore(session, messages: ListedMessages(found.messages))
                },
            ]
        ),
        (
            "replace",
            [
                { access, found, _ in
                    try await access.store.replace(
                        found.session, messages: ListedMessages(found.messages), expectedRevision: .earliest)
                }
            ]
        ),
    ]

    private static func fields(_ refusal: (name: String, calls: [Refusal])) -> Scenario {
        Scenario(
            "errors.no-field-\(refusal.name)", .errors, "3",
            "The error of a refused \(refusal.name) shows no text of the session, of its messages, or of what was sent."
        ) { test in
            let secret = "secret\(test.randomNumber())"
            let metadata: JSONObject = [secret: [.string(secret)]]
            let session = try await test.access.create("a/\(secret)", metadata: metadata)
            _ = try await test.access.append(
                NewMessage(.tool, secret, toolCallID: secret, metadata: metadata), to: session.id,
                usage: TokenUsage(inputTokens: 1))
            let found = try test.require(await test.access.snapshot(of: session.id), "the session")
            for call in refusal.calls {
                do {
                    try await call(test.access, found, secret)
                    test.fail("a \(refusal.name) that must be refused was made")
                } catch {
                    test.expectNone(of: secret, in: error)
                }
            }
        }
    }

    private static func leak(
        _ name: String,
        _ fail: @escaping @Sendable (ScenarioContext, _ secret: String) async throws -> StoreError?
    ) -> Scenario {
        Scenario(
            "errors.no-content-\(name)", .errors, "3",
            "The error of a \(name) holds no content, no metadata and no "
                + "tool call id, in its description or those of its causes."
        ) { test in
            let secret = "secret\(test.randomNumber())"
            test.expectNone(of: secret, in: try await fail(test, secret))
        }
    }
}

extension ScenarioContext {
    /// Notes a failure where an error, or what caused it, shows a text.
    fileprivate func expectNone(of secret: String, in error: (any Error)?) {
        var next = error
        while let current = next {
            expect(!"\(current)".contains(secret), "the description of an error holds what was to be stored")
            expect(!String(reflecting: current).contains(secret), "the dump of an error holds what was to be stored")
            next = (current as? StoreError)?.cause
        }
    }
}
