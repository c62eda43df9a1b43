#if SQLite && LMDB && Postgres
import AgentSessions
import AgentSessionsBackends
import Foundation
import Testing

/// A session of many messages whose source stops in the middle until the test lets it go on.
private final class HeldSource: MessageSource, Sendable {
    let session: Session
    private let reached = DispatchSemaphore(value: 0)
    private let goes = DispatchSemaphore(value: 0)
    private static let bound = DispatchTimeInterval.seconds(20)

    /// - Parameter count: More messages than are read before a transaction.
    init(_ count: Int = 2000) throws {
        session = Session(
            id: try ULIDGenerator.shared.next(), actorName: "long/import", messageCount: count, createdAt: .now(),
            updatedAt: .now())
    }

    /// Waits until the source stands still.
    func standsStill() async throws {
        for _ in 0..<600 {
            if reached.wait(timeout: .now()) == .success { return }
            try await Task.sleep(for: .milliseconds(50))
        }
        throw StoreError(.timeout, "the import has not begun")
    }

    func goOn() { goes.signal() }

    func makeReader() -> any MessageReader { Reader(source: self) }

    private struct Reader: MessageReader {
        let source: HeldSource
        var sequence = 0

        mutating func next() throws(StoreError) -> SessionMessage? {
            guard sequence < source.session.messageCount else { return nil }
            if sequence == 1500 {
                source.reached.signal()
                guard source.goes.wait(timeout: .now() + HeldSource.bound) == .success else {
                    throw StoreError(.timeout, "nobody let the source go on")
                }
            }
            sequence += 1
            return SessionMessage(
                id: try ULIDGenerator.shared.next(), sessionID: source.session.id, sequence: sequence, role: .user,
                content: "message \(sequence)", createdAt: source.session.createdAt)
        }
    }
}

@Suite("Long imports")
struct LongImportTests {
    private let shop: Workshop

    init() throws { shop = try Workshop() }

    /// The engines with one writer.
    static let oneWriter = [Engine.sqlite, .lmdb]

    private func append(_ text: String, to id: ULID, of store: any SessionStore) async throws(StoreError) {
        _ = try await store.append(
            AppendRequest(
                sessionID: id,
                messages: [PendingMessage(id: try ULIDGenerator.shared.next(), role: .user, content: text)],
                time: .now()))
    }

    @Test(
        "A change behind a long import waits for busy_timeout only, and a patient retry policy goes on waiting",
        arguments: oneWriter)
    func waitingChange(engine: Engine) async throws {
        try await shop.withStore(try shop.url(engine, "a", "busy_timeout=200ms")) { store in
            let session = try await store.makeService().filled(1)
            let source = try HeldSource()
            let long = Task { try await store.restore(source.session, messages: source) }
            try await source.standsStill()

            let start = ContinuousClock.now
            let error = try await storeError { () throws(StoreError) in
                try await append("too soon", to: session.id, of: store)
            }
            #expect(error.code == .busy && error.message.contains("busy_timeout"), "\(error)")
            #expect((.milliseconds(190)..<(.seconds(20))).contains(ContinuousClock.now - start))
            // Reads do not wait for a writer.
            #expect(try await store.get(session.id)?.messageCount == 1)

            let patient = Task {
                try await store.makeService(retryPolicy: RetryPolicy(maximumAttempts: 1000, totalTime: .seconds(60)))
                    .appendMessage(NewMessage(.user, "in time"), to: session.id)
            }
            try await Task.sleep(for: .milliseconds(300))
            source.goOn()
            #expect(try await patient.value.sequence == 2)
            try await long.value
            #expect(try await store.get(source.session.id)?.messageCount == 2000)
            let page = try await store.messages(MessageRequest(sessionID: session.id, range: .last, limit: 9))
            #expect(page?.messages.map(\.content) == ["message 1", "in time"])
        }
    }

    @Test("A long import starts after the changes before it were answered", arguments: oneWriter)
    func startsAfterEarlierChanges(engine: Engine) async throws {
        try await shop.withStore(try shop.url(engine, "a", "busy_timeout=60s")) { store in
            let session = try await store.makeService().filled(1)
            let (first, second) = (try HeldSource(), try HeldSource())
            let longs = Task { try await store.restore(first.session, messages: first) }
            try await first.standsStill()
            // Both wait, so that they could share a transaction.
            let short = Task { try await append("short", to: session.id, of: store) }
            try await Task.sleep(for: .milliseconds(50))
            let long = Task { try await store.restore(second.session, messages: second) }
            try await Task.sleep(for: .milliseconds(50))
            let start = ContinuousClock.now
            first.goOn()
            try await longs.value
            try await second.standsStill()
            try await short.value
            // Before the source stopped waiting by itself.
            #expect(ContinuousClock.now - start < .seconds(15))
            #expect(try await store.get(second.session.id) == nil)
            second.goOn()
            try await long.value
            #expect(try await store.get(second.session.id)?.messageCount == 2000)
        }
    }

    @Test(
        "A long import on Postgres does not make other changes wait", .enabled(if: Engine.available.contains(.postgres))
    )
    func postgres() async throws {
        try await shop.withStore(try shop.url(.postgres)) { store in
            let session = try await store.makeService().filled(1)
            let source = try HeldSource()
            let long = Task { try await store.restore(source.session, messages: source) }
            try await source.standsStill()
            try await append("meanwhile", to: session.id, of: store)
            #expect(try await store.get(source.session.id) == nil)
            source.goOn()
            try await long.value
            #expect(try await store.get(source.session.id)?.messageCount == 2000)
        }
    }

    @Test("An import of many long sessions does not time out behind itself", arguments: Engine.available)
    func manyLongSessions(engine: Engine) async throws {
        let count = 24
        let lines = (0..<count).map { number in
            let messages = (0..<1500).map { #"{"role":"user","content":"\#(number) \#($0)"}"# }
            return #"{"messages":[\#(messages.joined(separator: ","))]}"#
        }
        try await shop.withStore(try shop.url(engine)) { store in
            let result = try await store.makeService().importSessions(
                .bytes(Array(lines.joined(separator: "\n").utf8)), format: .openai, options: ImportOptions())
            #expect(result.messages == count * 1500)
            #expect(try await store.list(SessionListRequest(limit: 100)).allSatisfy { $0.messageCount == 1500 })
        }
    }
}
#endif
