#if Postgres
package import Foundation

/// Runs commands of the system. `Process` of Foundation waits for a command's children too, and so for a server that
/// the command leaves behind.
package enum Shell {
    /// Runs a command and waits for it.
    ///
    /// - Returns: What it wrote.
    @discardableResult
    package static func run(_ arguments: [String]) throws -> String {
        let output = "/tmp/agent-sessions-out-\(UUID().uuidString)"
        defer { unlink(output) }
        let command = arguments.map(quoted).joined(separator: " ")
        let process = try start("cd /tmp && \(command) </dev/null >\(output) 2>&1")
        var status: Int32 = 0
        while waitpid(process, &status, 0) < 0 && errno == EINTR {}
        let text = String(decoding: (try? Data(contentsOf: URL(fileURLWithPath: output))) ?? Data(), as: UTF8.self)
        guard status == 0 else { throw TestFailure("\(arguments.first ?? ""): \(text)") }
        return text.trimmingCharacters(in: .whitespacesAndNewlines)
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
