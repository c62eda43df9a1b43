// What sharing a commit is worth: single durable appends by one task, then by 32 tasks to 32 sessions.
//
// usage: group-commit-probe [SECONDS [STORE-URL]]   one line of JSON a workload; without a URL, the store is a fresh
// SQLite file in a temporary folder
import AgentSessions
import AgentSessionsBackends
import Foundation

let arguments = CommandLine.arguments
let seconds = arguments.dropFirst().first.flatMap { Double($0) } ?? 3
let folder = FileManager.default.temporaryDirectory.appendingPathComponent("agent-sessions-\(UUID().uuidString)")
try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
defer { try? FileManager.default.removeItem(at: folder) }

let configuration = try StoreConfiguration.load(
    store: arguments.count > 2 ? arguments[2] : "sqlite://\(folder.appendingPathComponent("probe.db").path)")
let store = try await configuration.open()
let service = store.makeService()
let content = String(repeating: "The 9:42 to Ghent leaves from platform 7. ", count: 14)

/// Appends for `seconds` by so many tasks, each to a session of its own; gives appends a second.
func appendRate(tasks: Int) async throws -> Double {
    var sessions: [ULID] = []
    for _ in 0..<tasks { sessions.append(try await service.create(actorName: "probe/append").id) }
    let clock = ContinuousClock()
    let start = clock.now
    let end = start + .seconds(seconds)
    let appended = try await withThrowingTaskGroup(of: Int.self) { group in
        for session in sessions {
            group.addTask {
                var count = 0
                while clock.now < end {
                    _ = try await service.appendMessage(NewMessage(.assistant, content), to: session)
                    count += 1
                }
                return count
            }
        }
        return try await group.reduce(0, +)
    }
    let elapsed = (clock.now - start) / .seconds(1)
    for session in sessions where try await service.get(session).messageCount == 0 {
        throw StoreError(.internalFailure, "A session got no message.")
    }
    print(
        #"{"store":"\#(configuration.backend.name)","workload":"message_append","clients":\#(tasks),"#
            + #""operations":\#(appended),"operations_per_second":\#(Int(Double(appended) / elapsed))}"#)
    return Double(appended) / elapsed
}

_ = try await appendRate(tasks: 1)  // Warms the file and the caches up; its line says so by being the first.
let one = try await appendRate(tasks: 1)
let many = try await appendRate(tasks: 32)
print(#"{"workload":"message_append","ratio_32_to_1":\#((many / one * 100).rounded() / 100)}"#)
await store.close()
