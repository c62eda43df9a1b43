import AgentSessions

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// Where a command reads and prints: three descriptors, which a test can replace by files.
struct Console: Sendable {
    /// For results. It is buffered, and flushed if a result must not wait.
    let output: ByteOutput
    /// For messages and progress.
    let errors: ByteOutput
    /// For what a command reads when no file is named.
    let input: ByteInput
    /// Whether ``errors`` is a terminal, so that progress is worth showing.
    let showsProgress: Bool

    /// A console on these descriptors, which stay open when it is gone.
    init(input: Int32, output: Int32, errors: Int32, showsProgress: Bool) {
        self.input = ByteInput(descriptor: FileDescriptor(borrowing: input), name: "Standard input")
        self.output = ByteOutput(FileDescriptor(borrowing: output), name: "Standard output")
        self.errors = ByteOutput(FileDescriptor(borrowing: errors), name: "Standard error")
        self.showsProgress = showsProgress
    }

    /// The console of this process.
    static let process = Console(
        input: STDIN_FILENO, output: STDOUT_FILENO, errors: STDERR_FILENO, showsProgress: isatty(STDERR_FILENO) == 1)

    /// Prints a message at once. If standard error cannot be written, it is lost.
    func report(_ message: String) {
        try? errors.print(message)
        try? errors.flush()
    }

    /// Prints a line of JSON.
    func print(_ value: JSONValue) throws(StoreError) {
        try output.print(try jsonText(value))
    }
}
