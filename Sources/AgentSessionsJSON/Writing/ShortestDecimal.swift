/// The shortest decimal that is read back as a given double, and the closest to it among those.
///
/// The digits are Swift's own: `Double.description` gives them since Swift 4.2, and ECMAScript asks for the same ones
/// (ECMA-262, Number::toString, note 2; RFC 8785, section 3.2.2.3). Only their layout differs.
struct ShortestDecimal {
    private let isNegative: Bool

    /// The digits as a number, without zeros at the end. At most 17.
    private let digits: UInt64

    /// How many digits there are.
    private let count: Int

    /// Where the decimal point is, counted in digits from the first: 12.5 has 2, 0.05 has -1.
    private let pointPosition: Int

    /// Takes a double apart; `nil` if it is not finite. Negative zero loses its sign, as in ECMAScript.
    init?(_ value: Double) {
        guard value.isFinite else { return nil }
        var digits: UInt64 = 0
        var count = 0
        var fractionDigits = 0
        var isFraction = false
        var exponent = 0
        var text = value.magnitude.description.utf8.makeIterator()
        reading: while let byte = text.next() {
            switch byte {
            case ASCII.point:
                isFraction = true
            case UInt8(ascii: "e"):
                let isNegative = text.next() == ASCII.minus
                while let digit = text.next() { exponent = exponent * 10 + Int(digit &- ASCII.zero) }
                if isNegative { exponent = -exponent }
            default:
                digits = digits * 10 + UInt64(byte &- ASCII.zero)
                if digits > 0 { count += 1 }
                if isFraction { fractionDigits += 1 }
            }
        }
        pointPosition = count - fractionDigits + exponent
        while digits > 0, digits.isMultiple(of: 10) {
            digits /= 10
            count -= 1
        }
        self.isNegative = value < 0
        self.digits = digits
        self.count = count
    }

    /// Appends the number as ECMAScript lays it out: plain from 1e-6 up to 1e21, with an exponent outside.
    func append(into bytes: inout [UInt8]) {
        if isNegative { bytes.append(ASCII.minus) }
        guard digits > 0 else { return bytes.append(ASCII.zero) }
        switch pointPosition {
        case count...21 where count <= 21:
            CanonicalJSON.appendDigits(digits, into: &bytes)
            appendZeros(pointPosition - count, into: &bytes)
        case 1...21:
            appendDigits(pointAfter: pointPosition, into: &bytes)
        case -5...0:
            bytes.append(ASCII.zero)
            bytes.append(ASCII.point)
            appendZeros(-pointPosition, into: &bytes)
            CanonicalJSON.appendDigits(digits, into: &bytes)
        default:
            if count == 1 {
                CanonicalJSON.appendDigits(digits, into: &bytes)
            } else {
                appendDigits(pointAfter: 1, into: &bytes)
            }
            let exponent = pointPosition - 1
            bytes.append(UInt8(ascii: "e"))
            bytes.append(exponent < 0 ? ASCII.minus : ASCII.plus)
            CanonicalJSON.appendDigits(UInt64(exponent.magnitude), into: &bytes)
        }
    }

    private func appendDigits(pointAfter position: Int, into bytes: inout [UInt8]) {
        let start = bytes.count
        CanonicalJSON.appendDigits(digits, into: &bytes)
        bytes.insert(ASCII.point, at: start + position)
    }

    private func appendZeros(_ count: Int, into bytes: inout [UInt8]) {
        bytes.append(contentsOf: repeatElement(ASCII.zero, count: count))
    }
}
