#if SQLite && LMDB && Postgres
import AgentSessions
import Foundation
import AgentSessionsPostgresServer
import AgentSessionsTestSupport
import Testing

@Suite("The tool on a store with small pages", .timeLimit(.minutes(5)))
struct PageLimitTests {
    private let shop: Workshop

    init() throws { shop = try Workshop() }

    @Test("Every verb of the tool works on a store with small pages", arguments: Engine.available, [1, 4])
    func everyVerb(engine: Engine, pageItems: Int) async throws {
        let setting = "max_page=\(pageItems)"
        let url = try shop.url(engine, PostgresCluster.freshSchema(), setting)
        let demo = try await shop.tool("--store", url, "demo", "--json")
        #expect(demo.status == 0 && demo.output.contains(#""identical":true"#), "\(demo.errors)")
        let tool = try BuiltTool(on: url)
        var ids: [String] = []
        var next: [String] = []
        repeat {
            let page = try await shop.tool(["--store", url, "list", "--json"] + next)
            let value = try JSONParser.parse(Array(page.output.utf8))
            ids += value["sessions"]?.arrayValue?.compactMap { $0["id"]?.stringValue } ?? []
            next = value["next"]?.stringValue.map { ["--after", $0] } ?? []
        } while !next.isEmpty
        #expect(ids.count == 7 && Set(ids).count == 7)
        let messages = try await tool.messages(of: ids[6])
        #expect(messages.count > 4)
        #expect(try await tool.json("show", ids[6], "--last", "1")["messages"]?.arrayValue == messages.suffix(1))

        let archive = "\(shop.path)/archive.jsonl"
        #expect(try await tool.json("export", "--all", "--output", archive)["sessions"] == 7)
        #expect(try await tool.json("import", archive)["sessions"] == 7)
        let other = try shop.url(engine, PostgresCluster.freshSchema(), setting)
        for copied in [14, 0] {
            let copy = try await shop.tool("copy", "--from", url, "--to", other, "--json")
            #expect(copy.output.contains(#""copied":\#(copied)"#), "\(copy.errors)")
        }
        try await tool.expectSound()
        try await BuiltTool(on: other).expectSound()
    }
}
#endif
