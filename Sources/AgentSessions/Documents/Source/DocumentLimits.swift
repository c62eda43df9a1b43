/// Bounds on the parts of a document. What exceeds them is not read into memory.
enum DocumentLimits {
    /// A key beside `messages`.
    static let keyBytes = 6 << 16
    /// A number, a time, a checksum, a name of a program.
    static let scalarBytes = 1 << 16

    /// The most bytes of JSON of an object with metadata within `limits`: each byte of text may be written as an escape
    /// of six.
    static func headerBytes(_ limits: StoreLimits) -> Int {
        6 * (limits.metadataBytes + limits.actorNameBytes) + scalarBytes
    }

    /// The most bytes of JSON of a message within `limits`.
    static func messageBytes(_ limits: StoreLimits) -> Int {
        6 * (limits.contentBytes + limits.metadataBytes + limits.toolCallIDBytes) + scalarBytes
    }
}

extension JSONLimits {
    /// For values whose size was checked before.
    static var anyDocument: JSONLimits { JSONLimits(maximumBytes: .max, maximumDepth: .max) }
}
