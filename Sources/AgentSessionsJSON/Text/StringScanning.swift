// Finding the end of a string's plain stretch, eight bytes at a time.
extension UnsafeBufferPointer<UInt8> {
    /// The first position from `start` on that holds a quotation mark, a backslash, a control character or, if so
    /// asked, a byte outside ASCII; the end of the buffer if there is none.
    ///
    /// A word is searched with the usual carry tricks: `(x - 0x01…) & ~x & 0x80…` marks the zero bytes of `x`. A borrow
    /// can mark a byte above a true one by mistake, never one below, so the lowest mark is right.
    ///
    /// `@inlinable`, so that the scanner of documents, in another module, has it in its loop as those here do.
    @inlinable @inline(__always)
    package func endOfPlainRun(from start: Int, stopsAtNonASCII: Bool) -> Int {
        let ones: UInt64 = 0x0101_0101_0101_0101
        let highs: UInt64 = 0x8080_8080_8080_8080
        let raw = UnsafeRawBufferPointer(self)
        var index = start
        while count - index >= 8 {
            let word = UInt64(littleEndian: raw.loadUnaligned(fromByteOffset: index, as: UInt64.self))
            let quotes = word ^ (ones &* UInt64(ASCII.quote))
            let backslashes = word ^ (ones &* UInt64(ASCII.backslash))
            var marks = (quotes &- ones) & ~quotes
            marks |= (backslashes &- ones) & ~backslashes
            marks |= (word &- ones &* 0x20) & ~word
            if stopsAtNonASCII { marks |= word }
            marks &= highs
            if marks != 0 { return index + marks.trailingZeroBitCount / 8 }
            index += 8
        }
        while index < count {
            let byte = self[index]
            if byte < 0x20 || byte == ASCII.quote || byte == ASCII.backslash || (stopsAtNonASCII && byte >= 0x80) {
                return index
            }
            index += 1
        }
        return count
    }

    /// The length of the well-formed character outside ASCII that begins at `start`, or `nil` if none does.
    ///
    /// The table is that of RFC 3629, section 4: it leaves out overlong forms, surrogates and values above U+10FFFF.
    func lengthOfMultibyteCharacter(at start: Int) -> Int? {
        let second: ClosedRange<UInt8>
        let length: Int
        switch self[start] {
        case 0xC2...0xDF: (second, length) = (0x80...0xBF, 2)
        case 0xE0: (second, length) = (0xA0...0xBF, 3)
        case 0xE1...0xEC, 0xEE...0xEF: (second, length) = (0x80...0xBF, 3)
        case 0xED: (second, length) = (0x80...0x9F, 3)
        case 0xF0: (second, length) = (0x90...0xBF, 4)
        case 0xF1...0xF3: (second, length) = (0x80...0xBF, 4)
        case 0xF4: (second, length) = (0x80...0x8F, 4)
        default: return nil
        }
        guard count - start >= length, second.contains(self[start + 1]) else { return nil }
        for index in start + 2..<start + length where self[index] & 0xC0 != 0x80 { return nil }
        return length
    }

    /// The first position from `start` on that ends a run of valid UTF-8 free of quotation marks, backslashes and
    /// control characters. It holds one of these, or a byte that is not UTF-8, or is the end of the buffer.
    @inline(__always)
    func endOfText(from start: Int) -> Int {
        var index = endOfPlainRun(from: start, stopsAtNonASCII: true)
        while index < count, self[index] >= 0x80 {
            guard let length = lengthOfMultibyteCharacter(at: index) else { return index }
            index += length
            if index < count, self[index] < 0x80 { index = endOfPlainRun(from: index, stopsAtNonASCII: true) }
        }
        return index
    }
}
