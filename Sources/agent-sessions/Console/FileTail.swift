import AgentSessions

/// The bytes at the end of an ordinary file that one writer has put there, without another writing in between. These,
/// and no others, may be cut off again.
struct FileTail {
    private var count = 0
    /// Where the file ends, as far as this writer knows; `nil` if it is not an ordinary file, or was not written to yet.
    private var end: Int?

    /// The tail before a write: nothing of it is left if the file ends elsewhere now.
    func next(of descriptor: FileDescriptor) -> FileTail {
        var next = FileTail()
        next.end = Self.size(of: descriptor)
        next.count = next.end == end ? count : 0
        return next
    }

    /// The tail after a write of so many bytes.
    func grown(by written: Int, in descriptor: FileDescriptor) -> FileTail {
        guard let end else { return self }
        var grown = FileTail()
        grown.end = Self.size(of: descriptor)
        // If it overwrote something, or another program wrote meanwhile, it is not the tail.
        grown.count = grown.end == end + written ? count + written : 0
        return grown
    }

    /// Cuts bytes off the file.
    ///
    /// - Returns: Whether they are the tail. Where they are not, nothing is cut off.
    mutating func cutOff(_ bytes: Int, of descriptor: FileDescriptor) throws(SystemError) -> Bool {
        guard let end, bytes <= count, Self.size(of: descriptor) == end else { return false }
        try descriptor.truncate(to: end - bytes)
        (self.end, count) = (end - bytes, count - bytes)
        return true
    }

    private static func size(of descriptor: FileDescriptor) -> Int? {
        guard case .file(let size)? = try? descriptor.kind() else { return nil }
        return size
    }
}
