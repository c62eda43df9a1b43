import Testing

@testable import AgentSessionsThreads

@Suite("A pool of reader threads")
struct ReaderPoolTests {
    /// A reader that counts its reads, and tells when it is made and let go.
    private final class Reader {
        let made: Shared<Int>
        private let gone: Shared<Int>
        var reads = 0

        init(_ made: Shared<Int>, _ gone: Shared<Int>) {
            (self.made, self.gone) = (made, gone)
            made.change { $0 += 1 }
        }

        deinit { gone.change { $0 += 1 } }
    }

    private let made = Shared(0)
    private let gone = Shared(0)
    private let waits = Shared<[UInt64]>([])

    private func pool(threads: Int) throws -> ReaderPool<Reader> {
        let (made, gone, waits) = (made, gone, waits)
        return try ReaderPool(threads: threads) {
            Reader(made, gone)
        } recordWait: { nanoseconds in
            waits.change { $0.append(nanoseconds) }
        }
    }

    @Test("makes a reader for each thread, which keeps it")
    func readers() async throws {
        let pool = try pool(threads: 2)
        try await eventually { made.value == 2 }
        for read in 1...5 {
            let reads = try await bounded {
                await pool.run { reader in
                    reader.reads += 1
                    return reader.reads
                }
            }
            #expect((1...read).contains(try #require(reads)))
        }
        #expect(made.value == 2 && gone.value == 0)
        try await bounded { await pool.close() }
        try await eventually { gone.value == 2 }
    }

    @Test("reads on as many threads as it has, and no more")
    func concurrent() async throws {
        let pool = try pool(threads: 2)
        let gate = Gate()
        let heard = Shared<[Int?]>([])
        for number in 0..<5 {
            Task {
                let answer = await pool.run { _ in
                    gate.wait()
                    return number
                }
                heard.change { $0.append(answer) }
            }
        }
        try await gate.awaitArrivals(2)
        try await Task.sleep(for: .milliseconds(10))
        #expect(heard.value.isEmpty)
        #expect(made.value == 2)
        gate.open()
        try await eventually { heard.value.count == 5 }
        #expect(heard.value.compactMap { $0 }.sorted() == Array(0..<5))
        try await bounded { await pool.close() }
    }

    @Test("records how long each read waited for a thread")
    func waitingTime() async throws {
        let pool = try pool(threads: 1)
        let gate = Gate()
        _ = pool.submit { _ in gate.wait() }
        try await gate.awaitArrivals()
        let start = ContinuousClock.now
        let hasBegun = Shared(false)
        let read = Task {
            hasBegun.set(true)
            return await pool.run { _ in true }
        }
        try await eventually { hasBegun.value }
        try await Task.sleep(for: .milliseconds(500))
        // What no caller waits for is not recorded.
        #expect(waits.value.isEmpty)
        gate.open()
        #expect(try await bounded { await read.value } == true)
        let wait = try #require(waits.value.first)
        #expect(Duration.nanoseconds(Int64(clamping: wait)) <= ContinuousClock.now - start)
        // Much less than the gate was shut, as the task may be held up before it reads.
        #expect(wait >= 100_000_000)
        #expect(try await bounded { await pool.run { _ in true } } == true)
        #expect(waits.value.count == 2)
        try await bounded { await pool.close() }
    }

    @Test("that is stopped refuses reads, and does those that wait already")
    func stopped() async throws {
        let pool = try pool(threads: 1)
        let gate = Gate()
        let done = Shared(0)
        for _ in 0..<3 {
            #expect(
                pool.submit { _ in
                    gate.wait()
                    done.change { $0 += 1 }
                })
        }
        try await gate.awaitArrivals()
        pool.stop()
        #expect(!pool.submit { _ in done.change { $0 += 100 } })
        #expect(try await bounded { await pool.run { _ in 1 } } == nil)
        let isClosed = Shared(false)
        Task {
            await pool.close()
            isClosed.set(true)
        }
        try await Task.sleep(for: .milliseconds(20))
        #expect(!isClosed.value)
        gate.open()
        try await eventually { isClosed.value }
        #expect(done.value == 3)
    }

    /// What owns a pool, as the readers of a store do, and is held by its jobs.
    private final class Owner: Sendable {
        let pool: ReaderPool<Reader>

        init(_ pool: ReaderPool<Reader>) { self.pool = pool }

        func read() async -> Bool? {
            await pool.run { [self] _ in pool.submit { [self] _ in _ = self } }
        }
    }

    @Test("that was not closed ends its threads when its owner is let go, though its jobs held the owner")
    func dropped() async throws {
        do {
            let owner = Owner(try pool(threads: 2))
            #expect(try await bounded { await owner.read() } == true)
        }
        try await eventually { gone.value == 2 }
    }
}
