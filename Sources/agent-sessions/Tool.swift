import AgentSessions
import ArgumentParser

/// The program: from arguments to an exit status.
enum Tool {
    /// Done.
    static let successStatus: Int32 = 0
    /// Failed; a message on standard error says why.
    static let failureStatus: Int32 = 1
    /// Interrupted by a signal; what was done until then was reported. Shells use 128 and the signal's number.
    static let interruptedStatus: Int32 = 130
    /// The arguments are not valid.
    static let usageStatus: Int32 = 64

    /// Does what the arguments say.
    ///
    /// - Parameter arguments: The arguments after the program's name.
    /// - Returns: The exit status.
    static func run(_ arguments: [String], in context: ToolContext) async -> Int32 {
        let console = context.console
        let command: any ToolCommand
        do {
            let ordered = try GlobalOptions.afterTheVerb(arguments)
            try RootCommand.checkVerb(ordered)
            let parsed = try RootCommand.parseAsRoot(ordered)
            guard let found = parsed as? any ToolCommand else {
                // The root itself, or `help`: both only show help.
                var shown = parsed
                try shown.run()
                return successStatus
            }
            command = found
        } catch {
            return finish(parsing: error, of: arguments, on: console)
        }
        do {
            try await command.run(in: context)
            try console.output.flush()
            return successStatus
        } catch {
            // The output before the failure is flushed first, so that the message follows it.
            try? console.output.flush()
            console.report("error: \(error)")
            return error.code == .cancelled ? interruptedStatus : failureStatus
        }
    }

    /// A text of the parser, which quotes arguments verbatim, without the secrets of a store URL in it.
    private static func withoutSecrets(_ text: String, quoting arguments: [String]) -> String {
        // The value of an option may be in the same argument as its name.
        let values = arguments.map { $0.hasPrefix("-") ? String($0.drop { $0 != "=" }.dropFirst()) : $0 }
        // The longest first, as one may be a part of another.
        return values.sorted { $0.utf8.count > $1.utf8.count }.reduce(text) { text, value in
            let shown = StoreURL.shown(value)
            guard shown != value else { return text }
            return text.split(separator: value, omittingEmptySubsequences: false).joined(separator: shown)
        }
    }

    /// Shows help and the version on standard output, and a refusal of the arguments on standard error.
    private static func finish(parsing error: any Error, of arguments: [String], on console: Console) -> Int32 {
        let text = withoutSecrets(RootCommand.fullMessage(for: error), quoting: arguments)
        guard RootCommand.exitCode(for: error).isSuccess else {
            let marker = "Error: "
            console.report(text.hasPrefix(marker) ? "error: " + text.dropFirst(marker.count) : text)
            return usageStatus
        }
        do {
            try console.output.print(text)
            try console.output.flush()
            return successStatus
        } catch {
            console.report("error: \(error)")
            return failureStatus
        }
    }
}
