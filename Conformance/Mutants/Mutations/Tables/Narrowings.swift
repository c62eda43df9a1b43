import AgentSessions

/// A way in which a value comes out as another that looks like it.
struct Narrowing<Value>: Sendable {
    let name: String
    /// Such as "loses blanks at its end".
    let what: String
    let narrow: @Sendable (Value) -> Value

    init(_ name: String, _ what: String, _ narrow: @escaping @Sendable (Value) -> Value) {
        self.name = name
        self.what = what
        self.narrow = narrow
    }
}

extension Narrowing<String> {
    /// What happens to any text, an actor name too.
    static let names: [Narrowing] = [
        Narrowing("trims-end", "loses a blank at its end") { $0.hasSuffix(" ") ? String($0.dropLast()) : $0 },
        Narrowing("trims-beginning", "loses a blank at its beginning") {
            $0.hasPrefix(" ") ? String($0.dropFirst()) : $0
        },
        Narrowing("joins-blanks", "has one blank for several") { $0.replacing("  ", with: " ") },
        Narrowing("lowers-case", "is in small letters") { $0.lowercased() },
        Narrowing("composes", "is in Unicode's composed form") { $0.scalars("e\u{301}", as: "\u{E9}") },
        Narrowing("decomposes", "is in Unicode's decomposed form") { $0.scalars("\u{E9}", as: "e\u{301}") },
        Narrowing("unbinds", "has its ligatures as letters") { $0.scalars("ﬁ", as: "fi") },
        Narrowing("strips-astral", "loses characters beyond U+FFFF") { $0.without { $0.value > 0xFFFF } },
        Narrowing("strips-joiners", "loses joiners of zero width") { $0.without { $0 == "\u{200D}" } },
        Narrowing("plain-blanks", "has U+0020 for U+00A0") { $0.scalars("\u{A0}", as: " ") },
        Narrowing("doubles-quotes", "has its quotes doubled") { $0.replacing("'", with: "''") },
        Narrowing("doubles-backslashes", "has its backslashes doubled") { $0.replacing("\\", with: "\\\\") },
        Narrowing("rounds", "is rounded where it looks like a number") { $0 == "1.0" ? "1" : $0 },
        Narrowing("cuts-at-63", "is cut after 63 bytes") { $0.cut(to: 63) },
        Narrowing("cuts-at-127", "is cut after 127 bytes") { $0.cut(to: 127) },
        Narrowing("cuts-at-254", "is cut after 254 bytes") { $0.cut(to: 254) },
    ]

    /// What an actor name cannot show, as it is not empty and has no control characters.
    static let controls: [Narrowing] = [
        Narrowing("trims-line-end", "loses a line end at its end") { $0.hasSuffix("\n") ? String($0.dropLast()) : $0 },
        Narrowing("unifies-line-ends", "has LF for CR LF") { $0.scalars("\r\n", as: "\n") },
        Narrowing("replaces-returns", "has LF for CR") { $0.scalars("\r", as: "\n") },
        Narrowing("expands-tabs", "has a blank for a tab") { $0.scalars("\t", as: " ") },
        Narrowing("drops-nul", "loses U+0000") { $0.without { $0 == "\0" } },
        Narrowing("cuts-at-nul", "is cut at its first U+0000") {
            String(String.UnicodeScalarView($0.unicodeScalars.prefix { $0 != "\0" }))
        },
        Narrowing("strips-mark", "loses U+FEFF") { $0.without { $0 == "\u{FEFF}" } },
        Narrowing("blanks-empty", "is a blank where it is empty") { $0.isEmpty ? " " : $0 },
    ]

    /// What needs a long text to be seen.
    static let lengths: [Narrowing] = [255, 256, 4096, 65_535, 65_536].map { bytes in
        Narrowing("cuts-at-\(bytes)", "is cut after \(bytes) bytes") { $0.cut(to: bytes) }
    }
}

extension Narrowing<Int64> {
    /// What columns and numbers of other kinds do to one of 64 bits.
    static let integers: [Narrowing] = [
        Narrowing("of-16-bits", "wraps at 16 bits") { $0 & 0xFFFF },
        Narrowing("of-32-bits", "wraps at 32 bits") { Int64(Int32(truncatingIfNeeded: $0)) },
        Narrowing("of-unsigned-32-bits", "wraps at 32 bits without a sign") { $0 & 0xFFFF_FFFF },
        Narrowing("at-most-32-bits", "is at most what 32 bits hold") { Swift.min($0, Int64(Int32.max)) },
        Narrowing("of-53-bits", "goes through a double") { number in
            let double = Double(number)
            return double >= 0x1p63 ? .max : Int64(double)
        },
        Narrowing("below-the-largest", "is never the largest of 64 bits") { Swift.min($0, .max - 1) },
        Narrowing("of-15-digits", "has 15 digits") { abs(Double($0)) < 1e15 ? $0 : $0 / 1000 * 1000 },
    ]

