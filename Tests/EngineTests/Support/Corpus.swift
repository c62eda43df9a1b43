#if SQLite && LMDB && Postgres
import AgentSessions
import Foundation

/// Conversations in the chat format: recorded ones, which lie beside the project where it is developed and are no part
/// of it, or else the sample that the tool brings.
enum Corpus {
    static let path: String = {
        let file = URL(filePath: #filePath)
        let root = (0..<4).reduce(file) { folder, _ in folder.deletingLastPathComponent() }
        let recorded = root.deletingLastPathComponent().appending(path: "shared/data/tau-airline.jsonl").path
        let sample = root.appending(path: "Sources/agent-sessions/Resources/sample-conversations.jsonl").path
        return FileManager.default.isReadableFile(atPath: recorded) ? recorded : sample
    }()

    private static let read = Result { try lines(of: path) }

    static func conversations() throws -> [JSONValue] { try read.get() }

    /// The values of a file of JSON lines.
    static func lines(of path: String) throws -> [JSONValue] {
        try Data(contentsOf: URL(filePath: path)).split(separator: UInt8(ascii: "\n")).map { line in
            try JSONParser.parse(Array(line), limits: JSONLimits(maximumBytes: .max, maximumDepth: 100))
        }
    }
}
#endif
