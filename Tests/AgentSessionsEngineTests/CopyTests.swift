#if SQLite && LMDB && Postgres
import AgentSessions
import AgentSessionsBackends
import AgentSessionsMemory
import Foundation
import AgentSessionsPostgresServer
import AgentSessionsTestSupport
import Testing

@Suite("Copies between stores", .serialized, .enabled(if: PostgresCluster.isInstalled))
struct CopyTests {
    private let shop: Workshop

    init() throws { shop = try Workshop() }

    /// Conversations, and some harder ones of our own.
    private func corpus() throws -> [UInt8] {
        let own = """
            {"actor_name":"a/b","metadata":{"i":9223372036854775807,"d":1.0,"e":-0.0,"deep":[[{"k":"é"}]]},"messages":[\
            {"role":"user","content":"nul \\u0000 and \\u0001, e\\u0301 🙏"},\
            {"role":"assistant","content":null,"tool_calls":[{"id":"c1"}]},\
            {"role":"tool","content":"","tool_call_id":"c1"}]}
            {"actor_name":"empty","messages":[]}

            """
        return Array(own.utf8) + Array(try Data(contentsOf: URL(filePath: Corpus.path)))
    }

    @Test("A copy from SQLite to Postgres to LMDB to memory and back keeps every byte")
    func roundTrip() async throws {
        let urls = [
            try shop.url(.sqlite), try shop.url(.postgres), try shop.url(.lmdb), "memory:", try shop.url(.sqlite),
        ]
        var stores: [any SessionStore] = []
        for url in urls { stores.append(try await shop.open(url)) }
        let imported = try await stores[0].makeService().importSessions(
            .bytes(try corpus()), format: .openai, options: ImportOptions())
        let original = try await documents(of: stores[0])
        #expect(original.count == imported.ids.count)
        for (source, target) in zip(stores, stores.dropFirst()) {
            let result = try await StoreCopy(from: source, to: target).run()
            #expect(result.sessions == imported.ids.count && result.copied == imported.ids.count)
            #expect(result.messages == imported.messages && result.replaced == 0)
            #expect(try await documents(of: target) == original)
            let again = try await StoreCopy(from: source, to: target).run()
            #expect(again.sessions == imported.ids.count && again.copied == 0)
        }
        for store in stores {
            let report = try await StoreVerification(of: store).run()
            #expect(report.isSound, "\(store.backendName): \(report.problems)")
            #expect(report.sessions == imported.ids.count && report.messages == imported.messages)
            await store.close()
        }
    }

    @Test("A killed copy leaves whole sessions, and the next run finishes it", arguments: Engine.allCases)
    func killed(engine: Engine) async throws {
        let (source, target) = (try shop.url(.sqlite), try shop.url(engine))
        let count = 400
        let original = try await shop.withStore(source) { store in
            for index in 0..<count { _ = try await store.makeService().filled(index % 7) }
            return try await documents(of: store)
        }
        let process = Process()
        process.executableURL = URL(filePath: try BuiltTool.program.path)
        process.arguments = ["copy", "--from", source, "--to", target]
        process.standardOutput = FileHandle.nullDevice
        try process.run()
        let seen = try await shop.withStore(target) { store in
            var seen = 0
            while process.isRunning, seen < 20 {
                seen = try await store.list(SessionListRequest(limit: 100)).count
                try await Task.sleep(for: .milliseconds(1))
            }
            return seen
        }
        kill(process.processIdentifier, SIGKILL)
        while process.isRunning { try await Task.sleep(for: .milliseconds(5)) }
        #expect(seen > 0)
        let (status, report) = try await shop.verify(target)
        #expect(status == 0, "\(report)")
        let second = try await shop.tool("copy", "--from", source, "--to", target, "--json")
        #expect(second.status == 0 && second.output.contains("\"verified\":true"), "\(second.errors)")
        #expect(second.output.contains("\"sessions\":\(count),"))
        #expect(try await shop.withStore(target) { try await documents(of: $0) } == original)
    }

