import AgentSessions

extension Scenario {
    static let lifecycle: [Scenario] =
        operations.map { name, call in
            Scenario(
                "lifecycle.closed-\(name)", .lifecycle, "3", "After close, \(name) throws closed."
            ) { test in
                let session = try await test.session(messages: 2)
                await test.store.close()
                await test.expect(.closed, name) { () throws(StoreError) in
                    try await call(test.access, session.id)
                }
            }
        } + [
            Scenario("lifecycle.close-twice", .lifecycle, "3", "A second close does nothing.") { test in
                _ = try await test.session(messages: 1)
                await test.store.close()
                await test.store.close()
                await test.expect(.closed, "a read") { () throws(StoreError) in try await test.access.list() }
            },
            Scenario("lifecycle.close-at-once", .lifecycle, "3", "Several may close a store at once.") { test in
                _ = try await test.session(messages: 1)
                let store = test.store
                _ = try await atOnce(4) { _ in await store.close() }
                await test.expect(.closed, "a read") { () throws(StoreError) in try await test.access.list() }
            },
            Scenario(
                "lifecycle.close-while-busy", .lifecycle, "3",
                "Closing waits for the changes under way: each is stored and acknowledged, or refused with closed.",
                requires: [.ability(.reopen)], timeLimit: .seconds(30)
            ) { test in
                let session = try await test.access.create()
                let access = test.access
                let stored = try await atOnce(5) { writer -> [SessionMessage] in
                    var own: [SessionMessage] = []
                    do throws(StoreError) {
                        for round in 0..<200 {
                            if writer == 4, round == 10 { await access.store.close() }
                            own.append(
                                try await access.append(NewMessage(.user, "\(writer)/\(round)"), to: session.id))
                        }
                    } catch {
                        test.expect(error.code, equals: .closed, "the error of a writer")
                    }
                    return own
                }
                try await test.reopen()
                let expected = stored.flatMap { $0 }.sorted { $0.sequence < $1.sequence }
                test.expect(
                    try await test.access.snapshot(of: session.id)?.messages, equals: expected,
                    "the messages, which are those that were acknowledged")
            },
            Scenario(
                "lifecycle.own-name", .lifecycle, "3", "A store tells its backend's name: a scheme of a store URL."
            ) { test in
                let name = Array(test.store.backendName.utf8)
                test.expect(
                    name.first.map { (0x61...0x7A).contains($0) } == true
                        && name.allSatisfy { (0x61...0x7A).contains($0) || (0x30...0x39).contains($0) },
                    "the name \(test.store.backendName) must be of the form [a-z][a-z0-9]*")
            },
            Scenario(
                "lifecycle.stores-apart", .lifecycle, "3",
                "Stores at two places share nothing."
            ) { test in
                let session = try await test.session("here", messages: 2)
                let elsewhere = try await test.openElsewhere()
                test.expect(try await elsewhere.list(), equals: [], "the list of the other store")
                test.expect(try await elsewhere.get(session.id), equals: nil, "get in the other store")
                let other = try await elsewhere.create("there", id: session.id)
                _ = try await elsewhere.append(turn(9), to: other.id)
                _ = try await elsewhere.delete(other.id)
                test.expect(try await test.access.snapshot(of: session.id)?.session, equals: session, "the first store")
                await elsewhere.store.close()
                test.expect(try await test.access.messages(session.id).count, equals: 2, "messages of the first store")
            },
        ]
}
