import AgentSessions

/// A file that is written under another name and takes its own when it is complete: a reader sees what the file held
/// before, or all of the new content, and never a part of it.
///
/// Only the owner can read it. Nothing is left of it if it is not completed, even if a signal ends the process.
struct ReplacingFile {
    /// The most of the file's name that the name of the unfinished file begins with.
    private static let prefixBytes = 40

    private let target: FileTarget
    private let temporary: String
    private let descriptor: FileDescriptor
    private let removal: RemovalOnSignal?

    /// Begins a file that is to stand at `path`.
    ///
    /// - Throws: `invalidArgument` where something other than a file is there, `unavailable` where nothing can be
    ///   written there.
    private init(at path: String) throws(StoreError) {
        target = try FileTarget(path)
        var random = SystemRandomNumberGenerator()
        // Short, as the name of the file itself may be as long as names can be.
        let prefix = String(decoding: target.name.utf8.prefix(Self.prefixBytes), as: UTF8.self)
        temporary = "\(prefix).\(String(random.next() as UInt64, radix: 36)).partial"
        removal = RemovalOnSignal(of: temporary, in: target.folder)
        do throws(StoreError) {
            descriptor = try target.make(temporary)
        } catch {
            removal?.end()
            throw error
        }
    }

    /// Writes a file by `body`, and gives it its name after `body` returned and the disk has it all. If anything
    /// fails, nothing is left of it.
    static func write<Result>(
        to path: String, _ body: (ByteOutput) async throws(StoreError) -> Result
    ) async throws(StoreError) -> Result {
        let file = try ReplacingFile(at: path)
        defer { file.removal?.end() }
        do throws(StoreError) {
            let output = ByteOutput(file.descriptor, name: file.target.description)
            let result = try await body(output)
            try output.flush()
            try file.finish()
            return result
        } catch {
            file.target.remove(file.temporary)
            throw error
        }
    }

    private func finish() throws(StoreError) {
        do throws(SystemError) {
            try descriptor.sync()
        } catch {
            throw .system("\(target.description) cannot be brought to the disk", error)
        }
        try target.replace(by: temporary)
    }
}
