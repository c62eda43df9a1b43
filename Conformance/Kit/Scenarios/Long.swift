import AgentSessions

extension Scenario {
    /// What shows only where there is much of something.
    static let long: [Scenario] = [
        Scenario(
            "list.more-than-a-thousand", .list, "3.3", "A list is as long as the limit allows, beyond a thousand too.",
            level: .full, layers: [.repository], timeLimit: .seconds(60)
        ) { test in
            let store = test.store
            let start = test.clock.next()
            let ids = (0..<1010).map { _ in test.newID() }
            _ = try await atOnce(10) { worker in
                for index in stride(from: worker, to: ids.count, by: 10) {
                    _ = try await store.create(
                        NewSession(
                            id: ids[index], actorName: "long", createdAt: start.advanced(by: Int64(index))))
                }
            }
            let expected = Array(ids.reversed())
            for filter in [SessionFilter(), SessionFilter(actorName: "long"), SessionFilter(createdFrom: start)] {
                test.expect(
                    try await test.access.list(filter, limit: 2000).map(\.id), equals: expected, "a list of all")
            }
            test.expect(
                try await test.access.list(offset: 1005, limit: 2000).map(\.id), equals: expected.suffix(5),
                "beyond a thousand by offset")
        }
    ]
}
