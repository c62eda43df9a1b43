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
        withBytes(range) { String(stored: $0) }
    }

    /// Lends a part as bytes; the caller has checked that they are there.
    func withBytes<Result>(_ range: Range<Int>, _ body: (UnsafeBufferPointer<UInt8>) -> Result) -> Result {
        UnsafeRawBufferPointer(rebasing: self[range]).withMemoryRebound(to: UInt8.self, body)
    }

    /// Metadata, or `nil` where the bytes are not an object's; the caller has checked that they are there, and by the
    /// record's checksum that they are as they were written.
    func metadata(_ range: Range<Int>) -> JSONObject? {
        // Most messages have none.
        guard !range.isEmpty else { return JSONObject() }
        guard range.count >= 2, self[range.lowerBound] == UInt8(ascii: "{"),
            self[range.upperBound - 1] == UInt8(ascii: "}")
        else { return nil }
        return text(range).map(JSONObject.init(storedText:))
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
        isEmpty ? "" : try storedText()
    }
}

extension StoreError {
    /// A record or key is not what this backend writes.
    static func damaged(_ what: String, _ detail: String) -> StoreError {
        .corrupt(what, detail, backend: LMDBBackend.name)
    }
}
#endif
