extension String {
    /// The columns that the text takes on a terminal, as far as that can be known: two for East Asian wide characters
    /// and emoji, none for marks that combine, one for the rest.
    var columns: Int {
        utf8.allSatisfy { $0 < 0x80 } ? utf8.count : reduce(0) { $0 + $1.columns }
    }

    /// The text with spaces after it, up to a width.
    func padded(to width: Int) -> String { self + String(repeating: " ", count: Swift.max(0, width - columns)) }

    /// The text with spaces before it, up to a width.
    func paddedLeft(to width: Int) -> String { String(repeating: " ", count: Swift.max(0, width - columns)) + self }

    /// The text, cut with an ellipsis where it takes more than `width` columns.
    func shortened(to width: Int) -> String {
        guard columns > width else { return self }
        var shown = ""
        var used = 0
        for character in self {
            used += character.columns
            if used >= width { break }
            shown.append(character)
        }
        return shown + "…"
    }
}

extension Character {
    fileprivate var columns: Int {
        guard let first = unicodeScalars.first else { return 0 }
        if unicodeScalars.contains(where: { $0.value == 0xFE0F || $0.properties.isEmojiPresentation }) { return 2 }
        switch first.properties.generalCategory {
        case .nonspacingMark, .enclosingMark, .format, .control: return 0
        default: return first.isWide ? 2 : 1
        }
    }
}

extension Unicode.Scalar {
    /// The blocks of East Asian Width W and F, roughly.
    fileprivate var isWide: Bool {
        switch value {
        case 0x1100...0x115F, 0x2E80...0x303E, 0x3041...0x33FF, 0x3400...0x4DBF, 0x4E00...0x9FFF, 0xA000...0xA4CF,
            0xA960...0xA97F, 0xAC00...0xD7A3, 0xF900...0xFAFF, 0xFE30...0xFE6F, 0xFF00...0xFF60, 0xFFE0...0xFFE6,
            0x20000...0x3FFFD:
            true
        default: false
        }
    }
}
