import AgentSessions

// MARK: - JSON

extension VerificationReport {
    var json: JSONValue {
        [
            "sessions": .integer(Int64(sessions)), "messages": .integer(Int64(messages)),
            "problems": .array(problems.map(\.json)), "omitted_problems": .integer(Int64(omittedProblems)),
            "checks": .array(checks.map(\.json)),
        ]
    }
}

extension VerificationCheck {
    fileprivate var json: JSONValue {
        [
            "name": .string(name), "summary": .string(summary), "examined": .integer(Int64(examined)),
            "problems": .integer(Int64(problemCount)),
        ]
    }
}

extension VerificationProblem {
    fileprivate var json: JSONValue {
        [
            "kind": .string(kind.description), "session": (sessionID?.description).json,
            "message": (messageID?.description).json, "sequence": sequence.map { .integer(Int64($0)) } ?? .null,
            "expected": expected.json, "actual": actual.json, "detail": .string(detail), "hint": .string(hint),
        ]
    }
}

// MARK: - Text

extension VerificationReport {
    /// What was checked, and what was found.
    var text: String {
        var table = Table([.text("CHECK"), .number("LOOKED AT"), .number("PROBLEMS"), .text("WHAT")])
        table.rows = checks.map { [visible($0.name), "\($0.examined)", "\($0.problemCount)", visible($0.summary)] }
        let total = "\(counted(sessions, "session")) with \(counted(messages, "message"))"
        guard !isSound else { return "\(table.text)\n\n\(total): no problem found." }
        var lines = problems.map { "\(visible($0.description))\n    \($0.hint)" }
        if omittedProblems > 0 { lines.append("… and \(omittedProblems) more") }
        return "\(table.text)\n\n\(lines.joined(separator: "\n"))\n\n\(total)."
    }
}
