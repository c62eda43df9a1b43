import Testing

@testable import AgentSessionsThreads

@Suite("A one-shot")
struct OneShotTests {
    @Test("gives the first value that was sent, before or after it is waited for")
    func first() async throws {
        let early = OneShot<Int>()
        early.send(1)
        early.send(2)
        #expect(try await bounded { await early.value() } == 1)
        let late = OneShot<Int>()
        let waiting = Task { try await bounded { await late.value() } }
        try await Task.sleep(for: .milliseconds(20))
        late.send(3)
        late.send(4)
        #expect(try await waiting.value == 3)
        #expect(try await bounded { await late.value() } == 3)
    }

    @Test("gives its value to each of many tasks, once", arguments: [1, 2, 100])
    func many(tasks: Int) async throws {
        let shot = OneShot<String>()
        let heard = Shared<[String]>([])
        for _ in 0..<tasks {
            Task {
                let value = await shot.value()
                heard.change { $0.append(value) }
            }
        }
        try await Task.sleep(for: .milliseconds(5))
        _ = try WorkerThread { shot.send("a") }
        try await eventually { heard.value.count == tasks }
        #expect(heard.value == Array(repeating: "a", count: tasks))
    }
}