    @Test("A cancelled copy reports the cancellation, and the next run finishes it")
    func cancelled() async throws {
        let (source, target) = (MemorySessionStore(), try await shop.open(try shop.url(.sqlite)))
        for _ in 0..<200 { _ = try await source.makeService().filled(3) }
        let task = Task { try await StoreCopy(from: source, to: target).run { if $0.sessions == 20 { cancelSelf() } } }
        let error = await #expect(throws: StoreError.self) { try await task.value }
        #expect(error?.code == .cancelled)
        let there = try await target.list(SessionListRequest(limit: 1000)).count
        #expect((20..<200).contains(there))
        let result = try await StoreCopy(from: source, to: target).run()
        #expect(result.sessions == 200 && result.copied == 200 - there)
        await target.close()
    }

    @Test("A copy takes a session of any length as it is at one moment while others append", arguments: Engine.allCases)
    func consistentWhileAppending(engine: Engine) async throws {
        let (source, target) = (try await shop.open(try shop.url(.sqlite)), try await shop.open(try shop.url(engine)))
        let service = source.makeService()
        let session = try await service.filled(3000, content: String(repeating: "long ", count: 100))
        let writer = Task {
            while !Task.isCancelled {
                try await service.appendMessage(NewMessage(.user, "more"), to: session.id)
                try await Task.sleep(for: .milliseconds(2))
            }
        }
        let result = try await StoreCopy(from: source, to: target).run()
        writer.cancel()
        _ = await writer.result
        #expect(result.messages >= 3000)
        #expect(try await StoreVerification(of: target).run().isSound)
        // The next run copies the messages appended since, and replaces the earlier state.
        let next = try await StoreCopy(from: source, to: target).run()
        #expect(next.replaced == next.copied)
        #expect(try await documents(of: target) == documents(of: source))
        await source.close()
        await target.close()
    }

    @Test(
        "A repeated copy takes the new messages, even if usage, an update or a rewind was the last change before",
        arguments: Engine.allCases, Engine.allCases)
    func repeated(from: Engine, to: Engine) async throws {
        let (source, target) = (try shop.url(from), try shop.url(to))
        let service: (any SessionStore) -> any SessionService = { $0.makeService() }
        let ids = try await shop.withStore(source) { store in
            var ids: [ULID] = []
            for _ in 0..<3 { ids.append(try await service(store).filled(5).id) }
            try await service(store).updateTokenUsage(ids[0], adding: TokenUsage(inputTokens: 1))
            try await service(store).update(ids[1], actorName: "updated")
            try await service(store).rewind(ids[2], to: 3)
            return ids
        }
        let first = try await shop.tool("copy", "--from", source, "--to", target, "--json")
        #expect(first.status == 0 && first.output.contains("\"copied\":3"), "\(first.errors)")
        // The writers change the sessions once more, and stop.
        try await shop.withStore(source) { store in
            try await service(store).appendMessage(NewMessage(.user, "new"), to: ids[0])
            try await service(store).rewind(ids[1], to: 1)
            try await service(store).updateTokenUsage(ids[2], adding: TokenUsage(inputTokens: 2))
        }
        let second = try await shop.tool("copy", "--from", source, "--to", target, "--json")
        #expect(second.status == 0 && second.output.contains("\"copied\":3"), "\(second.errors)")
        let original = try await shop.withStore(source) { try await documents(of: $0) }
        #expect(try await shop.withStore(target) { try await documents(of: $0) } == original)
        let (status, report) = try await shop.verify(target)
        #expect(status == 0, "\(report)")
        // A session that was changed in the target stays as it is.
        _ = try await shop.withStore(target) { store in
            try await service(store).updateTokenUsage(ids[1], adding: TokenUsage(inputTokens: 5))
        }
        _ = try await shop.withStore(source) { store in
            try await service(store).updateTokenUsage(ids[1], adding: TokenUsage(inputTokens: 9))
        }
        let third = try await shop.tool("copy", "--from", source, "--to", target)
        #expect(third.status == 1 && third.errors.contains("\(ids[1])"), "\(third.errors)")
        #expect(try await shop.withStore(target) { try await $0.get(ids[1]) }?.usage.inputTokens == 5)
        // A record is deleted with its session.
        try await shop.withStore(target) { store in
            #expect(try await store.copyRecord(of: ids[0]) != nil)
            #expect(try await store.migrations().map(\.origin) == [.core, .core])
            try await service(store).delete(ids[0])
            #expect(try await store.copyRecord(of: ids[0]) == nil)
        }
    }

