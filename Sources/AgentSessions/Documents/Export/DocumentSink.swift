/// Where documents are written: a file, a pipe, the body of a response.
///
/// A sink may be able to take back the end of what it was given, as a file can that is cut off there. Then a document
/// can be begun again that is longer than what its writer keeps in memory.
public protocol DocumentSink {
    /// Writes bytes behind those that were written before.
    mutating func write(_ bytes: [UInt8]) async throws(StoreError)

    /// Takes back the last bytes that were written, all of them or none.
    ///
    /// - Parameter count: How many bytes; never more than were written.
    /// - Returns: Whether they are gone. `false` where what was written is on its way to a reader.
    mutating func takeBack(_ count: Int) async throws(StoreError) -> Bool
}

extension DocumentSink {
    public mutating func takeBack(_ count: Int) async throws(StoreError) -> Bool { false }
}
