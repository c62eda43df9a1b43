#if LMDB
internal import AgentSessions
internal import AgentSessionsThreads
internal import Synchronization

#if canImport(Glibc)
internal import Glibc
#elseif canImport(Musl)
internal import Musl
#else
internal import Darwin
#endif

/// Reads, each in a transaction of its own.
///
/// A read of pages that are in memory takes about a microsecond, less than a change of threads. So a read is first made
/// on the caller's thread, with a budget of work. One that needs more, or would have to wait for anything, is made
/// again on a thread of the pool. There is no way to tell beforehand whether a page of the map is in memory. But when a
/// read took long because pages were fetched from the disk, the next reads change threads, until some of them in a row
/// find their pages in memory. A task that only reads yields now and then (``InlineTurn``).
final class LMDBReaders: Sendable {
    /// Longer than any read of pages in memory within the budget, in nanoseconds.
    private static let slowRead: UInt64 = 400_000

    private let environment: LMDBEnvironment
    private let databases: Databases
    private let pool: ReaderPool<Void>
    private let isClosed = Atomic<Bool>(false)
    private let cold = ColdReads()
    /// Pages that this process had waited for the disk to give, when they were last counted.
    private let knownFaults: Atomic<Int>

    init(_ environment: LMDBEnvironment, _ databases: Databases) throws(StoreError) {
        self.environment = environment
        self.databases = databases
        knownFaults = Atomic(Self.pageFaults())
        pool = try ReaderPool(backend: LMDBBackend.name) {}
    }

    /// Reads on the caller's thread where that is short, else on a thread of the pool.
    func read<Result: Sendable>(
        _ body: @escaping @Sendable (inout LMDBTransaction) throws(StoreError) -> Result
    ) async throws(StoreError) -> Result {
        if let result = try await readInline(body) { return result }
        return try await readOnThread(body)
    }

    /// Refuses new reads, and waits for those on threads of the pool.
    func close() async {
        isClosed.store(true, ordering: .relaxed)
        await pool.close()
    }

    // MARK: On the caller's thread

    /// The result of `body`, or `nil` where it would have waited or taken long. It may have read a part by then, which
    /// changes nothing.
    @inline(__always)
    func readInline<Success>(
        _ body: (inout LMDBTransaction) throws(StoreError) -> Success
    ) async throws(StoreError) -> Success? {
        var isTurnOver = false
        let outcome = try outcomeInline(&isTurnOver, body)
        if isTurnOver, outcome != nil { await Task.yield() }
        return try outcome?.get()
    }

    /// The outcome of `body`, or `nil` where it would have waited or taken long.
    ///
    /// - Parameter isTurnOver: Set where the caller should yield.
    @inline(__always)
    private func outcomeInline<Success>(
        _ isTurnOver: inout Bool, _ body: (inout LMDBTransaction) throws(StoreError) -> Success
    ) throws(StoreError) -> Result<Success, StoreError>? {
        try environment.requireSameProcess()
        guard !isClosed.load(ordering: .relaxed) else { throw .storeClosed(backend: LMDBBackend.name) }
        try environment.files.lookNowAndThen()
        guard !cold.areLeft, let state = try environment.gate.enterIdle() else { return nil }
        guard state.begin(budget: TransactionState.inlineBudget) == 0 else {
            // A thread of the pool finds out what is wrong, and puts it right.
            leave(state)
            return nil
        }
        let start = MonotonicTime.now()
        let outcome: Result<Success, StoreError>
        do throws(StoreError) {
            var transaction = LMDBTransaction(state)
            outcome = .success(try body(&transaction))
        } catch {
            outcome = .failure(error)
        }
        let gaveUp = state.gaveUp
        let time = MonotonicTime.now() &- start
        isTurnOver = state.turn.isOver(after: time)
        leave(state)
        if time > Self.slowRead { lookForFaults() }
        return gaveUp ? nil : outcome
    }

    private func leave(_ state: TransactionState) {
        environment.endRead(state)
    }

    /// Has the next reads change threads if pages have been fetched from the disk since the last look. A read may also
    /// take long because its thread was not running.
    private func lookForFaults() {
        let faults = Self.pageFaults()
        if knownFaults.exchange(faults, ordering: .relaxed) != faults {
            cold.begin()
        }
    }

    /// Pages that this process waited for the disk to give.
    private static func pageFaults() -> Int {
        var usage = rusage()
        getrusage(usageOfProcess, &usage)
        return usage.ru_majflt
    }

    #if canImport(Glibc)
    private static let usageOfProcess = __rusage_who_t(RUSAGE_SELF.rawValue)
    #else
    private static let usageOfProcess = Int32(RUSAGE_SELF)
    #endif

    // MARK: On a thread of the pool

    func readOnThread<Result: Sendable>(
        _ body: @escaping @Sendable (inout LMDBTransaction) throws(StoreError) -> Result
    ) async throws(StoreError) -> Result {
        try environment.files.lookNowAndThen()
        return try await pool.read(backend: LMDBBackend.name) { [self] _ throws(StoreError) in
            let state = try environment.beginRead(databases)
            let start = MonotonicTime.now()
            defer {
                environment.endRead(state)
                if MonotonicTime.now() &- start > Self.slowRead { lookForFaults() } else { cold.countDown() }
            }
            var transaction = LMDBTransaction(state)
            return try body(&transaction)
        }
    }
}

/// How many of the next reads change threads, after one that waited for the disk.
final class ColdReads: Sendable {
    private static let most = 64

    private let count = Atomic<Int>(0)

    /// Whether there are any. Read for each read, so it is no more than a load.
    @inline(__always)
    var areLeft: Bool { count.load(ordering: .relaxed) != 0 }

    /// Begins anew.
    func begin() { count.store(Self.most, ordering: .relaxed) }

    /// Notes that one was made. Several threads do this at once, so the number must be unchanged since it was read.
    func countDown() {
        var left = count.load(ordering: .relaxed)
        while left > 0 {
            let (exchanged, now) = count.weakCompareExchange(expected: left, desired: left - 1, ordering: .relaxed)
            if exchanged { return }
            left = now
        }
    }
}
#endif
