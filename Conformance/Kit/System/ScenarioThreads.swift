import AgentSessionsBlocking
import Synchronization

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#endif

/// Threads of a scenario's own, on which its tasks run. A store that blocks them, however long, blocks nobody else: not
/// the runner, not the other scenarios, not the threads of Swift's pool.
final class ScenarioThreads: TaskExecutor {
    private let jobs = BlockingQueue<UnownedJob>()
    private let sleeps = Atomic<Int>(0)

    /// Starts the threads.
    ///
    /// - Throws: ``StoreError/Code/unavailable`` where the system has no thread to give.
    init(count: Int) throws {
        do {
            for _ in 0..<count {
                let jobs = jobs
                _ = try WorkerThread { [weak self] in
                    while let job = jobs.takeFirst() {
                        guard let self else { return }
                        let before = Self.sleepsOfThisThread() ?? 0
                        job.runSynchronously(on: self.asUnownedTaskExecutor())
                        self.sleeps.add((Self.sleepsOfThisThread() ?? 0) - before, ordering: .relaxed)
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

    /// How often the system has put the threads to sleep in the middle of a job: while it waited for a disk, a lock or a
    /// socket on the thread itself, in place of suspending its task. A job that goes on is not in it yet.
    ///
    /// `nil` where the system does not tell. To be put off for another thread's sake is not to sleep, so a busy machine
    /// does not add to it.
    var sleepsInJobs: Int? {
        Self.sleepsOfThisThread() == nil ? nil : sleeps.load(ordering: .relaxed)
    }

    private static func sleepsOfThisThread() -> Int? {
        #if canImport(Darwin)
        return nil
        #else
        // RUSAGE_THREAD, which Glibc shows to those alone who ask for all extensions (getrusage(2)).
        let thisThread: Int32 = 1
        var usage = rusage()
        #if canImport(Glibc)
        let status = getrusage(__rusage_who_t(thisThread), &usage)
        #else
        let status = getrusage(thisThread, &usage)
        #endif
        return status == 0 ? Int(usage.ru_nvcsw) : nil
        #endif
    }

    /// Lets the threads end when nothing is left to do. What comes later runs on Swift's pool.
    func finish() {
        jobs.close()
    }
}

/// Runs `operation` on `threads` and waits for it, but no longer than `limit`.
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
