package import Foundation

/// The program `StoreWriter` in a process of its own.
package final class StoreProcess {
    private let process = Process()
    private let output: URL

    /// Starts it; `asNobody` without the rights of root, where the tests have them.
    ///
    /// - Parameters:
    ///   - arguments: The URL of a store, a verb, and what the verb takes.
    ///   - folder: Where its output goes.
    ///   - asNobody: Whether to give up the rights of root.
    package init(_ arguments: [String], in folder: URL, asNobody: Bool = false) throws {
        output = folder.appending(path: "output-\(UUID().uuidString)")
        try Data().write(to: output)
        let program = try Self.program()
        if asNobody && isRoot {
            // The clone may lie where only its owner can look, so the program is put where everybody can.
            let copy = folder.appending(path: "StoreWriter").path
            try FileManager.default.copyItem(atPath: program, toPath: copy)
            for path in [folder.path, copy] {
                try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: path)
            }
            process.executableURL = URL(filePath: "/usr/sbin/runuser")
            process.arguments = ["-u", "nobody", "--", copy] + arguments
        } else {
            process.executableURL = URL(filePath: program)
            process.arguments = arguments
        }
        process.standardOutput = try FileHandle(forWritingTo: output)
        try process.run()
    }

    /// Every whole line that the process has written so far.
    package var lines: [String] {
        get throws {
            let text = String(decoding: try Data(contentsOf: output), as: UTF8.self)
            return text.split(separator: "\n", omittingEmptySubsequences: false).dropLast().map(String.init)
        }
    }

    /// Waits for its end.
    @discardableResult
    package func finish() async throws -> [String] {
        while process.isRunning { try await Task.sleep(for: .milliseconds(5)) }
        return try lines
    }

    /// Waits until it has written so many lines.
    package func waitForLines(_ count: Int) async throws {
        while process.isRunning, try lines.count < count { try await Task.sleep(for: .milliseconds(2)) }
    }

    deinit {
        if process.isRunning { Foundation.kill(process.processIdentifier, SIGKILL) }
    }

    /// `kill -9`.
    @discardableResult
    package func kill() async throws -> [String] {
        Foundation.kill(process.processIdentifier, SIGKILL)
        return try await finish()
    }

    /// Where the build has put it: beside the tests, or above them where these are a bundle.
    private static func program() throws -> String {
        var folder = URL(filePath: CommandLine.arguments[0]).resolvingSymlinksInPath().deletingLastPathComponent()
        while folder.path != "/" {
            let candidate = folder.appending(path: "StoreWriter").path
            if FileManager.default.isExecutableFile(atPath: candidate) { return candidate }
            folder.deleteLastPathComponent()
        }
        throw CocoaError(.fileNoSuchFile)
    }
}

/// Runs a program of the system to its end, and gives its exit status.
package func run(_ program: String, _ arguments: [String]) throws -> Int32 {
    let process = Process()
    process.executableURL = URL(filePath: program)
    process.arguments = arguments
    try process.run()
    process.waitUntilExit()
    return process.terminationStatus
}

/// Whether the tests may do everything, so that rights of files mean nothing to them.
package let isRoot = geteuid() == 0
