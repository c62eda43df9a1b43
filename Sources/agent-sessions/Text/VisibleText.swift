/// Text of a store, made safe to print: what would drive a terminal or reorder the line around it is shown as
/// `\u{…}` instead.
///
/// - Parameter keepsLines: Whether line breaks and tabs stay as they are.
func visible(_ text: String, keepsLines: Bool = false) -> String {
    guard text.unicodeScalars.contains(where: { needsEscape($0, keepsLines: keepsLines) }) else { return text }
    var shown = ""
    for scalar in text.unicodeScalars {
        if needsEscape(scalar, keepsLines: keepsLines) {
            shown += "\\u{" + String(scalar.value, radix: 16, uppercase: true) + "}"
        } else {
            shown.unicodeScalars.append(scalar)
        }
    }
    return shown
}

private func needsEscape(_ scalar: Unicode.Scalar, keepsLines: Bool) -> Bool {
    switch scalar.value {
    case 0x20...0x7E: return false
    case 0x09, 0x0A: return !keepsLines
    // Joiners, without which emoji and several scripts fall apart.
    case 0x200C, 0x200D: return false
    default: break
    }
    switch scalar.properties.generalCategory {
    case .control, .format, .lineSeparator, .paragraphSeparator, .unassigned, .privateUse: return true
    default: return false
    }
}
