#if SQLite && LMDB && Postgres
import AgentSessions
import Foundation
import AgentSessionsTestSupport

/// Conversations in the chat format: the recorded ones, or else the sample that comes with the tool.
enum Corpus {
    static let path: String =
        RecordedConversations.path
        ?? RecordedConversations.projectFolder
        .appending(path: "Sources/agent-sessions/Resources/sample-conversations.jsonl").path(percentEncoded: false)

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
