/// Threads for reads that may block, and the queue of the reads that wait for one.
///
/// Each thread has a reader of its own, such as a connection, which nothing else ever uses.
package final class ReaderPool<Reader: SendableMetatype>: Sendable {
    package typealias Job = @Sendable (inout Reader) -> Void

    private let jobs: BlockingQueue<Job>
    private let threads: [WorkerThread]
    private let recordWait: @Sendable (_ nanoseconds: UInt64) -> Void

    /// Starts the threads.
    ///
    /// - Parameters:
    ///   - count: How many threads.
    ///   - makeReader: Makes the reader of a thread, on that thread.
    ///   - recordWait: Is told how long a read waited for a thread.
    /// - Throws: ``ThreadStartError`` where the system has no thread to give; no thread is left running then.
    package init(
        threads count: Int, makeReader: @escaping @Sendable () -> Reader,
        recordWait: @escaping @Sendable (_ nanoseconds: UInt64) -> Void
    ) throws(ThreadStartError) {
        let jobs = BlockingQueue<Job>()
        var threads: [WorkerThread] = []
        for _ in 0..<count {
            do throws(ThreadStartError) {
                threads.append(try WorkerThread { Self.run(jobs, makeReader) })
            } catch {
                jobs.close()
                throw error
            }
        }
        self.jobs = jobs
        self.threads = threads
        self.recordWait = recordWait
    }

    deinit {
        // The threads of a pool that was not closed end, too.
        jobs.close()
    }

    /// Runs `body` on the next free thread.
    ///
    /// - Returns: What `body` returns, or `nil` where the pool was stopped.
    package func run<Success: Sendable>(_ body: @escaping @Sendable (inout Reader) -> Success) async -> Success? {
        let start = MonotonicTime.now()
        return await withUnsafeContinuation { continuation in
            // Resumed exactly once: by the thread that takes the job, as every added job is taken, or right here.
            let isAdded = jobs.add { [recordWait] reader in
                recordWait(MonotonicTime.now() &- start)
                continuation.resume(returning: body(&reader))
            }
            if !isAdded { continuation.resume(returning: nil) }
        }
    }

    /// Adds work that no caller waits for.
    ///
    /// - Returns: Whether it was added; `false` where the pool was stopped.
    package func submit(_ job: @escaping Job) -> Bool {
        jobs.add(job)
    }

    /// Refuses new reads. The threads end after those that wait already.
    package func stop() {
        jobs.close()
    }

    /// Refuses new reads, and waits for those under way and those that wait already.
    package func close() async {
        stop()
        for thread in threads { await thread.finished() }
    }

    private static func run(_ jobs: BlockingQueue<Job>, _ makeReader: () -> Reader) {
        var reader = makeReader()
        // While the thread waits for the next job, it holds on to none: a job may hold the owner of the pool.
        while let job = jobs.takeFirst() { job(&reader) }
    }
}
