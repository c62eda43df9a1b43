/// Where documents are written: a file, a pipe, the body of a response.
///
/// Some sinks can take back the end of what was written, as a file can be cut off. Then a document that is too long to
/// be kept in memory can be begun again.
public protocol DocumentSink {
    /// Writes bytes after those that were written before.
    mutating func write(_ bytes: [UInt8]) async throws(StoreError)

    /// Takes back the last bytes that were written, all of them or none.
    ///
    /// - Parameter count: How many bytes; never more than were written.
    /// - Returns: Whether they are gone; `false` if they are on their way to a reader.
    mutating func takeBack(_ count: Int) async throws(StoreError) -> Bool
}

extension DocumentSink {
    public mutating func takeBack(_ count: Int) async throws(StoreError) -> Bool { false }
}
