import AgentSessions
import ArgumentParser

/// `import`: documents, archives, chat JSON lines.
struct ImportCommand: ToolCommand {
    static let configuration = CommandConfiguration(
        commandName: "import", abstract: "Import sessions from files, under fresh ids.",
        discussion: """
            All files are checked before the first session is stored. An empty file is what an empty store is exported \
            to: it is imported as no session.
            """)

    @OptionGroup var global: GlobalOptions

    @Argument(help: "The files.")
    var files: [String]

    @Option(help: "How the files are written: native, or openai for chat JSON lines.")
    var format = FormatOption.native

    func validate() throws {
        try requireValues(files.map { ("A file to import", $0) })
    }

    func run(in context: ToolContext) async throws(StoreError) {
        for file in files { try InputFile.check(file) }
        let results = try await context.withStore(global) { (store) throws(StoreError) in
            let progress = ProgressBar("Importing", on: context.console)
            defer { progress.clear() }
            // One file is checked before it is stored anyway.
            if files.count > 1 { try await check(store.service) }
            return try await importAll(store.service, progress)
        }
        try report(results, on: context.console)
    }

    /// Checks every file, so that a fault of the last shows before the first is stored.
    private func check(_ service: any SessionService) async throws(StoreError) {
        for file in files {
            _ = try await service.importSessions(
                .file(path: file), format: format.format, options: ImportOptions(checksOnly: true))
        }
    }

    private func importAll(
        _ service: any SessionService, _ progress: ProgressBar
    ) async throws(StoreError) -> [ImportResult] {
        var results: [ImportResult] = []
        for (index, file) in files.enumerated() {
            let count = Double(files.count)
            let options = ImportOptions { progress.show((Double(index) + $0) / count) }
            do throws(StoreError) {
                results.append(
                    try await service.importSessions(.file(path: file), format: format.format, options: options))
            } catch {
                throw Self.failure(error, after: results)
            }
        }
        return results
    }

    /// The error, with what was stored before it.
    static func failure(_ error: StoreError, after results: [ImportResult]) -> StoreError {
        let stored = results.reduce(0) { $0 + $1.ids.count }
        guard stored > 0 else { return error }
        return StoreError(
            error.code, "\(error.message) \(counted(stored, "session")) from the files before it had been stored.",
            backend: error.backend, nativeCode: error.nativeCode, cause: error.cause)
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