    @Test("A store that nothing is copied into keeps no record of copies", arguments: Engine.allCases)
    func noRecord(engine: Engine) async throws {
        let url = try shop.url(engine)
        try await shop.withStore(url) { (store) -> Void in
            _ = try await store.makeService().filled(2)
            let id = try #require(try await store.storeID())
            #expect(try await store.copyRecord(of: id) == nil)
            #expect(try await store.migrations().count == 2)
        }
        let id = try await shop.withStore(url) { try await $0.storeID() }
        #expect(try await shop.withStore(url) { try await $0.storeID() } == id)
        let other = try shop.url(engine)
        #expect(try await shop.withStore(other) { try await $0.storeID() } != id)
    }

    @Test("Several first copies into one store succeed at the same time", arguments: Engine.allCases)
    func concurrentFirstCopies(engine: Engine) async throws {
        let target = try await shop.open(try shop.url(engine))
        let count = 4
        try await withThrowingTaskGroup(of: Int.self) { group in
            for _ in 0..<count {
                group.addTask {
                    let source = MemorySessionStore()
                    _ = try await source.makeService().filled(3)
                    return try await StoreCopy(from: source, to: target).run().copied
                }
            }
            for try await copied in group { #expect(copied == 1) }
        }
        #expect(try await target.list(SessionListRequest(limit: 10)).count == count)
        await target.close()
    }

    @Test("A copy into its own source is refused, however the URL is written", arguments: Engine.allCases)
    func sameStore(engine: Engine) async throws {
        let url = try shop.url(engine)
        try await shop.withStore(url) { _ = try await $0.makeService().filled(2) }
        let other = engine == .postgres ? url + "&pool_max=3" : url.replacing("/engines-", with: "/./engines-")
        let run = try await shop.tool("copy", "--from", url, "--to", other)
        #expect(run.status == 1 && run.errors.contains("the same store"), "\(run.errors)")
    }

    @Test("A copy from a source that does not exist is refused and creates neither store")
    func absentSource() async throws {
        for engine in [Engine.sqlite, .lmdb] {
            let run = try await shop.tool(
                "copy", "--from", try shop.url(engine, "none"), "--to", try shop.url(.lmdb, "new"))
            #expect(run.status == 1 && run.errors.contains("There is no store"), "\(run.errors)")
        }
        for name in ["none.db", "none", "new"] {
            #expect(!FileManager.default.fileExists(atPath: "\(shop.path)/\(name)"))
        }
        #expect(try await shop.tool("--store", "memory:", "copy", "--from", "memory:", "--to", "memory:").status == 64)
    }

    @Test("A copy prints a summary for people")
    func summary() async throws {
        let (source, target) = (try shop.url(.sqlite), try shop.url(.lmdb))
        try await shop.withStore(source) { _ = try await $0.makeService().filled(2) }
        let first = try await shop.tool("copy", "--from", source, "--to", target)
        #expect(first.output.contains("Copied 1 session, found 0 sessions there already. Verified 2 messages in"))
        #expect(first.errors.contains("Copying 1 session"))
        let second = try await shop.tool("copy", "--from", source, "--to", target)
        #expect(second.output.contains("Copied 0 sessions, found 1 session there already."))
        let verified = try await shop.tool("--store", target, "verify")
        #expect(verified.status == 0 && verified.output.contains("1 session with 2 messages: no problem found."))
    }
}

/// Cancels the task that runs this.
private func cancelSelf() {
    withUnsafeCurrentTask { $0?.cancel() }
}
#endif
