import AgentSessions
import AgentSessionsTestSupport
import Foundation
import Testing

@Suite("agent-sessions conformance, as a process")
struct ConformanceCommandTests {
    @Test("A run leaves the user's store alone, and other processes take part")
    func processes() async throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: "conformance-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: false)
        defer { try? FileManager.default.removeItem(at: folder) }
        let path = folder.path(percentEncoded: false)
        let (status, output) = try await ToolProcess.run(
            ["--json", "conformance", "--only", "processes.*", "--seed", "5", "--report", "\(path)/page.html"],
            store: "sqlite:\(path)/user.db")
        #expect(status == 0, "\(output)")
        let report = try JSONObject(parsing: output)
        #expect(report["seed"]?.integerValue == 5)
        #expect(report["conformant"]?.boolValue == true)
        #expect(report["totals"]?["passed"]?.integerValue == 10, "\(output)")
        #expect(try FileManager.default.contentsOfDirectory(atPath: path) == ["page.html"])
    }

    @Test("A pattern that no scenario fits, and a report of unknown form, are errors")
    func refusals() async throws {
        let nothing = try await ToolProcess.run(["conformance", "--only", "nothing-like-it"], store: "memory:")
        #expect(nothing.status == 1 && nothing.output.contains("nothing-like-it"))
        let form = try await ToolProcess.run(["conformance", "--report", "report.pdf"], store: "memory:")
        #expect(form.status == 64 && form.output.contains(".html"))
    }
}
