import AgentSessions
import ArgumentParser

/// `export`: a session as a document, or every session as an archive.
struct ExportCommand: ToolCommand {
    static let configuration = CommandConfiguration(
        commandName: "export",
        abstract: "Export a session as a document, or all sessions as an archive, one on each line.")

    @OptionGroup var global: GlobalOptions

    @Argument(help: "The session.")
    var id: String?

    @Flag(help: "Export every session.")
    var all = false

    @Option(help: "The format: native, with a checksum, or openai, which is chat JSON lines.")
    var format = FormatOption.native

    @Option(
        parsing: .unconditional,
        help: ArgumentHelp("The file to write; standard output by default, or as -.", valueName: "file"))
    var output: String?

    func validate() throws {
        guard (id == nil) == all else { throw ValidationError("Give the id of a session, or --all.") }
        guard !all || output != nil else {
            throw ValidationError("--all needs --output FILE, or --output - for standard output.")
        }
        try requireValues([("--output", output)])
    }

    func run(in context: ToolContext) async throws(StoreError) {
        let id = try id.map { (text) throws(StoreError) in try ULID(parsing: text) }
        try await context.withExistingStore(global) { (store) throws(StoreError) in
            let archive = SessionArchive(of: store.service, format: format.format)
            guard let path = output, path != "-" else {
                _ = try await write(id, of: archive, to: context.console.output, progress: nil)
                return
            }
            try store.configuration.requireNoFile(ofStore: path)
            let progress = ProgressBar("Exporting", on: context.console)
            let count = try await ReplacingFile.write(to: path) { (file) throws(StoreError) in
                defer { progress.clear() }
                return try await write(id, of: archive, to: file, progress: progress)
            }
            if global.json {
                try context.console.print(["sessions": .integer(Int64(count)), "output": .string(path)])
            } else {
                try context.console.output.print("Exported \(counted(count, "session")) to \(visible(path)).")
            }
        }
    }

    private func write(
        _ id: ULID?, of archive: SessionArchive, to output: ByteOutput, progress: ProgressBar?
    ) async throws(StoreError) -> Int {
        var output = output
        if let id {
            try await archive.write(id, to: &output)
            return 1
        }
        return try await archive.writeAll(to: &output) { progress?.show(count: $0.sessions, of: "session") }.sessions
    }
}
