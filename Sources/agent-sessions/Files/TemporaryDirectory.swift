import AgentSessions

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// A directory for files that nobody needs afterwards.
enum TemporaryDirectory {
    /// Makes a directory of its owner's alone, lends the path of a file in it to `body`, and removes both.
    static func withFile<Result>(
        named name: String, in environment: [String: String], _ body: (String) async throws(StoreError) -> Result
    ) async throws(StoreError) -> Result {
        let parent = environment["TMPDIR"].flatMap { $0.isEmpty ? nil : $0 } ?? "/tmp"
        var template = Array("\(parent)/agent-sessions-XXXXXX".utf8CString)
        guard mkdtemp(&template) != nil else {
            throw .system("No temporary directory can be made in \(quoted(parent, limit: 200))", errno)
        }
        let directory = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
        let file = "\(directory)/\(name)"
        defer {
            unlink(file)
            rmdir(directory)
        }
        return try await body(file)
    }
}
