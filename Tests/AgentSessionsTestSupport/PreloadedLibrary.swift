#if os(Linux)
internal import Foundation

/// Builds a library that `LD_PRELOAD` puts before the C library.
///
/// - Parameter source: Its source, a path below `Tests`.
/// - Returns: Its path, or `nil` if there is no compiler.
package func preloadedLibrary(_ source: String) -> String? {
    let library = FileManager.default.temporaryDirectory.appending(path: "preloaded-\(UUID().uuidString).so")
    let path = library.path(percentEncoded: false)
    let file = RecordedConversations.projectFolder.appending(path: "Tests/\(source)").path(percentEncoded: false)
    let status = try? run("/usr/bin/env", ["clang", "-shared", "-fPIC", "-O1", "-o", path, file])
    return status == 0 ? path : nil
}
#endif
