import AgentSessions

/// What random sequences are made of: pools of values, small enough that steps meet, with the borders among them.
struct RandomProfile: Sendable {
    /// How often each kind of step comes, in proportion.
    var weights: [(Kind, Int)]
    var sessions: Int
    var messages: Int

    enum Kind: Sendable {
        case create, get, list, update, addUsage, delete, append, again, page, rewind, restore
    }

    /// Everything.
    static let all = RandomProfile(
        weights: [
            (.create, 10), (.get, 4), (.list, 8), (.update, 8), (.addUsage, 6), (.delete, 4), (.append, 20),
            (.again, 8),
            (.page, 12), (.rewind, 8), (.restore, 4),
        ], sessions: 4, messages: 10)
    /// The messages of a session: appends, replays, rewinds, pages.
    static let messages = RandomProfile(
        weights: [(.create, 4), (.append, 30), (.again, 20), (.page, 25), (.rewind, 18), (.delete, 1), (.restore, 2)],
        sessions: 2, messages: 14)
    /// The list: many sessions, filters, cursors, changes of what lists are made from.
    static let lists = RandomProfile(
        weights: [
            (.create, 25), (.list, 45), (.update, 12), (.addUsage, 5), (.append, 4), (.delete, 6), (.restore, 3),
        ],
        sessions: 16, messages: 4)

    // MARK: Values

    private static let actors = ["a", "A", "a/b", "a_b", "axb", "ab", "a b", "%", "é", "e\u{301}", "名"]
    private static let contents = [
        "", "x", "y", "x\0y", "\0", "é", "e\u{301}", "👩‍👩‍👧", " x ", "x\r\ny", "'\"\\", "\u{FEFF}x", "\u{FFFF}",
        "\u{2028}", "1", "null",
    ]
    private static let calls: [String?] = [nil, nil, nil, "", "call_1", "c\0d"]
    private static let metadata: [JSONObject] = [
        [:], [:], ["a": 1], ["a": .double(1)], ["a": .null], ["b": [], "c": [:]],
        ["n": .integer(.max), "m": .integer(.min)],
        ["d": .double(-0.0), "e": .double(0.1), "f": .double(.leastNonzeroMagnitude)],
        ["é": "e\u{301}", "e\u{301}": "é"],
        ["": "\0", "$x.y": [1, "1", true]],
    ]
    private static let amounts: [Int64] = [0, 1, 2, 999, 1 << 31, 1 << 53 | 1, .max / 2, .max, -1]
    private static let ticks: [Int64] = [1000, 1000, 1000, 1, 0, 0, -5, 999, 1_000_000, -1_000_000]
    private static let roles: [MessageRole] = [.user, .assistant, .tool, .system, .developer]

    // MARK: Steps

    /// A sequence of so many steps.
    func steps(_ count: Int, using random: inout SeededRandom) -> [RandomStep] {
        var steps: [RandomStep] = []
        // Batches that were sent, to send them again.
        var sent: [(Int, [RandomStep.Message], TokenUsage?, Int?)] = []
        for _ in 0..<count {
            let step = RandomStep(
                tick: Self.ticks.randomElement(using: &random) ?? 0, call: call(sent: sent, using: &random))
            if case .append(let session, let messages, let usage, let expected) = step.call {
                sent.append((session, messages, usage, expected))
            }
            steps.append(step)
        }
        return steps
    }

