import AgentSessions

extension Scenario {
    /// What is allowed is stored up to its limit, and refused with limitExceeded right above it.
    static let limitScenarios: [Scenario] = [
        Scenario(
            "limits.content", .limits, "2", "The longest content is stored and given back.", level: .full,
            timeLimit: .seconds(40)
        ) { test in
            let session = try await test.access.create()
            let most = test.store.capabilities.limits.contentBytes
            let content = most < 2 ? "x" : String(repeating: "x", count: most - 2) + "é"
            let stored = try await test.access.append(NewMessage(.user, content), to: session.id)
            test.expect(stored.content == content, "append gives back another content")
            let found = try await test.access.messages(session.id)
            test.expect(found == [stored], "another message is stored")
        },
        above("content", "content", full: true) { limits in
            NewMessage(.user, String(repeating: "x", count: limits.contentBytes - 1) + "é")
        },
        Scenario(
            "limits.tool-call-id", .limits, "2", "The longest tool call id, counted in bytes of UTF-8, is stored."
        ) { test in
            let session = try await test.access.create()
            let most = test.store.capabilities.limits.toolCallIDBytes
            let name = String(repeating: "é", count: most / 2) + (most.isMultiple(of: 2) ? "" : "x")
            let stored = try await test.access.append(NewMessage(.tool, "x", toolCallID: name), to: session.id)
            test.expect(stored.toolCallID, equals: name, "what append gives")
            test.expect(try await test.access.messages(session.id), equals: [stored], "the messages")
        },
        above("tool-call-id", "tool call id") { limits in
            NewMessage(.tool, "x", toolCallID: String(repeating: "é", count: limits.toolCallIDBytes / 2 + 1))
        },
        Scenario("limits.actor", .limits, "2", "The longest actor name, counted in bytes of UTF-8, is stored.") {
            test in
            let most = test.store.capabilities.limits.actorNameBytes
            let name = String(repeating: "é", count: most / 2) + (most.isMultiple(of: 2) ? "" : "x")
            let session = try await test.access.create(name)
            let other = try await test.access.create(String(name.unicodeScalars.dropLast()))
            test.expect(session.actorName, equals: name, "what create gives")
            test.expect(
                try await test.access.list(SessionFilter(actorName: name)), equals: [session], "the actor's list")
            test.expect(
                try await test.access.list(SessionFilter(actorName: other.actorName)), equals: [other],
                "the list of a name that is one character shorter")
        },
        Scenario("limits.actor-above", .limits, "2", "A longer actor name is limitExceeded.", layers: [.service]) {
            test in
            let session = try await test.access.create("a")
            let name = String(repeating: "x", count: test.service.capabilities.limits.actorNameBytes + 1)
            try await test.expectUnchanged(session.id, "a refused name") {
                await test.expect(.limitExceeded, "a name too long in create") { () throws(StoreError) in
                    try await test.service.create(actorName: name)
                }
                await test.expect(.limitExceeded, "a name too long in update") { () throws(StoreError) in
                    try await test.service.update(session.id, actorName: name)
                }
            }
            test.expect(try await test.access.list().count, equals: 1, "sessions in the list")
        },
        Scenario("limits.metadata", .limits, "2", "The longest metadata is stored and given back.", level: .full) {
            test in
            let most = test.store.capabilities.limits.metadataBytes
            // {"k":"…"} takes eight bytes beside the text.
            let metadata: JSONObject = most < 8 ? [:] : ["k": .string(String(repeating: "m", count: most - 8))]
            let session = try await test.access.create(metadata: metadata)
            let stored = try await test.access.append(NewMessage(.user, "x", metadata: metadata), to: session.id)
            test.expect(try await test.current(session.id).metadata == metadata, "another metadata in the session")
            test.expect(try await test.access.messages(session.id) == [stored], "another message is stored")
            test.expect(stored.metadata == metadata, "append gives back another metadata")
        },
        above("metadata", "metadata") { limits in
            NewMessage(
                .user, "x", metadata: ["k": .string(String(repeating: "m", count: max(0, limits.metadataBytes - 7)))])
        },
        Scenario(
            "limits.metadata-above-in-session", .limits, "2", "Longer metadata of a session is limitExceeded.",
            layers: [.service]
        ) { test in
            let session = try await test.access.create(metadata: ["k": 1])
            let most = test.service.capabilities.limits.metadataBytes
            let metadata: JSONObject = ["k": .string(String(repeating: "m", count: max(0, most - 7)))]
            try await test.expectUnchanged(session.id, "refused metadata") {
                await test.expect(.limitExceeded, "metadata too long in create") { () throws(StoreError) in
                    try await test.service.create(actorName: "a", metadata: metadata)
                }
                await test.expect(.limitExceeded, "metadata too long in update") { () throws(StoreError) in
                    try await test.service.update(session.id, metadata: metadata)
                }
            }
            test.expect(try await test.access.list().count, equals: 1, "sessions in the list")
        },
        Scenario("limits.depth", .limits, "2", "The deepest metadata is stored and given back.") { test in
            let metadata = nested(test.store.capabilities.limits.metadataDepth)
            let session = try await test.access.create(metadata: metadata)
            let stored = try await test.access.append(NewMessage(.user, "x", metadata: metadata), to: session.id)
            test.expect(try await test.current(session.id).metadata == metadata, "another metadata in the session")
            test.expect(try await test.access.messages(session.id) == [stored], "another message is stored")
            test.expect(stored.metadata == metadata, "append gives back another metadata")
        },
        above("depth", "metadata too deep") { limits in
            NewMessage(.user, "x", metadata: nested(limits.metadataDepth + 1))
        },
        Scenario("limits.batch-above", .limits, "2", "A longer batch is limitExceeded.", layers: [.service]) { test in
            let session = try await test.session(messages: 1)
            let most = test.service.capabilities.limits.batchMessages
            try await test.expectUnchanged(session.id, "a refused batch") {
                await test.expect(.limitExceeded, "\(most + 1) messages") { () throws(StoreError) in
                    try await test.service.append((0...most).map(turn), to: session.id)
                }
            }
        },
        Scenario(
            "limits.not-finite", .limits, "2", "A number that JSON cannot write is refused, and nothing is stored.",
            layers: [.service]
        ) { test in
            let session = try await test.session(messages: 1)
            for number in [Double.nan, .infinity, -.infinity] {
                try await test.expectUnchanged(session.id, "refused metadata") {
                    await test.expect(.invalidArgument, "\(number) in a message") { () throws(StoreError) in
                        try await test.service.append(
                            [turn(1), NewMessage(.user, "x", metadata: ["n": .double(number)])], to: session.id)
                    }
                    await test.expect(.invalidArgument, "\(number) in a session") { () throws(StoreError) in
                        try await test.service.update(session.id, metadata: ["n": [.double(number)]])
                    }
                }
            }
        },
        Scenario(
            "limits.lowered", .limits, "2", "An application may lower every limit, and no further than to its own.",
            layers: [.service]
        ) { test in
            let lowered = StoreLimits(
                contentBytes: 10, metadataBytes: 20, metadataDepth: 2, toolCallIDBytes: 3, actorNameBytes: 4,
                batchMessages: 2, pageItems: 5)
            let service = lower(test.store, to: lowered, clock: test.clock)
            let session = try await service.create(actorName: "abcd", metadata: ["k": [1]])
            _ = try await service.append(
                [NewMessage(.user, "0123456789", toolCallID: "abc", metadata: ["k": [1]]), turn(1)], to: session.id)
            try await test.expectUnchanged(session.id, "what is above the lowered limits") {
                for (what, messages) in [
                    ("content", [NewMessage(.user, "0123456789a")]), ("batch", [turn(1), turn(2), turn(3)]),
                    ("tool call id", [NewMessage(.user, "", toolCallID: "abcd")]),
                    ("metadata", [NewMessage(.user, "", metadata: ["key": "0123456789abcdef"])]),
                    ("depth", [NewMessage(.user, "", metadata: ["k": [[]]])]),
                ] {
                    await test.expect(.limitExceeded, what) { () throws(StoreError) in
                        try await service.append(messages, to: session.id)
                    }
                }
                await test.expect(.limitExceeded, "actor") { () throws(StoreError) in
                    try await service.create(actorName: "abcde")
                }
                await test.expect(.limitExceeded, "page") { () throws(StoreError) in
                    try await service.messages(in: session.id, .last, limit: 6)
                }
            }
            let raised = lower(
                test.store, to: StoreLimits(contentBytes: .max, batchMessages: .max, pageItems: .max),
                clock: test.clock)
            let own = test.store.capabilities.limits
            test.expect(
                raised.capabilities.limits.contentBytes, equals: own.contentBytes, "the content that is allowed")
            test.expect(raised.capabilities.limits.pageItems, equals: own.pageItems, "the page that is allowed")
        },
        Scenario(
            "limits.lowered-each", .limits, "2",
            "Each limit is lowered for itself: what reaches it is taken, what is one above is limitExceeded, and a limit "
                + "that is raised stays the store's own.", layers: [.service]
        ) { test in
            let own = test.store.capabilities.limits
            let raised = lower(
                test.store,
                to: StoreLimits(
                    contentBytes: .max, metadataBytes: .max, metadataDepth: .max, toolCallIDBytes: .max,
                    actorNameBytes: .max, batchMessages: .max, pageItems: .max), clock: test.clock)
            test.expect(raised.capabilities.limits, equals: own, "the limits that were to be raised")
            let lowered = StoreLimits(
                contentBytes: 13, metadataBytes: 31, metadataDepth: 3, toolCallIDBytes: 5, actorNameBytes: 7,
                batchMessages: 2, pageItems: 11)
            let service = lower(test.store, to: lowered, clock: test.clock)
            test.expect(service.capabilities.limits, equals: own.lowered(to: lowered), "the limits that are in force")
            let session = try await service.create(actorName: String(repeating: "a", count: 7))
            await test.expect(.limitExceeded, "8 bytes of actor name") { () throws(StoreError) in
                try await service.update(session.id, actorName: String(repeating: "a", count: 8))
            }
            // {"k":"…"} has eight bytes besides.
            let fields: [(String, Int, @Sendable (Int) -> NewMessage)] = [
                ("bytes of content", 13, { NewMessage(.user, String(repeating: "c", count: $0)) }),
                (
                    "bytes of a tool call id", 5,
                    { NewMessage(.tool, "", toolCallID: String(repeating: "t", count: $0)) }
                ),
                (
                    "bytes of metadata", 31,
                    { NewMessage(.user, "", metadata: ["k": .string(String(repeating: "m", count: $0 - 8))]) }
                ),
                ("levels of metadata", 3, { NewMessage(.user, "", metadata: nested($0)) }),
            ]
            for (what, limit, message) in fields {
                _ = try await service.append([message(limit)], to: session.id)
                try await test.expectUnchanged(session.id, "\(limit + 1) \(what)") {
                    await test.expect(.limitExceeded, "\(limit + 1) \(what)") { () throws(StoreError) in
                        try await service.append([message(limit + 1)], to: session.id)
                    }
                }
            }
            for start in [1, 3, 5, 7] {
                _ = try await service.append([turn(start), turn(start + 1)], to: session.id)
            }
            await test.expect(.limitExceeded, "a batch of 3") { () throws(StoreError) in
                try await service.append([turn(1), turn(2), turn(3)], to: session.id)
            }
            test.expect(
                try await service.messages(in: session.id, .after(0), limit: 11).messages.count, equals: 11,
                "messages of the largest page")
            test.expect(
                try await service.list(SessionFilter(), limit: 11, offset: 0, after: nil).sessions.count, equals: 1,
                "sessions of the largest page")
            for limit in [12, 13] {
                await test.expect(.limitExceeded, "a page of \(limit)") { () throws(StoreError) in
                    try await service.messages(in: session.id, .last, limit: limit)
                }
                await test.expect(.limitExceeded, "a list of \(limit)") { () throws(StoreError) in
                    try await service.list(SessionFilter(), limit: limit, offset: 0, after: nil)
                }
            }
        },
    ]

    private static func above(
        _ name: String, _ what: String, full: Bool = false, _ message: @escaping @Sendable (StoreLimits) -> NewMessage
    ) -> Scenario {
        Scenario(
            "limits.\(name)-above", .limits, "2",
            "A message above the limit (\(what)) is limitExceeded, and nothing of its batch is stored.",
            level: full ? .full : .base, layers: [.service]
        ) { test in
            let session = try await test.session(messages: 1)
            let message = message(test.service.capabilities.limits)
            try await test.expectUnchanged(session.id, "a batch with a message above the limit") {
                await test.expect(.limitExceeded, what) { () throws(StoreError) in
                    try await test.service.append(
                        [turn(1), message], to: session.id, usage: TokenUsage(inputTokens: 1), expectedSequence: nil)
                }
            }
        }
    }
}

/// Objects within each other, so many levels.
private func nested(_ depth: Int) -> JSONObject {
    var object: JSONObject = [:]
    for _ in 1..<max(depth, 1) { object = ["d": .object(object)] }
    return object
}

private func lower(
    _ store: some SessionStore, to limits: StoreLimits, clock: ScenarioClock
) -> any SessionService {
    PersistentSessionService(store, retryPolicy: .never, limits: limits, now: { clock.next() })
}
