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
/// Only the owner can read it. Nothing is left of it where it is not completed, also where a signal ends the process.
struct ReplacingFile {
    /// The most of the file's name that the name of the unfinished file begins with.
    private static let prefixBytes = 40

    private let place: FilePlace
    private let temporary: String
    private let descriptor: Int32
    private let removal: RemovalOnSignal?
    /// Where the content goes.
    let output: ByteOutput

    /// Begins a file that is to stand at `path`.
    ///
    /// - Throws: `invalidArgument` where something other than a file stands there, `unavailable` where nothing can be
    ///   written there.
    private init(at path: String) throws(StoreError) {
        place = try FilePlace(path)
        var random = SystemRandomNumberGenerator()
        // Short, as the name of the file itself may be as long as names can be.
        let prefix = String(decoding: place.name.utf8.prefix(Self.prefixBytes), as: UTF8.self)
        temporary = "\(prefix).\(String(random.next() as UInt64, radix: 36)).partial"
        removal = RemovalOnSignal(of: temporary, in: place.folder)
        descriptor = openat(place.folder, temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else {
            let code = errno
            removal?.end()
            place.release()
            throw .system("\(place.description) cannot be made", code)
        }
        output = ByteOutput(descriptor: descriptor, name: place.description)
    }

    /// Writes a file by `body`, and puts it in place after `body` returned and the disk has it all. Where anything
    /// fails, nothing is left of it.
    static func write<Result>(
        to path: String, _ body: (ByteOutput) async throws(StoreError) -> Result
    ) async throws(StoreError) -> Result {
        let file = try ReplacingFile(at: path)
        defer { file.release() }
        do throws(StoreError) {
            let result = try await body(file.output)
            try file.finish()
            return result
        } catch {
            unlinkat(file.place.folder, file.temporary, 0)
            throw error
        }
    }

    private func finish() throws(StoreError) {
        try output.flush()
        guard fsync(descriptor) == 0 else { throw .system("\(place.description) cannot be brought to the disk", errno) }
        try place.take(temporary)
    }

    private func release() {
        removal?.end()
        close(descriptor)
        place.release()
    }
}
