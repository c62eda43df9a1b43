package import Foundation

/// The program `AgentSessionsStoreWriter` in a process of its own.
package final class StoreProcess {
    private let process = Process()
    private let output: URL

    /// Starts it; with `asNobody`, without root's rights.
    ///
    /// - Parameters:
    ///   - arguments: The URL of a store, a verb, and what the verb takes.
    ///   - folder: Where its output goes.
    ///   - asNobody: Whether to give up the rights of root.
    package init(_ arguments: [String], in folder: URL, asNobody: Bool = false) throws {
        output = folder.appending(path: "output-\(UUID().uuidString)")
        try Data().write(to: output)
        let program = BuiltProgram("AgentSessionsStoreWriter")
        let command = asNobody ? try program.commandAsNobody(copiedTo: folder.path) : [try program.path]
        process.executableURL = URL(filePath: command[0])
        process.arguments = command.dropFirst() + arguments
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
