#if SQLite && LMDB && Postgres
import AgentSessions
import AgentSessionsBackends
import Foundation
import AgentSessionsPostgresServer
import AgentSessionsTestSupport
import Testing

@Suite("Verification during writes", .serialized, .enabled(if: PostgresCluster.isInstalled))
struct BusyVerificationTests {
    private let shop: Workshop

    init() throws { shop = try Workshop() }

    /// A number from the environment: `make soak-verify` sets larger ones than a run of all tests has time for.
    private static func number(_ name: String, default standard: Int) -> Int {
        ProcessInfo.processInfo.environment[name].flatMap { Int($0) } ?? standard
    }

    /// Every engine, or the one that the environment names.
    static let engines = Engine.allCases.filter { engine in
        ProcessInfo.processInfo.environment["VERIFY_SOAK_ENGINE"].map { $0 == engine.rawValue } ?? true
    }

    private static let runs = number("VERIFY_SOAK_RUNS", default: 3)
    private static let messages = number("VERIFY_SOAK_MESSAGES", default: 3000)

    @Test("A verification finds no problem while three processes write", arguments: engines)
    func findsNoProblem(engine: Engine) async throws {
        let url = try shop.url(engine)
        let session = try await shop.withStore(url) { store in
            let service = store.makeService()
            let session = try await service.create(actorName: "actor/0")
            for start in stride(from: 0, to: Self.messages, by: 1000) {
                // Ids in no order, as several processes make them.
                let batch = (start..<min(Self.messages, start + 1000)).map { number in
                    NewMessage(
                        .user, "message \(number)", id: ULID(high: .random(in: 0 ... .max), low: UInt64(number)))
                }
                try await service.append(batch, to: session.id, usage: nil, expectedSequence: nil)
            }
            return session
        }
        let writers = try (0..<3).map { _ in
            try StoreProcess([url, "churn", "\(session.id)"], in: URL(filePath: shop.path))
        }
        for writer in writers { try await writer.waitForLines(2) }
        for run in 1...Self.runs {
            let (status, report) = try await shop.verify(url)
            #expect(status == 0, "run \(run): \(report)")
            if status != 0 { break }
        }
        for writer in writers {
            let lines = try await writer.kill()
            #expect(lines == ["opened", "churning"])
        }
        let (status, report) = try await shop.verify(url)
        #expect(status == 0, "\(report)")
        let found = try await shop.withStore(url) { try await $0.get(session.id) }
        #expect((found?.messageCount ?? 0) > Self.messages && (found?.usage.inputTokens ?? 0) > 0)
    }
}
#endif
