import AgentSessions

/// Makes a failing sequence as short and as plain as it can be while it fails: delta debugging (Zeller and Hildebrandt,
/// "Simplifying and isolating failure-inducing input", 2002) over the steps, then plainer values in each step.
///
/// - Parameters:
///   - steps: The steps that fail.
///   - budget: How many times to try.
///   - fails: Whether a sequence fails.
func shrunk(
    _ steps: [RandomStep], budget: Int, fails: ([RandomStep]) async -> Bool
) async -> [RandomStep] {
    var left = budget
    func stillFails(_ candidate: [RandomStep]) async -> Bool {
        guard left > 0 else { return false }
        left -= 1
        return await fails(candidate)
    }
    var steps = steps
    // A store that fails whatever is done tells nothing about the steps.
    guard await !stillFails([]) else { return [] }
    var size = max(steps.count / 2, 1)
    while left > 0 {
        var index = 0
        var removed = false
        while index < steps.count {
            var candidate = steps
            candidate.removeSubrange(index..<min(index + size, steps.count))
            if await stillFails(candidate) {
                steps = candidate
                removed = true
            } else {
                index += size
            }
        }
        if size == 1, !removed { break }
        size = max(size / 2, 1)
    }
    var index = 0
    while index < steps.count, left > 0 {
        var isPlainer = false
        for plainer in steps[index].plainer {
            var candidate = steps
            candidate[index] = plainer
            guard await stillFails(candidate) else { continue }
            steps = candidate
            isPlainer = true
            break
        }
        if !isPlainer { index += 1 }
    }
    return steps
}

extension RandomStep {
    /// The step with one value that is plainer, each way that there is.
    var plainer: [RandomStep] {
        var steps = call.plainer.map { RandomStep(tick: tick, call: $0) }
        if tick != Self.usualTick { steps.append(RandomStep(tick: Self.usualTick, call: call)) }
        return steps
    }
}

extension RandomStep.Call {
    fileprivate var plainer: [RandomStep.Call] {
        switch self {
        case .create(let session, let actorName, let metadata):
            var calls: [RandomStep.Call] = []
            if !metadata.isEmpty { calls.append(.create(session, actorName: actorName, metadata: [:])) }
            if actorName != "a" { calls.append(.create(session, actorName: "a", metadata: metadata)) }
            return calls
        case .list(let filter, let after, let offset, let limit):
            var calls: [RandomStep.Call] = []
            for path in [\RandomStep.Filter.createdFrom, \.createdBefore, \.updatedFrom, \.updatedBefore]
            where filter[keyPath: path] != nil {
                var plainer = filter
                plainer[keyPath: path] = nil
                calls.append(.list(plainer, after: after, offset: offset, limit: limit))
            }
            if filter.actorName != nil {
                var plainer = filter
                plainer.actorName = nil
                calls.append(.list(plainer, after: after, offset: offset, limit: limit))
            }
            if after != nil { calls.append(.list(filter, after: nil, offset: offset, limit: limit)) }
            if offset > 0 { calls.append(.list(filter, after: after, offset: 0, limit: limit)) }
            if limit != 100 { calls.append(.list(filter, after: after, offset: offset, limit: 100)) }
            return calls
        case .update(let session, let actorName, let metadata, let expected):
            var calls: [RandomStep.Call] = []
            if case .current = expected {
                calls.append(.update(session, actorName: actorName, metadata: metadata, expected: .any))
            }
            if actorName != nil, metadata != nil {
                calls.append(.update(session, actorName: actorName, metadata: nil, expected: expected))
                calls.append(.update(session, actorName: nil, metadata: metadata, expected: expected))
            }
            return calls
        case .addUsage(let session, let usage):
            return usage.plainer.map { .addUsage(session, $0) }
        case .append(let session, let messages, let usage, let expected):
            var calls: [RandomStep.Call] = []
            if messages.count > 1 {
                for index in messages.indices {
                    var fewer = messages
                    fewer.remove(at: index)
                    calls.append(.append(session, fewer, usage: usage, expectedSequence: expected))
                }
            }
            if expected != nil { calls.append(.append(session, messages, usage: usage, expectedSequence: nil)) }
            if let usage {
                calls.append(.append(session, messages, usage: nil, expectedSequence: expected))
                calls += usage.plainer.map { .append(session, messages, usage: $0, expectedSequence: expected) }
            }
            for index in messages.indices {
                for message in messages[index].plainer {
                    var plainer = messages
                    plainer[index] = message
                    calls.append(.append(session, plainer, usage: usage, expectedSequence: expected))
                }
            }
            return calls
        case .page(let session, let range, let limit):
            return limit == 100 ? [] : [.page(session, range, limit: 100)]
        case .rewind(let session, let sequence, let expectedSequence, let expected):
            var calls: [RandomStep.Call] = []
            if expectedSequence != nil {
                calls.append(.rewind(session, to: sequence, expectedSequence: nil, expected: expected))
            }
            if case .current = expected {
                calls.append(.rewind(session, to: sequence, expectedSequence: expectedSequence, expected: .any))
            }
            return calls
        case .get, .delete, .restore:
            return []
        }
    }
}

extension RandomStep.Message {
    fileprivate var plainer: [RandomStep.Message] {
        func with(_ change: (inout RandomStep.Message) -> Void) -> RandomStep.Message {
            var message = self
            change(&message)
            return message
        }
        var messages: [RandomStep.Message] = []
        if !metadata.isEmpty { messages.append(with { $0.metadata = [:] }) }
        if toolCallID != nil { messages.append(with { $0.toolCallID = nil }) }
        if content != "x" { messages.append(with { $0.content = "x" }) }
        if role != .user { messages.append(with { $0.role = .user }) }
        return messages
    }
}

extension TokenUsage {
    fileprivate var plainer: [TokenUsage] {
        [\TokenUsage.inputTokens, \.outputTokens, \.estimatedCost].filter { self[keyPath: $0] != 0 }.map { path in
            var usage = self
            usage[keyPath: path] = 0
            return usage
        }
    }
}
