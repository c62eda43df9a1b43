import AgentSessions

extension Scenario {
    static let errors: [Scenario] = [
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
            "errors.cause", .errors, "3", "An error of metadata that cannot be taken carries what was wrong with it.",
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
            var error: (any Error)? = try await fail(test, secret)
            while let current = error {
                test.expect(!"\(current)".contains(secret), "the description of an error holds what was to be stored")
                test.expect(
                    !String(reflecting: current).contains(secret), "the dump of an error holds what was to be stored")
                error = (current as? StoreError)?.cause
            }
        }
    }
}
