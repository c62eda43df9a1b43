import AgentSessions
import AgentSessionsThreads
import Synchronization

/// Threads of a scenario's own, on which its tasks run. A store that blocks them, however long, blocks nobody else: not
/// the runner, not the other scenarios, not the threads of Swift's pool.
final class ScenarioThreads: TaskExecutor {
    private let jobs = BlockingQueue<UnownedJob>()
    private let countsWaits: Bool
    private let waits = Atomic<Int>(0)

    /// A thread may wait for as long: where an answer takes microseconds, two changes of threads cost more. That it was
    /// ready and a busy machine ran others does not count.
    private static let patience = Duration.microseconds(500)

    /// Starts the threads.
    ///
    /// - Parameter countsWaits: Whether ``waitingJobs`` is wanted, for which the system is asked around each job.
    /// - Throws: ``StoreError/Code/unavailable`` where the system has no thread to give.
    init(count: Int, countsWaits: Bool = false) throws {
        self.countsWaits = countsWaits
        do {
            for _ in 0..<count {
                let jobs = jobs
                try WorkerThread.start { [weak self] in
                    while let job = jobs.takeFirst() {
                        guard let self else { return }
                        if countsWaits {
                            self.runCountingWaits(job)
                        } else {
                            job.runSynchronously(on: self.asUnownedTaskExecutor())
                        }
                    }
                }
            }
        } catch {
            jobs.close()
            throw error
        }
    }

    func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        if !jobs.add(job) { globalConcurrentExecutor.enqueue(job) }
    }

    private func runCountingWaits(_ job: UnownedJob) {
        let (start, before) = (ContinuousClock.now, ThreadUsage.current())
        job.runSynchronously(on: asUnownedTaskExecutor())
        guard let before, let after = ThreadUsage.current(), after.sleeps > before.sleeps,
            (.now - start) - (after.busy - before.busy) - (after.queued - before.queued) > Self.patience
        else { return }
        waits.add(1, ordering: .relaxed)
    }

    /// How many jobs were put to sleep on their thread, and for longer than an instant: they waited for a disk, a lock or
    /// a socket there, in place of suspending their task. `nil` where the system does not tell, and of threads that were
    /// not made to count.
    var waitingJobs: Int? {
        countsWaits && ThreadUsage.current() != nil ? waits.load(ordering: .relaxed) : nil
    }

    /// Lets the threads end when nothing is left to do. What comes later runs on Swift's pool.
    func finish() {
        jobs.close()
    }
}

/// Runs `operation` on `threads` and waits for it, but no longer than `limit` by the time of `watch`.
///
/// - Returns: The result; `nil` where the limit was reached first. The operation is cancelled then, and left behind if
///   it does not heed that.
func within<Result: Sendable>(
    _ limit: Duration, on threads: ScenarioThreads, watch: Watch,
    _ operation: @escaping @Sendable () async -> Result
) async -> Result? {
    let outcome = OneShot<Result?>()
    let task = Task(executorPreference: threads) {
        outcome.send(await operation())
    }
    let alarm = watch.ring(after: limit) {
        task.cancel()
        outcome.send(nil)
    }
    let result = await outcome.value()
    watch.stop(alarm)
    return result
}
