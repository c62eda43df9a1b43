import AgentSessionsMemory
import Testing

@testable import AgentSessions

@Suite("The service on a store with small pages")
struct PageLimitTests {
    private static let sessions = 5
    private static let messages = 7

    /// A store that refuses a larger page than it declares.
    private func strictStore(_ pageItems: Int) async throws -> EditedStore {
        @Sendable func check(_ limit: Int) throws(StoreError) {
            guard limit <= pageItems else { throw StoreError(.limitExceeded, "a page of \(limit)") }
        }
        let store = EditedStore(base: MemorySessionStore(limits: StoreLimits(pageItems: pageItems))) {
            (request, sessions) throws(StoreError) in
            try check(request.limit)
            return sessions
        } page: { (request, page) throws(StoreError) in
            try check(request.limit)
            return page
        }
        let service = PersistentSessionService(store, retryPolicy: .never)
        for _ in 0..<Self.sessions {
            let id = try await service.create(actorName: "a").id
            try await service.append((1...Self.messages).map { NewMessage(.user, "\($0)") }, to: id)
        }
        return store
    }

    @Test(
        "A store with small pages is listed, streamed and exported in pages of its own size",
        arguments: [1, 2, 4, 5, 6, 7, 100])
    func reading(pageItems: Int) async throws {
        let service = PersistentSessionService(try await strictStore(pageItems), retryPolicy: .never)
        var ids: [ULID] = []
        var cursor: SessionCursor?
        var pages = 0
        repeat {
            let page = try await service.list(after: cursor)
            ids += page.sessions.map(\.id)
            cursor = page.next
            pages += 1
        } while cursor != nil
        #expect(ids.count == Self.sessions && ids == ids.sorted(by: >))
        // A last page that is full says that it is the last one, too.
        #expect(pages == (Self.sessions + pageItems - 1) / pageItems)
        let second = try await service.list(SessionFilter(), limit: 1, offset: 1, after: nil)
        #expect(second.sessions.map(\.id) == [ids[1]] && second.next != nil)
        #expect(try await collect(service.messageStream(in: ids[0])).count == Self.messages)
        #expect(try await service.messages(in: ids[0]).messages.count == min(pageItems, Self.messages))
        var document: [UInt8] = []
        for id in ids { document += try await service.document(id) }
        #expect(try await memoryService().load(document).messages == Self.sessions * Self.messages)
        var archive = ArchiveBytes()
        #expect(try await SessionArchive(of: service).writeAll(to: &archive).sessions == Self.sessions)
        #expect(try await memoryService().load(archive.bytes).messages == Self.sessions * Self.messages)
    }

    @Test("A store with small pages can be copied from, copied to and verified", arguments: [1, 2, 5, 7])
    func copying(pageItems: Int) async throws {
        let store = try await strictStore(pageItems)
        let target = EditedStore(base: MemorySessionStore(limits: StoreLimits(pageItems: pageItems)))
        for copied in [Self.sessions, 0] {
            let result = try await StoreCopy(from: store, to: target, retryPolicy: .never).run()
            #expect(result.sessions == Self.sessions && result.copied == copied)
            #expect(result.messages == Self.sessions * Self.messages)
        }
        let report = try await StoreVerification(of: store, retryPolicy: .never).run()
        #expect(report.isSound && report.messages == Self.sessions * Self.messages, "\(report.problems)")
    }
}

private struct ArchiveBytes: DocumentSink {
    var bytes: [UInt8] = []

    mutating func write(_ bytes: [UInt8]) async throws(StoreError) { self.bytes += bytes }
}
