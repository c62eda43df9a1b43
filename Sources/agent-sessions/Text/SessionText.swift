import AgentSessions

extension Session {
    /// The session for people, a field a line.
    var block: String {
        var pairs = [
            ("session", id.description), ("actor", visible(actorName)), ("messages", String(messageCount)),
            ("tokens", "\(usage.inputTokens) in, \(usage.outputTokens) out"),
            ("cost", dollars(microdollars: usage.estimatedCost)), ("created", createdAt.description),
            ("updated", updatedAt.description),
        ]
        if !metadata.isEmpty { pairs.append(("metadata", visible((try? metadata.losslessText()) ?? "{}"))) }
        return keyValueBlock(pairs)
    }

    static let listColumns: [Table.Column] = [
        .text("ID"), .text("ACTOR"), .number("MESSAGES"), .number("TOKENS IN"), .number("OUT"), .number("COST"),
        .text("UPDATED (UTC)"),
    ]

    /// The session as a row of a list.
    var listRow: [String] {
        [
            id.description, visible(actorName).shortened(to: 40), String(messageCount), String(usage.inputTokens),
            String(usage.outputTokens), dollars(microdollars: usage.estimatedCost), updatedAt.shortText,
        ]
    }
}

extension Timestamp {
    /// The time to the second, such as `2026-11-22 17:05:09`.
    var shortText: String { description.prefix(19).split(separator: "T").joined(separator: " ") }
}

/// An amount of money in full, such as `$0.0125`: at least two decimals, at most six.
func dollars(microdollars: Int64) -> String {
    var decimals = String(1_000_000 + microdollars.magnitude % 1_000_000).dropFirst()
    while decimals.count > 2, decimals.hasSuffix("0") { decimals.removeLast() }
    return (microdollars < 0 ? "-$" : "$") + "\(microdollars.magnitude / 1_000_000).\(decimals)"
}

/// A number of things, such as `1 session`, `5,308 messages`.
func counted(_ count: Int, _ thing: String) -> String {
    var digits = String(count)
    var groups: [Substring] = []
    while digits.count > 3 {
        groups.insert(digits.suffix(3), at: 0)
        digits.removeLast(3)
    }
    let number = ([digits[...]] + groups).joined(separator: ",")
    return "\(number) \(thing)\(count == 1 ? "" : "s")"
}
