import AgentSessions

extension Scenario {
    static let streams: [Scenario] = [
        Scenario(
            "stream.whole", .stream, "3.7", "A stream gives every message once, in order, from wherever it begins."
        ) { test in
            let session = try await test.session(messages: 450)
            let all = try await test.access.messages(session.id)
            for start in [0, 1, 199, 200, 201, 449, 450, 451] {
                var seen: [SessionMessage] = []
                for try await message in test.service.messageStream(in: session.id, after: start) {
                    seen.append(message)
                }
                test.expect(seen, are: all.dropFirst(start), "the stream after \(start)")
            }
        },
        Scenario("stream.empty", .stream, "3.7", "The stream of an empty session ends at once.") { test in
            let session = try await test.access.create()
            var iterator = test.service.messageStream(in: session.id).makeAsyncIterator()
            test.expect(try await iterator.next(), equals: nil, "the first message")
            test.expect(try await iterator.next(), equals: nil, "the message after the end")
        },
        Scenario("stream.absent", .stream, "3.7", "The stream of an absent session throws notFound, then ends.") {
            test in
            var iterator = test.service.messageStream(in: test.newID()).makeAsyncIterator()
            do throws(StoreError) {
                _ = try await iterator.next()
                test.fail("the stream of an absent session did not throw")
            } catch {
                test.expect(error.code, equals: .notFound, "the error")
            }
        },
        Scenario(
            "stream.while-appending", .stream, "3.7",
            "A stream has no gap and no repeat while others append."
        ) { test in
            let session = try await test.session(messages: 410)
            var seen: [SessionMessage] = []
            for try await message in test.service.messageStream(in: session.id) {
                seen.append(message)
                if seen.count.isMultiple(of: 100), seen.count <= 400 {
                    _ = try await test.access.append([turn(1), turn(2), turn(3)], to: session.id)
                }
            }
            test.expect(seen.map(\.sequence), equals: Array(1..<(seen.count + 1)), "the sequences")
            test.expect(seen.count >= 410, "messages that were there at the start: \(seen.count) of 410")
            test.expect(try await test.access.messages(session.id), are: seen, "the messages")
        },
        Scenario(
            "stream.rewound", .stream, "3.7",
            "A stream whose past is rewound ends with a conflict, never with a mixture."
        ) { test in
            let session = try await test.session(messages: 500)
            var iterator = test.service.messageStream(in: session.id).makeAsyncIterator()
            for _ in 0..<200 { _ = try await iterator.next() }
            _ = try await test.access.rewind(session.id, to: 100)
            _ = try await test.access.append((0..<400).map { NewMessage(.user, "new \($0)") }, to: session.id)
            do throws(StoreError) {
                while let message = try await iterator.next() {
                    test.expect(
                        !message.content.hasPrefix("new"), "the stream goes on with a message of another past")
                    if message.content.hasPrefix("new") { return }
                }
                test.fail("the stream ended as if nothing had happened")
            } catch {
                test.expect(error.code, equals: .conflict, "the error")
            }
        },
        Scenario(
            "stream.large-messages", .stream, "3.7", "A stream of messages larger than its pages is whole.",
            level: .full
        ) { test in
            let session = try await test.access.create()
            let size = min(1_500_000, test.store.capabilities.limits.contentBytes)
            for number in 0..<4 {
                _ = try await test.access.append(
                    [NewMessage(.user, String(repeating: "\(number)", count: size)), turn(number)], to: session.id)
            }
            var sizes: [Int] = []
            for try await message in test.service.messageStream(in: session.id) {
                sizes.append(message.content.utf8.count)
            }
            test.expect(sizes, equals: [size, 2, size, 2, size, 2, size, 2], "the sizes")
        },
        Scenario(
            "stream.pages-of-one-moment", .stream, "3.12",
            "A page taken while others append shows a session and messages that belong together.",
            timeLimit: .seconds(30)
        ) { test in
            let session = try await test.access.create()
            let access = test.access
            _ = try await atOnce(4) { index in
                for round in 0..<25 {
                    if index < 2 {
                        _ = try await access.append(
                            [turn(round), turn(round + 1)], to: session.id, usage: TokenUsage(inputTokens: 2))
                        continue
                    }
                    guard let page = try await access.page(session.id, index == 2 ? .last : .after(0), limit: 1000)
                    else { return test.fail("the session is absent") }
                    test.expect(page.messages.count, equals: page.session.messageCount, "messages of the page")
                    test.expect(
                        page.messages.map(\.sequence), equals: page.session.sequences,
                        "the sequences of the page")
                    test.expect(
                        page.session.usage.inputTokens, equals: Int64(page.session.messageCount),
                        "tokens beside messages")
                    if let last = page.messages.last {
                        test.expect(last.createdAt, equals: page.session.revision, "the revision of the page")
                    }
                }
            }
            test.expect(try await test.current(session.id).messageCount, equals: 100, "messages in the end")
        },
        Scenario(
            "stream.list-of-one-moment", .stream, "3.12",
            "A list shows each session at one moment, count and usage "
                + "together, while others append."
        ) { test in
            let session = try await test.access.create()
            let access = test.access
            _ = try await atOnce(3) { index in
                for round in 0..<25 {
                    if index == 0 {
                        _ = try await access.append(turn(round), to: session.id, usage: TokenUsage(outputTokens: 1))
                    } else {
                        let found = index == 1 ? try await access.get(session.id) : try await access.list().first
                        test.expect(
                            found?.usage.outputTokens, equals: found.map { Int64($0.messageCount) },
                            "tokens beside messages")
                    }
                }
            }
        },
    ]
}
