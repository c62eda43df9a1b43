package import AgentSessions
import AgentSessionsThreads

/// Group commit: changes of many tasks that wait at the same moment share one transaction and one sync of the disk.
///
/// The writer thread takes all queued changes, runs them in one transaction, commits, and only then answers the
/// callers. While it waits for the disk, the next group fills up. Most callers that were just answered come back at
/// once with their next change; the open transaction waits a moment for them (``GroupCommitDelay``). A change that
/// throws before it has changed anything is answered with its error, and the rest of the group is committed. Where a
/// change throws later, or the commit fails, the group is rolled back and each of its changes is run again in a
/// transaction of its own.
///
/// A change that may take long is exclusive: it gets a transaction of its own, after the changes before it were
/// committed and answered. Exclusive and shared transactions alternate. Other changes wait meanwhile, each for a
/// bounded time.
package final class CommitQueue<Engine: CommitEngine>: Sendable {
    private let queue: WriteQueue<Engine.Writer>
    private let thread: WorkerThread
    private let timeout: Duration
    private let clock = ContinuousClock()

    /// A store that waits for no lock of others still gives the changes ahead in the queue some time.
    private static var shortestTimeout: Duration { .milliseconds(100) }

    /// Starts the writer thread, which makes the engine and is the only one to use it.
    ///
    /// - Parameters:
    ///   - backend: The name that metrics and errors show.
    ///   - timeout: How long a change may stay in the queue, before ``StoreError/Code/busy``; at least 100 ms.
    ///   - makeEngine: Makes the engine on the writer thread, with what others need to know of it.
    /// - Returns: The queue, and what `makeEngine` gave beside the engine.
    /// - Throws: What `makeEngine` throws; ``StoreError/Code/unavailable`` where the system has no thread to give.
    package static func start<Details: Sendable>(
        backend: String, timeout: Duration,
        makeEngine: @escaping @Sendable () throws(StoreError) -> (Engine, Details)
    ) async throws(StoreError) -> (CommitQueue, Details) {
        let queue = WriteQueue<Engine.Writer>(backend: backend)
        let opened = OneShot<Result<Details, StoreError>>()
        // Made here, as the metrics of a task are not those of a thread.
        let metrics = CommitMetrics(backend: backend)
        let thread = try WorkerThread.start {
            let engine: Engine
            do throws(StoreError) {
                let details: Details
                (engine, details) = try makeEngine()
                opened.send(.success(details))
            } catch {
                return opened.send(.failure(error))
            }
            var committer = GroupCommitter(engine: engine, metrics: metrics, queue: queue)
            while committer.runNext() {}
            engine.close()
        }
        let details = try await opened.value().get()
        return (CommitQueue(queue: queue, thread: thread, timeout: max(timeout, shortestTimeout)), details)
    }

    private init(queue: WriteQueue<Engine.Writer>, thread: WorkerThread, timeout: Duration) {
        self.queue = queue
        self.thread = thread
        self.timeout = timeout
    }

    deinit {
        // The writer thread of a queue that was not closed ends, too.
        queue.close()
    }

    /// Runs `body` in a transaction that others may share, and returns after it is durable.
    ///
    /// - Parameter isExclusive: Whether it may take long, so that it gets a transaction of its own.
    /// - Throws: What `body` throws, with nothing changed; ``StoreError/Code/busy`` where it stayed in the queue until
    ///   the timeout; ``StoreError/Code/cancelled`` where its task was cancelled before it was run;
    ///   ``StoreError/Code/closed``; what the engine throws.
    package func write<Success: Sendable>(
        isExclusive: Bool = false, _ body: @escaping @Sendable (inout Engine.Writer) throws(StoreError) -> Success
    ) async throws(StoreError) -> Success {
        let operation = TypedOperation(
            notRun: StoreError(.internalFailure, "A change was answered before it was run."), body)
        let write = QueuedWrite<Engine.Writer>(
            operation: operation, isExclusive: isExclusive, deadline: clock.now + timeout)
        let outcome = await withTaskCancellationHandler {
            queue.add(write)
            // A cancellation before this moment did not find the change in the queue.
            if Task.isCancelled { queue.cancel(operation) }
            return await operation.outcome()
        } onCancel: {
            queue.cancel(operation)
        }
        return try outcome.get()
    }

    /// Refuses new changes, waits for those in the queue, and closes the engine.
    package func close() async {
        queue.close()
        await thread.finished()
    }
}
