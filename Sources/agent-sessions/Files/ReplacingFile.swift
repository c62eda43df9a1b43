import AgentSessions

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// A file that is written beside its place and takes it when it is complete: whoever looks there sees what was there
/// before, or all of the new content, and never a part of it.
///
/// Only the owner can read it.
struct ReplacingFile {
    private let target: String
    private let temporary: String
    private let descriptor: Int32
    /// Where the content goes.
    let output: ByteOutput

    /// Begins a file that is to stand at `path`.
    ///
    /// - Throws: `invalidArgument` where something other than a file stands there, `unavailable` where nothing can be
    ///   written there.
    private init(at path: String) throws(StoreError) {
        target = try Self.resolved(path)
        let shown = quoted(path, limit: 200)
        var name = SystemRandomNumberGenerator()
        temporary = "\(target).\(String(name.next() as UInt64, radix: 36)).partial"
        descriptor = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw .system("The file \(shown) cannot be made", errno) }
        output = ByteOutput(descriptor: descriptor, name: "The file \(shown)")
    }

    /// Writes a file by `body`, and puts it in place after `body` returned and the disk has it all. Where anything
    /// fails, nothing is left of it.
    static func write<Result>(
        to path: String, _ body: (ByteOutput) async throws(StoreError) -> Result
    ) async throws(StoreError) -> Result {
        let file = try ReplacingFile(at: path)
        do throws(StoreError) {
            let result = try await body(file.output)
            try file.finish()
            return result
        } catch {
            file.abandon()
            throw error
        }
    }

    private func finish() throws(StoreError) {
        try output.flush()
        guard fsync(descriptor) == 0 else {
            throw .system("The file \(quoted(target, limit: 200)) cannot be brought to the disk", errno)
        }
        guard rename(temporary, target) == 0 else {
            throw .system("The file \(quoted(target, limit: 200)) cannot be put in its place", errno)
        }
        close(descriptor)
    }

    private func abandon() {
        close(descriptor)
        unlink(temporary)
    }

    /// The path itself, or where a symbolic link leads.
    private static func resolved(_ path: String) throws(StoreError) -> String {
        var information = stat()
        guard stat(path, &information) == 0 else { return path }
        guard information.st_mode & S_IFMT == S_IFREG else {
            let what = information.st_mode & S_IFMT == S_IFDIR ? "a directory" : "no ordinary file"
            throw StoreError(
                .invalidArgument, "\(quoted(path, limit: 200)) is \(what): give the name of a file to write.")
        }
        guard let real = realpath(path, nil) else { return path }
        defer { free(real) }
        return String(cString: real)
    }
}
