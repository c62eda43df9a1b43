import AgentSessions

/// Files that a command reads.
enum InputFile {
    /// Opens a file, lends it to `body`, and closes it.
    ///
    /// - Throws: `unavailable` where it cannot be opened or is a directory.
    static func reading<Result>(
        _ path: String, _ body: (ByteInput) throws(StoreError) -> Result
    ) throws(StoreError) -> Result {
        try body(try open(path, .reading))
    }

    /// Checks that there is an ordinary file to read.
    ///
    /// - Throws: `unavailable` where there is none, or it cannot be opened; `invalidArgument` where it is something else.
    static func check(_ path: String) throws(StoreError) {
        let file = try open(path, .readingWithoutWaiting)
        let what: String
        switch try? file.descriptor.kind() {
        case .file: return
        case .folder: what = "is a directory"
        default: what = "is not an ordinary file"
        }
        throw StoreError(.invalidArgument, "\(file.name) \(what): give a file, which is read twice.")
    }

    private static func open(_ path: String, _ access: FileDescriptor.Access) throws(StoreError) -> ByteInput {
        let name = "The file \(quoted(path, limit: 200))"
        do throws(SystemError) {
            return ByteInput(descriptor: try FileDescriptor(path, access), name: name)
        } catch {
            throw .system("\(name) cannot be opened", error)
        }
    }
}
