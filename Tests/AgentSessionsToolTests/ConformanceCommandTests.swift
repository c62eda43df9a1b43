import AgentSessions
import AgentSessionsTestSupport
import Foundation
import Testing

@Suite("The conformance verb as a process")
struct ConformanceCommandTests {
    @Test("A conformance run does not touch the user's store, and other processes take part")
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

    @Test("A run that is killed leaves a report that names what was under way", .timeLimit(.minutes(5)))
    func killed() async throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: "conformance-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: false)
        defer { try? FileManager.default.removeItem(at: folder) }
        let file = folder.appending(path: "report.json")
        let output = Pipe()
        let process = try ToolProcess.make(
            ["conformance", "--seed", "5", "--report", file.path(percentEncoded: false)], store: "memory:",
            output: output)
        try process.run()
        defer { process.terminate() }
        func report() throws -> JSONObject? {
            guard let data = try? Data(contentsOf: file) else { return nil }
            return try JSONObject(parsing: String(decoding: data, as: UTF8.self))
        }
        func messages(_ report: JSONObject?, with text: String) -> Int {
            (report?["scenarios"]?.arrayValue ?? []).count { $0["message"]?.stringValue?.contains(text) == true }
        }
        let end = ContinuousClock.now + .seconds(60)
        while try messages(report(), with: "under way when") == 0, ContinuousClock.now < end, process.isRunning {
            try await Task.sleep(for: .milliseconds(20))
        }
        kill(process.processIdentifier, SIGKILL)
        _ = try await ToolProcess.read(output)
        process.waitUntilExit()
        let left = try #require(try report())
        #expect((1...4).contains(messages(left, with: "under way when")))
        #expect(messages(left, with: "not begun when") > 0)
        #expect(left["conformant"]?.boolValue == false)
    }

    @Test("A pattern that matches no scenario and a report of unknown form are errors")
    func refusals() async throws {
        let nothing = try await ToolProcess.run(["conformance", "--only", "nothing-like-it"], store: "memory:")
        #expect(nothing.status == 1 && nothing.output.contains("nothing-like-it"))
        let form = try await ToolProcess.run(["conformance", "--report", "report.pdf"], store: "memory:")
        #expect(form.status == 64 && form.output.contains(".html"))
    }
}
