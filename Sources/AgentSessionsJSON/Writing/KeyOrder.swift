/// The order of object members in canonical JSON: by the UTF-16 code units of their keys (RFC 8785, section 3.2.3).
///
/// Keys are held as UTF-8, whose byte order is that of code points. The two orders differ only where U+E000...U+FFFF
/// meets a supplementary character: in UTF-16 the latter begins with a surrogate, 0xD800...0xDFFF, and so comes first.
enum KeyOrder {
    /// Whether the left key comes before the right one. Equal keys do not precede each other.
    static func precedes(_ left: UnsafeBufferPointer<UInt8>, _ right: UnsafeBufferPointer<UInt8>) -> Bool {
        let shared = min(left.count, right.count)
        var index = 0
        while index < shared {
            let leftByte = left[index]
            let rightByte = right[index]
            if leftByte != rightByte { return rank(leftByte) < rank(rightByte) }
            index += 1
        }
        return left.count < right.count
    }

    static func precedes(_ left: String, _ right: String) -> Bool {
        left.withBytes { leftBytes in
            right.withBytes { rightBytes in precedes(leftBytes, rightBytes) }
        }
    }

    /// Lifts the lead bytes of U+E000...U+FFFF (0xEE and 0xEF) above those of supplementary characters (0xF0...0xF4).
    private static func rank(_ byte: UInt8) -> UInt8 {
        byte == 0xEE || byte == 0xEF ? byte | 0x10 : byte
    }
}
