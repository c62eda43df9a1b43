/// Bounds on the parts of a document, beyond which nothing is read into memory.
enum DocumentLimits {
    /// A key beside `messages`.
    static let keyBytes = 6 << 16
    /// A number, a time, a checksum, a name of a program.
    static let scalarBytes = 1 << 16

    /// The largest value of an object with metadata that may keep within `limits`: each byte of text may be written as
    /// an escape of six.
    static func headerBytes(_ limits: StoreLimits) -> Int {
        6 * (limits.metadataBytes + limits.actorNameBytes) + scalarBytes
    }

    /// The largest message that may keep within `limits`.
    static func messageBytes(_ limits: StoreLimits) -> Int {
        6 * (limits.contentBytes + limits.metadataBytes + limits.toolCallIDBytes) + scalarBytes
    }
}

extension JSONLimits {
    /// For values whose size was bounded before.
    static var anyDocument: JSONLimits { JSONLimits(maximumBytes: .max, maximumDepth: .max) }
}
