import AgentSessions

extension Scenario {
    static let creation: [Scenario] = [
        Scenario(
            "create.id-taken", .create, "3.1", "Creating a session whose id is taken throws alreadyExists."
        ) { test in
            let session = try await test.access.create("first", metadata: ["a": 1])
            try await test.expectUnchanged(session.id, "a refused creation") {
                await test.expect(.alreadyExists, "an id that is taken") { () throws(StoreError) in
                    try await test.access.create("second", id: session.id)
                }
            }
        }
    ]
}
