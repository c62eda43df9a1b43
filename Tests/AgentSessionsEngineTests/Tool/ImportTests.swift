#if SQLite && LMDB && Postgres
import AgentSessions
import Foundation
import AgentSessionsTestSupport
import Testing

@Suite("Imports on a full disk", .timeLimit(.minutes(5)))
struct ImportTests {
    @Test("An import that ran out of space says what is stored, and following its advice stores everything once")
    func fullDisk() async throws {
        let shop = try Workshop()
        let text = String(repeating: "x", count: 60_000)
        let lines = (1...60).map { #"{"actor_name":"a/\#($0)","messages":[{"role":"user","content":"\#(text)"}]}"# }
        let path = "\(shop.path)/chat.jsonl"
        func write(_ lines: [String]) throws {
            try Data(lines.map { $0 + "\n" }.joined().utf8).write(to: URL(filePath: path))
        }
        try write(lines)
        let small = try BuiltTool(on: "lmdb://\(shop.path)/store?initial_map_size=1MiB&map_size=2MiB")
        let run = try await small.run("import", path, "--format", "openai", "--json")
        #expect(run.status == 1)
        #expect(run.errors.contains("MDB_MAP_FULL") && !run.errors.contains("othing was"), "\(run.errors)")
        let told = try JSONParser.parse(run.output, limits: JSONLimits(maximumBytes: .max, maximumDepth: 10))
        let stopped = try #require(told["stopped"])
        let next = try #require(stopped["document"]?.integerValue)
        let later = stopped["stored_later"]?.arrayValue?.compactMap { $0["document"]?.integerValue } ?? []
        let ids = Set(told["ids"]?.arrayValue?.compactMap { $0.stringValue } ?? [])
        #expect(stopped["file"] == .string(path) && stopped["unknown"] == [] && next > 1)
        #expect(ids.count == Int(next) - 1 + later.count)

        let wide = try BuiltTool(on: "lmdb://\(shop.path)/store?map_size=64MiB")
        func listed(_ key: String) async throws -> [String] {
            let sessions = try await wide.json("list", "--limit", "100")["sessions"]?.arrayValue ?? []
            return sessions.compactMap { $0[key]?.stringValue }
        }
        #expect(try await Set(listed("id")) == ids)
        let rest = lines.enumerated().filter { $0.offset + 1 >= next && !later.contains(Int64($0.offset + 1)) }
        try write(rest.map(\.element))
        #expect(try await wide.json("import", path, "--format", "openai")["sessions"] == .integer(Int64(rest.count)))
        #expect(try await listed("actor_name").sorted() == (1...60).map { "a/\($0)" }.sorted())
        try await wide.expectSound()
    }
}
#endif
