/// Bars in groups, lying, as an inline SVG.
struct BarChart {
    struct Bar {
        let name: String
        let value: Double
        /// Where whiskers reach to.
        let range: ClosedRange<Double>
        let color: String
    }

    struct Group {
        let name: String
        let bars: [Bar]
    }

    private static let width = 450.0
    private static let nameWidth = 185.0
    private static let valueWidth = 60.0
    private static let barHeight = 15.0

    let title: String
    let groups: [Group]
    /// A value to draw a line at.
    var mark: Double?

    var svg: String {
        let top = max(mark ?? 0, groups.flatMap(\.bars).map { max($0.value, $0.range.upperBound) }.max() ?? 0)
        let scale = (Self.width - Self.nameWidth - Self.valueWidth) / max(top, .leastNormalMagnitude)
        var y = 4.0
        var parts: [String] = []
        for group in groups where !group.bars.isEmpty {
            if !group.name.isEmpty {
                parts.append(text(group.name, x: 0, y: y + 11, weight: "600"))
                y += Self.barHeight + 2
            }
            for bar in group.bars {
                let length = bar.value * scale
                let middle = y + Self.barHeight / 2
                parts.append(text(bar.name, x: Self.nameWidth - 6, y: y + 11, anchor: "end"))
                parts.append(
                    "<rect x=\"\(Self.nameWidth)\" y=\"\(y + 1)\" width=\"\(length.formatted(decimals: 1))\" "
                        + "height=\"\(Self.barHeight - 2)\" fill=\"\(bar.color)\"><title>\(escaped(bar.name)): "
                        + "\(bar.value.short)</title></rect>")
                if bar.range.upperBound > bar.range.lowerBound {
                    let from = (Self.nameWidth + bar.range.lowerBound * scale).formatted(decimals: 1)
                    let to = (Self.nameWidth + bar.range.upperBound * scale).formatted(decimals: 1)
                    parts.append(
                        "<path d=\"M\(from) \(middle)H\(to)M\(from) \(middle - 3)v6M\(to) \(middle - 3)v6\" "
                            + "stroke=\"currentColor\" fill=\"none\"/>")
                }
                let end = Self.nameWidth + max(length, bar.range.upperBound * scale) + 5
                parts.append(text(bar.value.short, x: end, y: y + 11))
                y += Self.barHeight
            }
            y += 6
        }
        if let mark {
            let x = (Self.nameWidth + mark * scale).formatted(decimals: 1)
            parts.append("<path d=\"M\(x) 0V\(y)\" stroke=\"currentColor\" stroke-dasharray=\"3 3\"/>")
        }
        return figure(title, width: Self.width, height: y, parts)
    }
}

/// Lines over named places, with a logarithmic scale, as an inline SVG.
struct LineChart {
    struct Line {
        let name: String
        let color: String
        let isDashed: Bool
        let points: [(x: Double, y: Double)]
    }

    private static let width = 430.0
    private static let height = 190.0
    private static let left = 55.0
    private static let legendHeight = 14.0

    let title: String
    let lines: [Line]
    /// The places, with their names.
    let ticks: [(x: Double, name: String)]

    var svg: String {
        let values = lines.flatMap(\.points).map(\.y).filter { $0 > 0 }
        let low = Statistics.logarithm((values.min() ?? 1) * 0.9)
        let high = Statistics.logarithm((values.max() ?? 10) * 1.1)
        let right = ticks.map(\.x).max() ?? 1
        let x = { (place: Double) in Self.left + 10 + place / max(right, 1) * (Self.width - Self.left - 30) }
        let y = { (value: Double) in
            Self.height - 20 - (Statistics.logarithm(value) - low) / (high - low) * (Self.height - 30)
        }
        var parts: [String] = []
        for value in Self.gridValues(Statistics.exponential(low), Statistics.exponential(high)) {
            let place = y(value).formatted(decimals: 1)
            parts.append("<path d=\"M\(Self.left) \(place)H\(Self.width)\" stroke=\"currentColor\" opacity=\".15\"/>")
            parts.append(text(value.short, x: Self.left - 5, y: y(value) + 4, anchor: "end"))
        }
        for tick in ticks { parts.append(text(tick.name, x: x(tick.x), y: Self.height - 4, anchor: "middle")) }
        for line in lines {
            let path = line.points.filter { $0.y > 0 }.map { point in
                "\(x(point.x).formatted(decimals: 1)),\(y(point.y).formatted(decimals: 1))"
            }
            parts.append(
                "<polyline points=\"\(path.joined(separator: " "))\" fill=\"none\" stroke=\"\(line.color)\" "
                    + "stroke-width=\"1.8\"\(line.isDashed ? " stroke-dasharray=\"5 3\"" : "")/>")
            for point in line.points where point.y > 0 {
                parts.append(
                    "<circle cx=\"\(x(point.x).formatted(decimals: 1))\" cy=\"\(y(point.y).formatted(decimals: 1))\" "
                        + "r=\"2.5\" fill=\"\(line.color)\"><title>\(escaped(line.name)): \(point.y.short)</title></circle>"
                )
            }
        }
        for (index, line) in lines.enumerated() {
            let column = Double(index % 2) * Self.width / 2
            let row = Self.height + 14 + Double(index / 2) * Self.legendHeight
            parts.append(
                "<path d=\"M\(column) \(row - 4)h18\" stroke=\"\(line.color)\" stroke-width=\"2\""
                    + "\(line.isDashed ? " stroke-dasharray=\"5 3\"" : "")/>")
            parts.append(text(line.name, x: column + 23, y: row))
        }
        let height = Self.height + 6 + Double((lines.count + 1) / 2) * Self.legendHeight
        return figure(title, width: Self.width, height: height, parts)
    }

    /// 1, 2 and 5 times powers of ten, fewer where there would be many.
    private static func gridValues(_ low: Double, _ high: Double) -> [Double] {
        let steps: [Double] = high / low > 300 ? [1] : [1, 2, 5]
        var values: [Double] = []
        var power = 0.001
        while power <= high {
            values += steps.map { $0 * power }.filter { $0 >= low && $0 <= high }
            power *= 10
        }
        return values
    }
}

private func text(_ text: String, x: Double, y: Double, anchor: String = "start", weight: String = "400") -> String {
    "<text x=\"\(x.formatted(decimals: 1))\" y=\"\(y.formatted(decimals: 1))\" text-anchor=\"\(anchor)\" "
        + "font-weight=\"\(weight)\">\(escaped(text))</text>"
}

private func figure(_ title: String, width: Double, height: Double, _ parts: [String]) -> String {
    "<figure><figcaption>\(escaped(title))</figcaption>"
        + "<svg viewBox=\"0 0 \(width) \(height)\" role=\"img\" aria-label=\"\(escaped(title))\">\(parts.joined())</svg>"
        + "</figure>"
}
