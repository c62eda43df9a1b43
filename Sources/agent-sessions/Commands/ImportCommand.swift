import AgentSessions
import ArgumentParser

/// `import`: documents, archives, chat JSON lines.
struct ImportCommand: ToolCommand {
    static let configuration = CommandConfiguration(
        commandName: "import", abstract: "Import sessions from files, under fresh ids.",
        discussion: """
            All files are checked before the first session is stored. If storing stops midway, the tool reports what \
            is stored and from which document to go on. An empty file is what an empty store is exported to: importing \
            it adds no session.
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
        let outcome = try await context.withStore(global) { (store) throws(StoreError) in
            let progress = ProgressBar("Importing", on: context.console)
            defer { progress.clear() }
            // A single file is checked before it is stored anyway.
            if files.count > 1 { try await check(store.service) }
            return try await importAll(store.service, progress)
        }
        if global.json {
            try context.console.print(outcome.json)
        } else {
            try context.console.output.print(outcome.text)
        }
        if let failure = outcome.failure { throw failure.error }
    }

    /// Checks every file, so that an error in the last is found before the first is stored.
    private func check(_ service: any SessionService) async throws(StoreError) {
        for file in files {
            _ = try await service.importSessions(
                .file(path: file), format: format.format, options: ImportOptions(checksOnly: true))
        }
    }

    /// - Throws: The error, if no session is stored. Later errors are part of the outcome.
    private func importAll(
        _ service: any SessionService, _ progress: ProgressBar
    ) async throws(StoreError) -> ImportOutcome {
        var outcome = ImportOutcome()
        for (index, file) in files.enumerated() {
            let count = Double(files.count)
            let options = ImportOptions { progress.show((Double(index) + $0) / count) }
            do throws(StoreError) {
                outcome.add(
                    try await service.importSessions(.file(path: file), format: format.format, options: options))
            } catch {
                try outcome.stop(by: error, at: file, before: files.count - index - 1)
                return outcome
            }
        }
        return outcome
    }
}
