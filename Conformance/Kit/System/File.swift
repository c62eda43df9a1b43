import AgentSessions

/// Writes a text into a file that only its owner can read, in place of what it held.
///
/// - Throws: ``AgentSessions/StoreError/Code/unavailable`` where it cannot be written.
func writeFile(_ text: String, to path: String) throws(StoreError) {
    do {
        try FileDescriptor(path, .replacing).writeAll(Array(text.utf8))
    } catch {
        throw .system("\(path) cannot be written", error)
    }
}
