import AgentSessions

extension Scenario {
    static let usage: [Scenario] = [
        Scenario("usage.adds", .usage, "3.8", "Usage adds to what there is, each of the three totals for itself.") {
            test in
            let session = try await test.access.create()
            _ = try await test.access.addUsage(
                TokenUsage(inputTokens: 1, outputTokens: 20, estimatedCost: 300), to: session.id)
            let changed = try await test.access.addUsage(
                TokenUsage(inputTokens: 4, outputTokens: 50, estimatedCost: 600), to: session.id)
            test.expect(
                changed.usage, equals: TokenUsage(inputTokens: 5, outputTokens: 70, estimatedCost: 900), "the totals")
            test.expect(try await test.access.get(session.id), equals: changed, "the session that get gives")
        },
        Scenario("usage.apart", .usage, "3.8", "Adding to one total leaves the two others as they are.") { test in
            let session = try await test.access.create()
            let parts = [
                TokenUsage(inputTokens: 3), TokenUsage(outputTokens: 5), TokenUsage(estimatedCost: 7),
            ]
            for part in parts { _ = try await test.access.addUsage(part, to: session.id) }
            test.expect(
                try await test.current(session.id).usage,
                equals: TokenUsage(inputTokens: 3, outputTokens: 5, estimatedCost: 7), "the totals")
        },
        Scenario("usage.other-fields", .usage, "3.8", "Adding usage changes the totals and the revision, nothing else.")
        {
            test in
            let session = try await test.access.create("a", metadata: ["k": [1, "x"]])
            _ = try await test.access.append([turn(1), turn(2)], to: session.id)
            let before = try await test.access.snapshot(of: session.id)
            let changed = try await test.access.addUsage(TokenUsage(inputTokens: 5), to: session.id)
            var expected = try test.require(before?.session, "no session")
            expected.usage = TokenUsage(inputTokens: 5)
            expected.updatedAt = changed.updatedAt
            test.expect(changed.updatedAt > (before?.session.updatedAt ?? .latest), "the revision must grow")
            test.expect(
                try await test.access.snapshot(of: session.id),
                equals: SessionSnapshot(session: expected, messages: before?.messages ?? []), "the session")
        },
        Scenario("usage.zero", .usage, "3.8", "Adding nothing is a change: the totals stay, the revision grows.") {
            test in
            let session = try await test.access.create()
            let changed = try await test.access.addUsage(.zero, to: session.id)
            test.expect(changed.usage, equals: .zero, "the totals")
            test.expect(changed.revision > session.revision, "the revision must grow")
        },
        Scenario("usage.64-bits", .usage, "2", "Totals keep 64 bits: the largest is reached and read back exactly.") {
            test in
            let session = try await test.access.create()
            for part: Int64 in [9_007_199_254_740_993, Int64.max - 9_007_199_254_740_994, 1] {
                _ = try await test.access.addUsage(
                    TokenUsage(inputTokens: part, outputTokens: part, estimatedCost: part), to: session.id)
            }
            let expected = TokenUsage(inputTokens: .max, outputTokens: .max, estimatedCost: .max)
            test.expect(try await test.current(session.id).usage, equals: expected, "the totals")
            test.expect(try await test.access.list().first?.usage, equals: expected, "the totals in the list")
        },
        overflow("input", TokenUsage(inputTokens: 1)),
        overflow("output", TokenUsage(outputTokens: 1)),
        overflow("cost", TokenUsage(estimatedCost: 1)),
        Scenario(
            "usage.overflow-partly", .usage, "3.8", "Where one total would overflow, none of them is added to."
        ) { test in
            let session = try await test.access.create()
            _ = try await test.access.addUsage(TokenUsage(estimatedCost: .max), to: session.id)
            try await test.expectUnchanged(session.id, "an increment that overflows") {
                await test.expect(.limitExceeded, "the overflow of the last total") { () throws(StoreError) in
                    try await test.access.addUsage(
                        TokenUsage(inputTokens: 5, outputTokens: 6, estimatedCost: 1), to: session.id)
                }
            }
        },
        negative("input", TokenUsage(inputTokens: -1, outputTokens: 5, estimatedCost: 5)),
        negative("output", TokenUsage(inputTokens: 5, outputTokens: -1, estimatedCost: 5)),
        negative("cost", TokenUsage(inputTokens: 5, outputTokens: 5, estimatedCost: .min)),
        Scenario("usage.absent", .usage, "3.8", "Adding usage to an absent session throws notFound.") { test in
            let id = test.newID()
            await test.expect(.notFound, "an absent session") { () throws(StoreError) in
                try await test.access.addUsage(TokenUsage(inputTokens: 1), to: id)
            }
            test.expect(try await test.access.get(id), equals: nil, "get")
        },
        Scenario(
            "usage.negative-first", .usage, "3.8",
            "A negative increment is invalidArgument whatever the store holds: of an absent session, in a replay, beside a "
                + "stale expectation."
        ) { test in
            let negative = TokenUsage(outputTokens: -1)
            await test.expect(.invalidArgument, "usage of an absent session") { () throws(StoreError) in
                try await test.access.addUsage(negative, to: test.newID())
            }
            await test.expect(.invalidArgument, "an append to an absent session") { () throws(StoreError) in
                try await test.access.append([turn(1)], to: test.newID(), usage: negative)
            }
            let session = try await test.access.create()
            let stored = try await test.access.append(turn(1), to: session.id, usage: TokenUsage(outputTokens: 1))
            try await test.expectUnchanged(session.id, "a negative increment") {
                await test.expect(.invalidArgument, "a replay") { () throws(StoreError) in
                    try await test.access.append([again(stored)], to: session.id, usage: negative)
                }
                await test.expect(.invalidArgument, "a stale append") { () throws(StoreError) in
                    try await test.access.append([turn(2)], to: session.id, usage: negative, expectedSequence: 9)
                }
            }
        },
        Scenario("usage.with-append", .usage, "3.6", "Usage that an append carries is added with its messages, once.") {
            test in
            let session = try await test.access.create()
            let stored = try await test.access.append(
                [turn(1), turn(2), turn(3)], to: session.id,
                usage: TokenUsage(inputTokens: 10, outputTokens: 20, estimatedCost: 30))
            let found = try await test.current(session.id)
            test.expect(
                found.usage, equals: TokenUsage(inputTokens: 10, outputTokens: 20, estimatedCost: 30), "the totals")
            test.expect(found.revision, equals: try stored.at(0).createdAt, "the one revision of both")
        },
        Scenario(
            "usage.append-overflow", .usage, "3.6",
            "An append whose usage overflows stores no message."
        ) { test in
            let session = try await test.access.create()
            _ = try await test.access.addUsage(TokenUsage(outputTokens: .max), to: session.id)
            _ = try await test.access.append(turn(1), to: session.id)
            try await test.expectUnchanged(session.id, "an append whose usage overflows") {
                await test.expect(.limitExceeded, "the overflow") { () throws(StoreError) in
                    try await test.access.append(
                        [turn(2), turn(3)], to: session.id, usage: TokenUsage(inputTokens: 1, outputTokens: 1))
                }
            }
        },
        Scenario(
            "usage.append-negative", .usage, "3.6", "An append whose usage is negative stores no message."
        ) { test in
            let session = try await test.session(messages: 1)
            try await test.expectUnchanged(session.id, "an append whose usage is negative") {
                await test.expect(.invalidArgument, "the negative part") { () throws(StoreError) in
                    try await test.access.append(turn(2), to: session.id, usage: TokenUsage(inputTokens: -1))
                }
            }
        },
        Scenario(
            "usage.sum", .usage, "3.8", "The totals are the sums of what was added by calls and by appends."
        ) { test in
            let session = try await test.access.create()
            var total = TokenUsage.zero
            for number in 1...12 {
                let part = TokenUsage(
                    inputTokens: Int64(test.random(in: 0...1_000_000)),
                    outputTokens: Int64(test.random(in: 0...1_000_000)),
                    estimatedCost: Int64(test.random(in: 0...1_000_000)))
                total = try total.adding(part)
                if number.isMultiple(of: 2) {
                    _ = try await test.access.addUsage(part, to: session.id)
                } else {
                    _ = try await test.access.append(turn(number), to: session.id, usage: part)
                }
                test.expect(try await test.current(session.id).usage, equals: total, "the totals after \(number)")
            }
        },
    ]

