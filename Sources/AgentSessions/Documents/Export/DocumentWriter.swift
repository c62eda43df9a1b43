/// Writes a session as a document, in three steps, into buffers of the caller.
protocol DocumentWriter: Sendable {
    /// Writes what comes before the messages.
    mutating func begin(_ bytes: inout [UInt8]) throws(JSONError)
    /// Writes messages.
    mutating func append(_ messages: [SessionMessage], into bytes: inout [UInt8]) throws(JSONError)
    /// Writes what comes after the messages.
    mutating func end(_ bytes: inout [UInt8]) throws(JSONError)
}
