#if Postgres
package import Foundation

/// Runs commands of the system. `Process` of Foundation waits for a command's children too, and so for a server that
/// the command leaves behind.
package enum Shell {
    /// The result of a command.
    package struct Outcome: Sendable {
        package let status: Int32
        package let output: [UInt8]
        package let errors: String
    }

    /// Runs a command and waits for it.
    ///
    /// - Returns: What it wrote.
    @discardableResult
    package static func run(_ arguments: [String]) throws -> String {
        try text(of: try wait(for: arguments), arguments)
    }

    /// Runs a command on a thread that may block.
    package static func text(_ arguments: [String]) async throws -> String {
        try text(of: try await outcome(arguments), arguments)
    }

    private static func text(of outcome: Outcome, _ arguments: [String]) throws -> String {
        let text = String(decoding: outcome.output, as: UTF8.self)
        guard outcome.status == 0 else { throw TestFailure("\(arguments.first ?? ""): \(text)\(outcome.errors)") }
        return text.trimmingCharacters(in: .whitespacesAndNewlines)
    }

    /// Runs a command, whatever its status, on a thread that may block.
    ///
    /// - Parameters:
    ///   - arguments: The command and its arguments.
    ///   - input: What it reads from standard input.
    package static func outcome(_ arguments: [String], input: [UInt8] = []) async throws -> Outcome {
        try await withCheckedThrowingContinuation { continuation in
            // A thread for each command: the global queue runs only as many at once as there are cores.
            Thread.detachNewThread {
                continuation.resume(with: Result { try wait(for: arguments, input: input) })
            }
        }
    }

    private static func wait(for arguments: [String], input: [UInt8] = []) throws -> Outcome {
        let files = "/tmp/agent-sessions-out-\(UUID().uuidString)"
        defer { for suffix in ["in", "out", "err"] { unlink("\(files).\(suffix)") } }
        if !input.isEmpty { try Data(input).write(to: URL(fileURLWithPath: "\(files).in")) }
        let source = input.isEmpty ? "/dev/null" : "\(files).in"
        let command = arguments.map(quoted).joined(separator: " ")
        let process = try start("cd /tmp && \(command) <\(source) >\(files).out 2>\(files).err")
        var status: Int32 = 0
        while waitpid(process, &status, 0) < 0 && errno == EINTR {}
        func bytes(_ suffix: String) -> [UInt8] {
            Array((try? Data(contentsOf: URL(fileURLWithPath: "\(files).\(suffix)"))) ?? Data())
        }
        // The upper byte is the exit status; a signal counts as one too, as in the shell.
        let code = status & 0x7F == 0 ? status >> 8 & 0xFF : 128 + status & 0x7F
        return Outcome(status: code, output: bytes("out"), errors: String(decoding: bytes("err"), as: UTF8.self))
    }

    /// Starts a script of the shell.
    ///
    /// - Returns: Its process.
    @discardableResult
    package static func start(_ script: String) throws -> pid_t {
        var process: pid_t = 0
        let words: [String] = ["/bin/sh", "-c", script]
        let arguments: [UnsafeMutablePointer<CChar>?] = words.map { strdup($0) } + [nil]
        defer { for argument in arguments { free(argument) } }
        guard posix_spawn(&process, "/bin/sh", nil, nil, arguments, environ) == 0 else {
            throw TestFailure("the shell cannot be started")
        }
        return process
    }

    private static func quoted(_ argument: String) -> String {
        "'" + argument.replacingOccurrences(of: "'", with: "'\\''") + "'"
    }
}
#endif