    /// What happens to negative numbers, which totals never are.
    static let signed: [Narrowing] = [
        Narrowing("unsigned", "loses its sign") { $0 == .min ? .max : abs($0) },
        Narrowing("above-the-smallest", "is never the smallest of 64 bits") { Swift.max($0, .min + 1) },
        Narrowing("not-negative", "is at least zero") { Swift.max($0, 0) },
    ]
}

extension Narrowing<Double> {
    static let doubles: [Narrowing] = [
        Narrowing("of-float", "has the precision of a float") { Double(Float($0)) },
        Narrowing("of-15-digits", "has 15 digits") {
            abs($0) < 1e-3 || abs($0) > 1e15 ? $0 : ($0 * 1e12).rounded() / 1e12
        },
        Narrowing("without-minus-zero", "has no zero with a sign") { $0 == 0 ? 0 : $0 },
        Narrowing("without-subnormals", "has no numbers below full precision") { $0.isSubnormal ? 0 : $0 },
        Narrowing("below-1e300", "is at most 1e300") { Swift.min($0, 1e300) },
        Narrowing("not-tiny", "is zero where it is tiny") { abs($0) < 1e-9 ? $0 * 0 : $0 },
        Narrowing("of-cents", "has two digits after its point") {
            abs($0) < 1e15 && abs($0) > 1e-9 ? ($0 * 100).rounded() / 100 : $0
        },
    ]
}

extension Narrowing<Timestamp> {
    /// What formats of time do to microseconds from the year 1 to 9999.
    static let times: [Narrowing] = [
        rounding("of-milliseconds", "has milliseconds", 1000), rounding("of-seconds", "has seconds", 1_000_000),
        rounding("of-hundredths", "has hundredths of milliseconds", 10),
        bounded("since-1970", "is not before 1970", 0...(.max)),
        bounded("since-1901", "is not before 1901", (-(1 << 31) * 1_000_000)...(.max)),
        bounded("until-2038", "is not after 2038", .min...((1 << 31) * 1_000_000)),
        bounded("until-2106", "is not after 2106", .min...((1 << 32) * 1_000_000)),
        bounded("until-2262", "is not after 2262", .min...(.max / 1000)),
        bounded("since-1677", "is not before 1677", (.min / 1000)...(.max)),
        bounded("since-1582", "is not before 1582", -12_219_292_800_000_000...(.max)),
        Narrowing("of-doubles", "goes through a double of seconds") { time in
            let seconds = Double(time.microseconds) / 1e6 * 1024
            return Timestamp(microseconds: Int64(seconds.rounded(.down) / 1024 * 1e6)) ?? time
        },
    ]

    private static func rounding(_ name: String, _ what: String, _ unit: Int64) -> Narrowing {
        Narrowing(name, "\(what) and no more") { Timestamp(microseconds: $0.microseconds / unit * unit) ?? $0 }
    }

    private static func bounded(_ name: String, _ what: String, _ range: ClosedRange<Int64>) -> Narrowing {
        Narrowing(name, what) {
            Timestamp(microseconds: Swift.min(Swift.max($0.microseconds, range.lowerBound), range.upperBound)) ?? $0
        }
    }
}

extension String {
    /// The text with scalars for others, whatever characters they are a part of.
    fileprivate func scalars(_ old: String, as new: String) -> String {
        var view = String.UnicodeScalarView()
        view.append(
            contentsOf: Array(unicodeScalars).replacing(Array(old.unicodeScalars), with: Array(new.unicodeScalars)))
        return String(view)
    }

    fileprivate func without(_ drops: (Unicode.Scalar) -> Bool) -> String {
        String(String.UnicodeScalarView(unicodeScalars.filter { !drops($0) }))
    }

    /// The scalars that are whole within so many bytes.
    fileprivate func cut(to bytes: Int) -> String {
        guard utf8.count > bytes else { return self }
        var (view, sum) = (String.UnicodeScalarView(), 0)
        for scalar in unicodeScalars {
            sum += UTF8.width(scalar)
            guard sum <= bytes else { break }
            view.append(scalar)
        }
        return String(view)
    }
}
