import AgentSessions

extension Scenario {
    /// What a store declares for its limits is looked at before anything counts with it.
    static let declaredLimits: [Scenario] = [
        Scenario(
            "limits.declared", .limits, "2",
            "Each limit that a store declares is one that can be used: no less than one item or byte (two of metadata), no "
                + "more than the contract has, before and after the store was used.", layers: [.repository]
        ) { test in
            func check(_ when: String) {
                let limits = test.openedStore.capabilities.limits
                for limit in StoreLimits.declarable {
                    let declared = limits[keyPath: limit.path]
                    test.expect(
                        (limit.least...limit.most).contains(declared),
                        "\(limit.name), \(when): the store declares \(declared), and may declare \(limit.least) to "
                            + "\(limit.most); the other scenarios go on with one of these")
                }
            }
            check("of a store that was just opened")
            let session = try await test.access.create("a")
            _ = try await test.access.append(NewMessage(.user, "x"), to: session.id)
            check("after an append")
        }
    ]
}
