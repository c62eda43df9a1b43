#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// What a process sets up before it can work.
enum ProcessStart {
    /// Makes a closed reader and a limit on the size of files an error instead of the end of the process, and opens those
    /// of the three standard descriptors that are closed: the next file that is opened would take the number of one, and
    /// output for the terminal would go into a database.
    static func prepareDescriptors() {
        signal(SIGPIPE, SIG_IGN)
        signal(SIGXFSZ, SIG_IGN)
        // Opened in the wrong direction, so that using them is still an error.
        for (descriptor, mode) in [(STDIN_FILENO, O_WRONLY), (STDOUT_FILENO, O_RDONLY), (STDERR_FILENO, O_RDONLY)]
        where fcntl(descriptor, F_GETFD) < 0 {
            _ = open("/dev/null", mode)
        }
    }

    /// The arguments after the program's name, or `nil` where one is not UTF-8. `CommandLine.arguments` would change
    /// such an argument in silence.
    static func arguments() -> [String]? {
        var arguments: [String] = []
        for index in 1..<max(Int(CommandLine.argc), 1) {
            guard let bytes = CommandLine.unsafeArgv[index], let text = String(validatingCString: bytes) else {
                return nil
            }
            arguments.append(text)
        }
        return arguments
    }
}
