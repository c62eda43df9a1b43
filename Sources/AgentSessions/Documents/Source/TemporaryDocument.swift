import AgentSessionsThreads

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// A document in a temporary file that has no name, so that no other process can open it.
struct TemporaryDocument: Sendable {
    private static let chunkBytes = 1 << 18
    /// How often a wait for a pipe checks whether the task was cancelled.
    private static let pollMilliseconds: Int32 = 100

    let file: FileDescriptor
    private(set) var count = 0

    init() throws(StoreError) {
        let folder = getenv("TMPDIR").map { String(cString: $0) } ?? "/tmp"
        do throws(SystemError) {
            file = try FileDescriptor(temporaryIn: folder)
        } catch {
            throw .system("No temporary file can be made in \(quoted(folder, limit: 200))", error)
        }
    }

    /// Appends bytes. Blocks.
    ///
    /// - Throws: ``StoreError/Code/unavailable`` where there is no room.
    mutating func append(_ bytes: [UInt8]) throws(StoreError) {
        do throws(SystemError) {
            try file.writeAll(bytes)
        } catch {
            throw .system("A temporary copy of the document cannot be written", error)
        }
        count += bytes.count
    }

    /// Copies the rest of `stream`, whose reads do not block.
    ///
    /// - Parameter name: What messages call the stream.
    static func copy(
        of stream: FileDescriptor, name: String, cancellation: CancellationFlag
    ) throws(StoreError) -> TemporaryDocument {
        var copy = try TemporaryDocument()
        while true {
            try cancellation.check()
            let bytes: [UInt8]
            do throws(SystemError) {
                guard try stream.wait(toRead: true, milliseconds: pollMilliseconds) else { continue }
                bytes = try stream.read(atMost: chunkBytes)
            } catch {
                if error.isNotReady { continue }
                throw .system("\(name) cannot be read", error)
            }
            if bytes.isEmpty { return copy }
            try copy.append(bytes)
        }
    }
}
