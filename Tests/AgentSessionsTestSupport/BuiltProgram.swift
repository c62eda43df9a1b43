internal import Foundation

/// A program of this package, as the build has put it beside the tests.
package struct BuiltProgram: Sendable {
    private let name: String

    package init(_ name: String) { self.name = name }

    /// Where it is: beside the tests, or above them if they are a bundle.
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

    /// The command that runs it without root's rights, if the tests have them.
    ///
    /// - Parameter folder: Where it is copied to, as the clone may be readable by its owner only. Every user may
    ///   look into the folder afterwards.
    package func commandAsNobody(copiedTo folder: String) throws -> [String] {
        guard isRoot else { return [try path] }
        let copy = "\(folder)/\(name)"
        // Copied by another process: a child that another test starts at that moment would inherit a file that this one
        // has open for writing, and no such file can be run.
        guard try run("/usr/bin/install", ["-m", "755", path, copy]) == 0 else { throw CocoaError(.fileWriteUnknown) }
        try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: folder)
        return ["/usr/sbin/runuser", "-u", "nobody", "--", copy]
    }
}

/// Whether the tests run as root, so that file permissions do not apply to them.
package let isRoot = geteuid() == 0
