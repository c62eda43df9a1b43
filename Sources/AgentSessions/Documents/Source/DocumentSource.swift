/// Where a document to import comes from. It is read twice: once to check all of it, once to store it.
public enum DocumentSource: Sendable {
    /// A file.
    case file(path: String)
    /// Bytes in memory.
    case bytes([UInt8])
}
