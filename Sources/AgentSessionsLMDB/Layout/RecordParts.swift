#if LMDB
internal import AgentSessions

/// Writes the parts of a record one after the other.
struct RecordWriter {
    private let bytes: UnsafeMutableRawBufferPointer
    private(set) var count = 0

    /// - Parameter bytes: As many bytes as will be written.
    init(_ bytes: UnsafeMutableRawBufferPointer) {
        self.bytes = bytes
    }

    mutating func write<Number: FixedWidthInteger & BitwiseCopyable>(_ number: Number) {
        bytes.storeBytes(of: number.littleEndian, toByteOffset: count, as: Number.self)
        count += MemoryLayout<Number>.size
    }

    mutating func write(_ text: String) {
        text.withBytes { source in
            // The record was measured from these same texts, so there is room.
            UnsafeMutableRawBufferPointer(rebasing: bytes[count..<count + source.count])
                .copyMemory(from: UnsafeRawBufferPointer(source))
            count += source.count
        }
    }
}

extension UnsafeRawBufferPointer {
    /// A little-endian number; the caller has checked that its bytes are there.
    func number<Number: FixedWidthInteger & BitwiseCopyable>(at offset: Int) -> Number {
        Number(littleEndian: loadUnaligned(fromByteOffset: offset, as: Number.self))
    }

    /// Text, or `nil` where the bytes are not UTF-8; the caller has checked that they are there.
    func text(_ range: Range<Int>) -> String? {
        let part = UnsafeRawBufferPointer(rebasing: self[range])
        guard #available(macOS 26, *) else { return String(validating: part, as: UTF8.self) }
        // Cheaper than the initializer above, which is generic and not specialised in the library.
        return part.withMemoryRebound(to: UInt8.self) { bytes in
            do { return String(copying: try UTF8Span(validating: bytes.span)) } catch { return nil }
        }
    }

    /// Metadata, or `nil` where the bytes are not an object; the caller has checked that they are there.
    func metadata(_ range: Range<Int>) -> JSONObject? {
        // Most messages have none.
        guard !range.isEmpty else { return JSONObject() }
        return UnsafeRawBufferPointer(rebasing: self[range]).withMemoryRebound(to: UInt8.self) { text in
            try? JSONObject(parsing: text)
        }
    }
}

/// The lengths that stand in a record.
enum RecordLength {
    /// - Throws: ``StoreError/Code/limitExceeded`` where `count` does not fit.
    static func checked<Length: FixedWidthInteger>(_ count: Int, _ what: String) throws(StoreError) -> Length {
        guard let length = Length(exactly: count) else {
            throw StoreError(
                .limitExceeded, "\(what) has \(count) bytes of UTF-8: at most \(Length.max) are allowed.",
                backend: LMDBBackend.name)
        }
        return length
    }
}

extension JSONObject {
    /// The text that a record keeps: nothing for an object without members.
    func recordText() throws(StoreError) -> String {
        if isEmpty { return "" }
        do throws(JSONError) {
            return try losslessText()
        } catch {
            throw StoreError(invalidJSON: error, in: "The metadata")
        }
    }
}

extension StoreError {
    /// A record or key is not what this backend writes.
    static func damaged(_ what: String, _ detail: String) -> StoreError {
        .corrupt(what, detail, backend: LMDBBackend.name)
    }
}
#endif
