import AgentSessions
import AgentSessionsTestSupport
import Foundation
import Testing

/// The built tool, run as a process of its own.
enum ToolProcess {
    static let program = BuiltProgram("agent-sessions")

    /// A process that runs the tool on `store`, not started yet; its output goes to `output`.
    static func make(_ arguments: [String], store: String, output: Pipe) throws -> Process {
        let process = Process()
        process.executableURL = URL(filePath: try program.path)
        process.arguments = ["--store", store] + arguments
        process.standardInput = FileHandle.nullDevice
        process.standardOutput = output
        process.standardError = output
        return process
    }

    /// Runs the tool to its end.
    ///
    /// - Returns: The exit status, and what it printed to both outputs.
    static func run(_ arguments: [String], store: String) async throws -> (status: Int32, output: String) {
        let pipe = Pipe()
        let process = try make(arguments, store: store, output: pipe)
        try process.run()
        let output = try await read(pipe)
        process.waitUntilExit()
        return (process.terminationStatus, output)
    }

    /// The bytes of a pipe until its writers close it, read on a thread that may block.
    static func read(_ pipe: Pipe) async throws -> String {
        let data = await withCheckedContinuation { continuation in
            DispatchQueue.global().async {
                continuation.resume(returning: pipe.fileHandleForReading.readDataToEndOfFile())
            }
        }
        return String(decoding: data, as: UTF8.self)
    }
}
