#if SQLite && LMDB && Postgres
import AgentSessions
import AgentSessionsBackends
import Foundation
import AgentSessionsPostgresServer
import AgentSessionsTestSupport
import Synchronization
import Testing

@Suite("Replacement of a session", .enabled(if: PostgresCluster.isInstalled))
struct ReplacementTests {
    private let shop: Workshop

    init() throws { shop = try Workshop() }

    @Test("A replacement whose process is killed leaves the old session visible", arguments: Engine.allCases)
    func killed(engine: Engine) async throws {
        let url = try shop.url(engine)
        let (session, before) = try await shop.withStore(url) { store in
            let session = try await store.makeService().filled(800)
            return (session, try await documents(of: store))
        }
        let process = try StoreProcess([url, "replace", "\(session.id)", "5000"], in: URL(filePath: shop.path))
        try await process.waitForLines(2)
        #expect(try process.lines == ["opened", "stuck"])
        // The old session is visible during the replacement too.
        #expect(try await shop.withStore(url) { try await documents(of: $0) } == before)
        try await process.kill()
        #expect(try await shop.withStore(url) { try await documents(of: $0) } == before)
        let (status, report) = try await shop.verify(url)
        #expect(status == 0, "\(report)")
        let next = try await shop.withStore(url) { store in
            try await store.makeService().appendMessage(NewMessage(.user, "after"), to: session.id)
        }
        #expect(next.sequence == 801)
    }

    @Test(
        "A session that a copy replaces is always present and loses no acknowledged message", arguments: Engine.allCases
    )
    func noGap(engine: Engine) async throws {
        let (source, target) = (try await shop.open(try shop.url(.sqlite)), try await shop.open(try shop.url(engine)))
        let (ours, theirs) = (source.makeService(), target.makeService())
        let session = try await ours.filled(300)
        _ = try await StoreCopy(from: source, to: target).run()
        let isOver = Atomic(false)
        async let absences = {
            var absent = 0
            while !isOver.load(ordering: .acquiring), !Task.isCancelled {
                if try await target.get(session.id) == nil { absent += 1 }
                let page = try await target.messages(MessageRequest(sessionID: session.id, range: .last, limit: 1))
                if page?.messages.last?.sequence != page?.session.messageCount { absent += 1 }
                await Task.yield()
            }
            return absent
        }()
        for round in 0..<5 {
            try await ours.appendMessage(NewMessage(.user, "new \(round)"), to: session.id)
            #expect(try await StoreCopy(from: source, to: target).run().replaced == 1)
        }
        // A writer in the target races a copy: whichever is first, the message is kept.
        try await ours.appendMessage(NewMessage(.user, "last"), to: session.id)
        async let copied = try? StoreCopy(from: source, to: target).run()
        let stored = try await theirs.appendMessage(NewMessage(.user, "theirs"), to: session.id)
        _ = await copied
        #expect(try await theirs.lastMessages(1, in: session.id).messages == [stored])
        isOver.store(true, ordering: .releasing)
        #expect(try await absences == 0)
        await source.close()
        await target.close()
    }
}
#endif
