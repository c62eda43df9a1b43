/// Rows of text under titles, each column as wide as its widest cell.
struct Table {
    /// A column.
    struct Column {
        let title: String
        let isNumber: Bool

        static func text(_ title: String) -> Column { Column(title: title, isNumber: false) }
        static func number(_ title: String) -> Column { Column(title: title, isNumber: true) }
    }

    let columns: [Column]
    var rows: [[String]] = []

    init(_ columns: [Column]) { self.columns = columns }

    /// The titles and the rows, a line each, without a break after the last.
    var text: String {
        let lines = [columns.map(\.title)] + rows
        let widths = columns.indices.map { index in lines.map { $0[index].columns }.max() ?? 0 }
        return lines.map { cells in
            var line = ""
            for (index, cell) in cells.enumerated() {
                if index > 0 { line += "  " }
                line += columns[index].isNumber ? cell.paddedLeft(to: widths[index]) : cell.padded(to: widths[index])
            }
            while line.hasSuffix(" ") { line.removeLast() }
            return line
        }.joined(separator: "\n")
    }
}

/// Names and values, a line each, the values below each other.
func keyValueBlock(_ pairs: [(name: String, value: String)], indent: Int = 0) -> String {
    let width = pairs.map { $0.name.columns }.max() ?? 0
    let margin = String(repeating: " ", count: indent)
    return pairs.map { pair in
        pair.value.isEmpty ? margin + pair.name : margin + pair.name.padded(to: width) + "  " + pair.value
    }.joined(separator: "\n")
}
