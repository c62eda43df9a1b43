/// A digest by which the second pass over a source knows that it sees what the first one checked. It is keyed anew in
/// each process, so nobody can aim at it.
struct DocumentDigest {
    private var hasher = Hasher()

    mutating func add(_ bytes: UnsafeBufferPointer<UInt8>) {
        hasher.combine(bytes: UnsafeRawBufferPointer(bytes))
        hasher.combine(bytes.count)
    }

    func value() -> Int { hasher.finalize() }
}

/// A document that the first pass found good: where it is, and what the second pass must find there.
struct CheckedDocument: Sendable {
    /// Where the document begins.
    let start: Int
    /// Where its array of messages begins and ends, brackets included.
    let messages: Range<Int>
    /// The number of messages.
    let count: Int
    /// The digest of everything but the messages.
    let header: Int
    /// The digest of the messages.
    let body: Int
}
