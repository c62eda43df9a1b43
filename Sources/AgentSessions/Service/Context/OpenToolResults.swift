/// Which results of tools wait for the call that they answer, while a session is read from its end to its beginning.
struct OpenToolResults {
    /// Sequences of results, by the id of the call.
    private var named: [String: [Int]] = [:]
    /// Sequences of the results that stand directly after the next message to come.
    private var adjacent: [Int] = []
    /// The sequences of all of them.
    private(set) var sequences: Set<Int> = []

    /// Takes the message before those that were taken already.
    mutating func take(_ message: SessionMessage) {
        guard message.role != .tool else { return add(message) }
        defer { adjacent = [] }
        guard message.role == .assistant else { return }
        if let calls = message.toolCallIDs {
            for call in calls { sequences.subtract(named.removeValue(forKey: call) ?? []) }
            // A result without an id answers the calls before it.
            sequences.subtract(adjacent.filter { !isNamed($0) })
        } else {
            // An application that keeps its calls elsewhere: what follows is taken to answer them.
            sequences.subtract(adjacent)
            for (call, results) in named {
                let rest = results.filter(sequences.contains)
                named[call] = rest.isEmpty ? nil : rest
            }
        }
    }

    private mutating func add(_ message: SessionMessage) {
        sequences.insert(message.sequence)
        adjacent.append(message.sequence)
        if let call = message.toolCallID { named[call, default: []].append(message.sequence) }
    }

    private func isNamed(_ sequence: Int) -> Bool {
        named.values.contains { $0.contains(sequence) }
    }
}
