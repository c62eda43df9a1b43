#if SQLite && LMDB && Postgres
import AgentSessions
import AgentSessionsBackends
import Foundation
import AgentSessionsPostgresServer
import Testing

@Suite("Fairness between readers and others", .timeLimit(.minutes(3)))
struct FairnessTests {
    /// The engines whose reads stay on the caller's thread. Writes of the embedded engines do not wait for the disk, so
    /// that only threads count.
    static let engines: [(Engine?, String)] =
        [(nil, ""), (.sqlite, "synchronous=off"), (.lmdb, "sync=none")]
        + (Engine.available.contains(.postgres) ? [(.postgres, "pool_max=8")] : [])

    @Test("As many reading tasks as there are cores leave room for other tasks", arguments: engines)
    func readersLeaveRoom(engine: Engine?, setting: String) async throws {
        let shop = try Workshop()
        let url = try engine.map { try shop.url($0, PostgresCluster.freshSchema(), setting) } ?? "memory:"
        try await shop.withStore(url) { store in
            let service = store.makeService(retryPolicy: .never)
            let session = try await service.filled(3)
            // The embedded engines open a reader when none is free.
            for _ in 0..<20 { _ = try await store.get(session.id) }
            let (enough, most) = (20, 100_000)
            let (written, starved) = (Tally(), Tally())
            try await withThrowingTaskGroup(of: Void.self) { group in
                for _ in 0..<ProcessInfo.processInfo.activeProcessorCount {
                    group.addTask {
                        for _ in 0..<most {
                            if written.value >= enough { return }
                            _ = try await store.get(session.id)
                        }
                        starved.add()
                    }
                }
                group.addTask {
                    for _ in 0..<enough {
                        _ = try await service.appendMessage(NewMessage(.user, "text"), to: session.id)
                        written.add()
                    }
                }
                try await group.waitForAll()
            }
            #expect(starved.value == 0, "\(most) reads went by, and not \(enough) writes")
        }
    }
}
#endif
