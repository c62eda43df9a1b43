/// Text from outside, made safe to stand in a message: shortened, with control characters escaped, and in quotation marks.
package func quoted(_ text: String, limit: Int = 60) -> String {
    "\"" + shortened(text, limit: limit) + "\""
}

/// At most `limit` scalars of a text from outside, and as `\u{…}` those that would upset a line of text.
package func shortened(_ text: String, limit: Int) -> String {
    var shown = ""
    for (position, scalar) in text.unicodeScalars.enumerated() {
        if position == limit { return shown + "…" }
        switch scalar.properties.generalCategory {
        case .control, .format, .lineSeparator, .paragraphSeparator, .unassigned, .privateUse:
            shown += "\\u{" + String(scalar.value, radix: 16) + "}"
        default:
            shown.unicodeScalars.append(scalar)
        }
    }
    return shown
}
