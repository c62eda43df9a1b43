import AgentSessions

extension SessionMessage {
    /// The message for people: a line with its role, its text and its tool calls, each indented.
    var block: String {
        var head = "#\(sequence)  \(role)"
        if let name = metadata["name"]?.stringValue { head += " \(visible(name))" }
        if let toolCallID { head += "  (answers \(visible(toolCallID)))" }
        var lines = ["\(head)  \(createdAt.shortText)"]
        if !content.isEmpty { lines.append(indented(visible(content, keepsLines: true))) }
        for call in metadata["tool_calls"]?.arrayValue ?? [] { lines.append(Self.line(ofToolCall: call)) }
        var rest = metadata
        rest["tool_calls"] = .none
        rest["name"] = .none
        if !rest.isEmpty, let text = try? rest.losslessText() { lines.append("    metadata " + visible(text)) }
        return lines.joined(separator: "\n")
    }

    private static func line(ofToolCall call: JSONValue) -> String {
        guard let name = call["function"]?["name"]?.stringValue else {
            return "    → " + visible((try? jsonText(call)) ?? "a tool call")
        }
        let arguments = call["function"]?["arguments"].map { $0.stringValue ?? ((try? jsonText($0)) ?? "") } ?? ""
        let id = call["id"]?.stringValue.map { "  (\(visible($0)))" } ?? ""
        return "    → \(visible(name))(\(visible(arguments)))\(id)"
    }

    private func indented(_ text: String) -> String {
        text.split(separator: "\n", omittingEmptySubsequences: false).map { "    " + $0 }.joined(separator: "\n")
    }
}
