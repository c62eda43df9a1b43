/// Where a document to import is read from, twice: once to check all of it, once to store it.
public enum DocumentSource: Sendable {
    /// A file.
    case file(path: String)
    /// Bytes in memory.
    case bytes([UInt8])
}
