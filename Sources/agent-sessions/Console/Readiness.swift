import AgentSessions

extension FileDescriptor {
    /// Waits until a descriptor that does not block is ready, as the streams are that a Node process hands on.
    ///
    /// It takes the thread that it is called on, as reading and writing do where the descriptor blocks. A command does
    /// one thing at a time, so no other task needs that thread.
    ///
    /// - Parameter name: What errors call the descriptor, to begin a sentence with.
    /// - Throws: `cancelled` where the task is cancelled.
    func waitUntilReady(toRead: Bool, name: String) throws(StoreError) {
        /// How often the wait looks whether the task was cancelled.
        let milliseconds: Int32 = 100
        do {
            while !Task.isCancelled {
                if try wait(toRead: toRead, milliseconds: milliseconds) { return }
            }
        } catch {
            throw .system("\(name) cannot be waited for", error)
        }
        throw StoreError(.cancelled, "\(name) was not ready when the task was cancelled.")
    }
}
