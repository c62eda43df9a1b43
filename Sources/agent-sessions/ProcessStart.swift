#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// What a process has to see to before it can work.
enum ProcessStart {
    /// Makes a closed reader and a limit on the size of files an error instead of the end of the process, and sees to
    /// it that none of the three standard descriptors is free: where one is closed, the next file that is opened would
    /// take its number, and what is meant for the terminal would go into a database.
    static func prepareDescriptors() {
        signal(SIGPIPE, SIG_IGN)
        signal(SIGXFSZ, SIG_IGN)
        // Opened the wrong way round, so that using them is an error as it was before.
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
