import AgentSessions
import ArgumentParser

/// `import`: documents, archives, chat JSON lines.
struct ImportCommand: ToolCommand {
    static let configuration = CommandConfiguration(
        commandName: "import", abstract: "Import sessions from files, under fresh ids.",
        discussion: "A file is checked whole before any of its sessions is stored.")

    @OptionGroup var global: GlobalOptions

    @Argument(help: "The files.")
    var files: [String]

    @Option(help: "How the files are written: native, or openai for chat JSON lines.")
    var format = FormatOption.native

    func run(in context: ToolContext) async throws(StoreError) {
        for file in files { try InputFile.check(file) }
        let results = try await context.withStore(global) { (store) throws(StoreError) in
            let progress = ProgressBar("Importing", on: context.console)
            defer { progress.clear() }
            var results: [ImportResult] = []
            for (index, file) in files.enumerated() {
                let count = Double(files.count)
                let options = ImportOptions { progress.show((Double(index) + $0) / count) }
                do throws(StoreError) {
                    results.append(
                        try await store.service.importSessions(
                            .file(path: file), format: format.format, options: options))
                } catch {
                    throw failure(error, in: file, after: results)
                }
            }
            return results
        }
        try report(results, on: context.console)
    }

    /// The error, with the file that it is about and what was stored before it.
    private func failure(_ error: StoreError, in file: String, after results: [ImportResult]) -> StoreError {
        var message = "\(quoted(file, limit: 200)): \(error.message)"
        let stored = results.reduce(0) { $0 + $1.ids.count }
        if stored > 0 {
            message += " The \(counted(results.count, "file")) before it, with \(counted(stored, "session")), were stored."
        }
        return StoreError(
            error.code, message, backend: error.backend, nativeCode: error.nativeCode, cause: error.cause)
    }

    private func report(_ results: [ImportResult], on console: Console) throws(StoreError) {
        let ids = results.flatMap(\.ids)
        let messages = results.reduce(0) { $0 + $1.messages }
        if global.json {
            try console.print([
                "sessions": .integer(Int64(ids.count)), "messages": .integer(Int64(messages)),
                "ids": .array(ids.map { .string($0.description) }),
            ])
        } else {
            try console.output.print(
                "Imported \(counted(ids.count, "session")) with \(counted(messages, "message")).")
            for id in ids.prefix(10) { try console.output.print("  \(id)") }
            if ids.count > 10 { try console.output.print("  … and \(ids.count - 10) more") }
        }
    }
}
