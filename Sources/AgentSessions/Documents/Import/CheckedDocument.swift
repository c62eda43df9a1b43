/// A digest that tells the second pass over a source whether it sees what the first one checked. Its key is new in each
/// process, so that no document can be made to collide with another.
struct DocumentDigest {
    private var hasher = Hasher()

    mutating func add(_ bytes: UnsafeBufferPointer<UInt8>) {
        hasher.combine(bytes: UnsafeRawBufferPointer(bytes))
        hasher.combine(bytes.count)
    }

    func value() -> Int { hasher.finalize() }
}

/// A document that passed the check: where it is, and what the second pass must find there.
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
