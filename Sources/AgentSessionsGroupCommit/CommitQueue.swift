package import AgentSessions
import AgentSessionsThreads

/// Group commit: changes of many tasks that wait at the same moment share one transaction and one sync to the disk.
///
/// One thread takes all that waits, runs it in one transaction, commits, and only then answers each caller. While it
/// waits for the disk, the next group gathers. Those who were just answered mostly come back at once with their next
/// change: the open transaction takes them in as they come, for a moment (``GroupCommitDelay``). A change that throws before
/// it has changed anything is answered with its error, and its neighbours go on. A change that throws later, or a commit
/// that fails, undoes the group, and each change of it is run again in a transaction of its own.
///
/// A change that may take long goes alone, after what came before it was committed and answered, and in turns with the
/// others. While it is under way they wait, each for a bounded time.
package final class CommitQueue<Engine: CommitEngine>: Sendable {
    private let waiting: WaitingWrites<Engine.Writer>
    private let thread: WorkerThread
    private let patience: Duration
    private let clock = ContinuousClock()

    /// Even where no lock of others is waited for, there must be time for the changes before.
    private static var leastPatience: Duration { .milliseconds(100) }

    /// A queue whose thread makes the engine and keeps it to itself.
    ///
    /// - Parameters:
    ///   - backend: The name that metrics and errors show.
    ///   - patience: How long a change waits for its turn, before ``StoreError/Code/busy``; at least 100 ms.
    ///   - makeEngine: Makes the engine on the writer's thread.
    /// - Throws: What `makeEngine` throws.
    package static func start(
        backend: String, patience: Duration, makeEngine: @escaping @Sendable () throws(StoreError) -> Engine
    ) async throws(StoreError) -> CommitQueue {
        let waiting = WaitingWrites<Engine.Writer>(backend: backend)
        let opened = OneShot<Result<Void, StoreError>>()
        // Made here, as the metrics of a task are not those of a thread.
        let metrics = CommitMetrics(backend: backend)
        let thread = try WorkerThread.start {
            let engine: Engine
            do throws(StoreError) {
                engine = try makeEngine()
            } catch {
                opened.send(.failure(error))
                return
            }
            opened.send(.success(()))
            var committer = GroupCommitter(engine: engine, metrics: metrics, waiting: waiting)
            while committer.runNext() {}
            engine.close()
        }
        try await opened.value().get()
        return CommitQueue(waiting: waiting, thread: thread, patience: max(patience, leastPatience))
    }

    private init(waiting: WaitingWrites<Engine.Writer>, thread: WorkerThread, patience: Duration) {
        self.waiting = waiting
        self.thread = thread
        self.patience = patience
    }

    deinit {
        // A queue that nobody closed lets its thread go all the same.
        waiting.close()
    }

    /// Runs `body` in a transaction that others may share, and returns after it is durable.
    ///
    /// - Parameter isAlone: Whether it may take long, so that it shares its transaction with nobody.
    /// - Throws: What `body` throws, with nothing changed; ``StoreError/Code/busy`` where it did not have its turn in
    ///   time; ``StoreError/Code/cancelled`` where its task was cancelled before; ``StoreError/Code/closed``; what the
    ///   engine throws.
    package func write<Success: Sendable>(
        isAlone: Bool = false, _ body: @escaping @Sendable (inout Engine.Writer) throws(StoreError) -> Success
    ) async throws(StoreError) -> Success {
        let write = TypedWrite(isAlone: isAlone, deadline: clock.now + patience, body)
        let outcome: Result<Success, StoreError> = await withTaskCancellationHandler {
            await withUnsafeContinuation { continuation in
                // Resumed exactly once: by whoever takes the write out of those that wait.
                write.continuation = continuation
                waiting.add(write)
                // A cancellation that came before it was added has not found it.
                if Task.isCancelled { waiting.cancel(write) }
            }
        } onCancel: {
            waiting.cancel(write)
        }
        return try outcome.get()
    }

    /// Refuses new changes. The thread ends when it has done those that wait.
    package func stop() {
        waiting.close()
    }

    /// Refuses new changes, waits for those under way, and closes the engine.
    package func close() async {
        stop()
        await thread.finished()
    }
}