    private static func overflow(_ name: String, _ one: TokenUsage) -> Scenario {
        Scenario(
            "usage.overflow-\(name)", .usage, "3.8",
            "An increment that would overflow the \(name) total throws "
                + "limitExceeded and adds nothing, by one or by much."
        ) { test in
            let session = try await test.access.create()
            let most = TokenUsage(
                inputTokens: one.inputTokens > 0 ? .max : 1, outputTokens: one.outputTokens > 0 ? .max : 1,
                estimatedCost: one.estimatedCost > 0 ? .max : 1)
            _ = try await test.access.addUsage(most, to: session.id)
            for increment in [one, most] {
                try await test.expectUnchanged(session.id, "an increment that overflows") {
                    await test.expect(.limitExceeded, "the overflow") { () throws(StoreError) in
                        try await test.access.addUsage(increment, to: session.id)
                    }
                }
            }
        }
    }

    private static func negative(_ name: String, _ usage: TokenUsage) -> Scenario {
        Scenario(
            "usage.negative-\(name)", .usage, "3.8",
            "An increment whose \(name) part is negative throws invalidArgument and adds nothing."
        ) { test in
            let session = try await test.access.create()
            _ = try await test.access.addUsage(
                TokenUsage(inputTokens: 100, outputTokens: 100, estimatedCost: 100), to: session.id)
            try await test.expectUnchanged(session.id, "a negative increment") {
                await test.expect(.invalidArgument, "the negative part") { () throws(StoreError) in
                    try await test.access.addUsage(usage, to: session.id)
                }
            }
        }
    }
}