    private func call(
        sent: [(Int, [RandomStep.Message], TokenUsage?, Int?)], using random: inout SeededRandom
    ) -> RandomStep.Call {
        let session = Int.random(in: 0..<sessions, using: &random)
        switch kind(using: &random) {
        case .create:
            return .create(
                session, actorName: Self.pick(Self.actors, &random), metadata: Self.pick(Self.metadata, &random))
        case .get:
            return .get(session)
        case .list:
            return .list(
                filter(using: &random), after: maybe(2, &random) { Int.random(in: 0..<sessions, using: &$0) },
                offset: Self.pick([0, 0, 0, 1, 2, 5], &random), limit: Self.pick([1, 2, 3, 7, 100, 100], &random))
        case .update:
            let actor = maybe(2, &random) { Self.pick(Self.actors, &$0) }
            let metadata =
                actor == nil ? Self.pick(Self.metadata, &random) : maybe(2, &random) { Self.pick(Self.metadata, &$0) }
            return .update(session, actorName: actor, metadata: metadata, expected: revision(using: &random))
        case .addUsage:
            return .addUsage(session, usage(using: &random))
        case .delete:
            return .delete(session)
        case .append:
            let ids = (0..<messages).shuffled(using: &random).prefix(Self.pick([1, 1, 1, 2, 3, 5], &random))
            return .append(
                session, ids.map { message($0, using: &random) }, usage: maybe(3, &random) { usage(using: &$0) },
                expectedSequence: maybe(3, &random) { Int.random(in: 0...6, using: &$0) })
        case .again:
            guard var (session, messages, usage, expected) = sent.suffix(6).randomElement(using: &random) else {
                return .get(session)
            }
            switch Int.random(in: 0..<8, using: &random) {
            case 0: messages.reverse()
            case 1: messages.append(message(Int.random(in: 0..<self.messages, using: &random), using: &random))
            case 2: messages[0].content = Self.pick(Self.contents, &random)
            case 3: messages[0].metadata = Self.pick(Self.metadata, &random)
            case 4: messages.removeFirst(messages.count > 1 ? 1 : 0)
            case 5: expected = maybe(2, &random) { Int.random(in: 0...6, using: &$0) }
            case 6: usage = self.usage(using: &random)
            default: break
            }
            var seen: Set<Int> = []
            messages = messages.filter { seen.insert($0.id).inserted }
            if maybe(6, &random, { _ in true }) == true { session = Int.random(in: 0..<sessions, using: &random) }
            return .append(session, messages, usage: usage, expectedSequence: expected)
        case .page:
            let range: MessageRange =
                switch Int.random(in: 0..<3, using: &random) {
                case 0: .after(Int.random(in: 0...8, using: &random))
                case 1: .before(Int.random(in: 1...9, using: &random))
                default: .last
                }
            return .page(session, range, limit: Self.pick([1, 2, 3, 100], &random))
        case .rewind:
            return .rewind(
                session, to: Self.pick([0, 0, 1, 2, 3, 4, 6, 9], &random),
                expectedSequence: maybe(5, &random) { Int.random(in: 0...6, using: &$0) },
                expected: revision(using: &random))
        case .restore:
            return .restore(session, as: Int.random(in: 0..<sessions, using: &random))
        }
    }

    private func kind(using random: inout SeededRandom) -> Kind {
        var left = Int.random(in: 0..<weights.reduce(0) { $0 + $1.1 }, using: &random)
        for (kind, weight) in weights {
            left -= weight
            if left < 0 { return kind }
        }
        return .get
    }

    private func message(_ id: Int, using random: inout SeededRandom) -> RandomStep.Message {
        RandomStep.Message(
            id: id, role: Self.pick(Self.roles, &random), content: Self.pick(Self.contents, &random),
            toolCallID: Self.pick(Self.calls, &random), metadata: Self.pick(Self.metadata, &random))
    }

    private func usage(using random: inout SeededRandom) -> TokenUsage {
        TokenUsage(
            inputTokens: Self.pick(Self.amounts, &random), outputTokens: Self.pick([0, 1, 7], &random),
            estimatedCost: Self.pick([0, 1, 250_000], &random))
    }

    private func revision(using random: inout SeededRandom) -> RandomStep.Revision {
        Self.pick([.any, .any, .any, .current(off: 0), .current(off: 0), .current(off: -1), .current(off: 1)], &random)
    }

    private func filter(using random: inout SeededRandom) -> RandomStep.Filter {
        func session(_ random: inout SeededRandom) -> Int? {
            maybe(5, &random) { Int.random(in: 0..<sessions, using: &$0) }
        }
        return RandomStep.Filter(
            actorName: maybe(2, &random) { Self.pick(Self.actors, &$0) }, createdFrom: session(&random),
            createdBefore: session(&random), updatedFrom: session(&random), updatedBefore: session(&random))
    }

    /// A value once in so many times.
    private func maybe<Value>(
        _ times: Int, _ random: inout SeededRandom, _ value: (inout SeededRandom) -> Value
    ) -> Value? {
        Int.random(in: 0..<times, using: &random) == 0 ? value(&random) : nil
    }

    private static func pick<Value>(_ values: [Value], _ random: inout SeededRandom) -> Value {
        values[Int.random(in: 0..<values.count, using: &random)]
    }
}
