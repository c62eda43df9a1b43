import AgentSessionsMemory
import Testing

@testable import AgentSessions

/// Stores that show data which they may still lose.
@Suite("Outcomes and durability")
struct DurabilityTests {
    private func service(
        _ store: FaultyStore, _ policy: RetryPolicy = .quick
    ) -> PersistentSessionService<FaultyStore> {
        PersistentSessionService(store, retryPolicy: policy)
    }

    @Test(
        "The service believes what it reads back only after the store has waited for durability",
        arguments: FaultyOperation.all)
    func waits(operation: FaultyOperation) async throws {
        let store = try await FaultyOperation.store()
        for first in [FaultyStore.Fault.doneButUnknown, .lostAndUnknown] {
            let store = try await FaultyOperation.store()
            store.fail(writes: [first], waits: [.failBefore(.unavailable)])
            try await operation.run(service(store))
            #expect(try await operation.isDone(store.base))
            #expect(store.seen.waitCount == 2)
        }
        // A caller that heard of the commit has no reason to look.
        store.fail(writes: [.failBefore(.busy)])
        try await operation.run(service(store))
        #expect(store.seen.waitCount == 0)
    }

    @Test("An outcome that the store cannot make durable stays unknown", arguments: FaultyOperation.all)
    func cannotTell(operation: FaultyOperation) async throws {
        for code in [StoreError.Code.unavailable, .timeout, .corrupt, .outcomeUnknown] {
            let store = try await FaultyOperation.store()
            store.fail(writes: [.doneButUnknown], waits: Array(repeating: .failBefore(code), count: 20))
            let error = try await storeError { () throws(StoreError) in try await operation.run(service(store)) }
            #expect(error.code == .outcomeUnknown)
            #expect((error.cause as? StoreError)?.code == code)
            #expect(!error.message.contains("Nothing was written"))
            #expect(try await operation.isDone(store.base))
            #expect((1...5).contains(store.seen.waitCount))
        }
    }

    @Test("A copy waits for the durability of sessions that were already there")
    func copy() async throws {
        let source = MemorySessionStore()
        _ = try await PersistentSessionService(source).create(actorName: "x")
        let target = FaultyStore()
        target.fail()
        _ = try await StoreCopy(from: source, to: target).run()
        #expect(target.seen.waitCount == 0)
        _ = try await StoreCopy(from: source, to: target).run()
        #expect(target.seen.waitCount == 1)
        target.fail(waits: [.failBefore(.timeout)])
        let error = try await storeError { () throws(StoreError) in
            _ = try await StoreCopy(from: source, to: target).run()
        }
        #expect(error.code == .timeout)
    }

    @Test("A store that shows only durable data has nothing to wait for")
    func byDefault() async throws {
        try await MemorySessionStore().awaitDurability()
    }
}
