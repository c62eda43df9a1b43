internal import Foundation

/// A program of this package, as the build has put it beside the tests.
package struct BuiltProgram: Sendable {
    private let name: String

    package init(_ name: String) { self.name = name }

    /// Where it is: beside the tests, or above them where these are a bundle.
    package var path: String {
        get throws {
            var folder = URL(filePath: CommandLine.arguments[0]).resolvingSymlinksInPath().deletingLastPathComponent()
            while folder.path != "/" {
                let candidate = folder.appending(path: name).path
                if FileManager.default.isExecutableFile(atPath: candidate) { return candidate }
                folder.deleteLastPathComponent()
            }
            throw CocoaError(.fileNoSuchFile)
        }
    }

    /// The command that runs it without the rights of root, where the tests have them.
    ///
    /// - Parameter folder: Where it is copied to, as the clone may lie where only its owner can look. Everybody may
    ///   look into the folder afterwards.
    package func commandAsNobody(copiedTo folder: String) throws -> [String] {
        guard isRoot else { return [try path] }
        let copy = "\(folder)/\(name)"
        // By another process: what this one had open for writing, a child that another test starts at that moment would
        // have open, too, and no such file can be run.
        guard try run("/usr/bin/install", ["-m", "755", path, copy]) == 0 else { throw CocoaError(.fileWriteUnknown) }
        try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: folder)
        return ["/usr/sbin/runuser", "-u", "nobody", "--", copy]
    }
}

/// Whether the tests may do everything, so that rights of files mean nothing to them.
package let isRoot = geteuid() == 0
