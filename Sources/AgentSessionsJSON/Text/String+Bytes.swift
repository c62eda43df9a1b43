extension String {
    /// Lends the text's UTF-8 bytes, without a copy when the text is stored as UTF-8 (any native Swift string is).
    ///
    /// The buffer is valid only inside the closure. Unlike `withUTF8(_:)` this neither needs a variable nor loses the
    /// type of the error. `@inlinable`, so that the modules of this package specialise it.
    @inlinable
    package func withBytes<Result, Failure: Error>(
        _ body: (UnsafeBufferPointer<UInt8>) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        var text = self
        let outcome: Swift.Result<Result, Failure> = text.withUTF8 { bytes in
            do throws(Failure) {
                return .success(try body(bytes))
            } catch {
                return .failure(error)
            }
        }
        return try outcome.get()
    }

    /// Whether two texts have the same UTF-8 bytes.
    ///
    /// Swift's `==` is canonical equivalence, by which "é" as one scalar equals "e" with a combining accent. A store must
    /// hand back what it was given, so wherever stored text is compared, this is the comparison.
    package func isIdentical(to other: String) -> Bool {
        guard utf8.count == other.utf8.count else { return false }
        return withBytes { left in
            other.withBytes { right in left.hasSameBytes(as: right) }
        }
    }

    /// Feeds the UTF-8 bytes to a hasher, in agreement with ``isIdentical(to:)``.
    func hashBytes(into hasher: inout Hasher) {
        withBytes { hasher.combine(bytes: UnsafeRawBufferPointer($0)) }
        hasher.combine(0xFF as UInt8)  // Never part of UTF-8, so it ends the text.
    }

    /// Makes a text of bytes that are already known to be UTF-8.
    package init(validUTF8 bytes: some Collection<UInt8>) {
        self.init(decoding: bytes, as: UTF8.self)
    }
}

extension UnsafeBufferPointer<UInt8> {
    /// Whether two buffers hold the same bytes, compared a word at a time.
    package func hasSameBytes(as other: UnsafeBufferPointer<UInt8>) -> Bool {
        guard count == other.count else { return false }
        let left = UnsafeRawBufferPointer(self)
        let right = UnsafeRawBufferPointer(other)
        var index = 0
        while count - index >= 8 {
            let leftWord = left.loadUnaligned(fromByteOffset: index, as: UInt64.self)
            guard leftWord == right.loadUnaligned(fromByteOffset: index, as: UInt64.self) else { return false }
            index += 8
        }
        while index < count {
            guard left[index] == right[index] else { return false }
            index += 1
        }
        return true
    }

    /// Whether no byte has its highest bit set.
    package var isASCII: Bool {
        let bytes = UnsafeRawBufferPointer(self)
        var bits: UInt64 = 0
        var index = 0
        // In steps that the compiler makes vectors of.
        while count - index >= 32 {
            bits |= bytes.loadUnaligned(fromByteOffset: index, as: UInt64.self)
            bits |= bytes.loadUnaligned(fromByteOffset: index + 8, as: UInt64.self)
            bits |= bytes.loadUnaligned(fromByteOffset: index + 16, as: UInt64.self)
            bits |= bytes.loadUnaligned(fromByteOffset: index + 24, as: UInt64.self)
            index += 32
        }
        while index < count {
            bits |= UInt64(bytes[index])
            index += 1
        }
        return bits & 0x8080_8080_8080_8080 == 0
    }

    /// The bytes of a range, which must lie within the buffer.
    package func slice(_ range: Range<Int>) -> UnsafeBufferPointer<UInt8> {
        UnsafeBufferPointer(rebasing: self[range])
    }
}
