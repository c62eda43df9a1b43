#if Postgres
extension Parameters {
    /// Lends the parameters in the form that libpq reads: their number, values, lengths and formats, all of them binary.
    func withPointers(
        _ body: (
            Int32, UnsafePointer<UnsafePointer<CChar>?>?, UnsafePointer<Int32>?, UnsafePointer<Int32>?
        ) -> Int32
    ) -> Int32 {
        let count = lengths.count
        return bytes.withUnsafeBytes { bytes in
            withUnsafeTemporaryAllocation(of: UnsafePointer<CChar>?.self, capacity: max(count, 1)) { values in
                withUnsafeTemporaryAllocation(of: Int32.self, capacity: max(count, 1)) { formats in
                    var offset = 0
                    for (index, length) in lengths.enumerated() {
                        formats.initializeElement(at: index, to: 1)
                        // An empty value needs an address, too: without one it is null.
                        values.initializeElement(
                            at: index, to: length < 0 ? nil : Self.address(bytes, offset: offset))
                        offset += Int(max(length, 0))
                    }
                    return lengths.withUnsafeBufferPointer { lengths in
                        body(
                            Int32(clamping: count), UnsafePointer(values.baseAddress), lengths.baseAddress,
                            UnsafePointer(formats.baseAddress))
                    }
                }
            }
        }
    }

    /// - Parameter offset: At most the number of bytes, so that the address is inside the buffer or right after it.
    ///   libpq reads as many bytes there as the value has.
    private static func address(_ bytes: UnsafeRawBufferPointer, offset: Int) -> UnsafePointer<CChar>? {
        guard let base = bytes.baseAddress else { return UnsafePointer(emptyValue) }
        return (base + offset).assumingMemoryBound(to: CChar.self)
    }
}

/// An address for values without bytes. It is never read or freed.
///
/// `nonisolated(unsafe)`: the memory is written once, before anyone has the pointer.
nonisolated(unsafe) private let emptyValue: UnsafeMutablePointer<CChar> = {
    let byte = UnsafeMutablePointer<CChar>.allocate(capacity: 1)
    byte.initialize(to: 0)
    return byte
}()
#endif
