package import AgentSessions

/// Group commit: changes of many tasks that wait at the same moment share one transaction and one sync to the disk.
///
/// One thread takes all that waits, runs it in one transaction, commits, and only then answers each caller. While it
/// waits for the disk, the next group gathers. Those who were just answered mostly come back at once with their next
/// change: the open transaction takes them in as they come, for a moment (``GatherPolicy``). A change that throws before
/// it has changed anything is answered with its error, and its neighbours go on. A change that throws later, or a commit that fails, undoes the group, and
/// each change of it is run again in a transaction of its own.
package final class CommitQueue<Engine: CommitEngine>: Sendable {
    private let queue: BlockingQueue<PendingWrite<Engine.Writer>>
    private let thread: WorkerThread
    private let backend: String

    /// A queue whose thread makes the engine and keeps it to itself.
    ///
    /// - Parameters:
    ///   - backend: The name that metrics and errors show.
    ///   - makeEngine: Makes the engine on the writer's thread.
    /// - Throws: What `makeEngine` throws.
    package static func start(
        backend: String, makeEngine: @escaping @Sendable () throws(StoreError) -> Engine
    ) async throws(StoreError) -> CommitQueue {
        let queue = BlockingQueue<PendingWrite<Engine.Writer>>()
        let opened = OneShot<Result<Void, StoreError>>()
        // Made here, as the metrics of a task are not those of a thread.
        let metrics = CommitMetrics(backend: backend)
        let thread = try WorkerThread {
            let engine: Engine
            do throws(StoreError) {
                engine = try makeEngine()
            } catch {
                opened.send(.failure(error))
                return
            }
            opened.send(.success(()))
            var committer = GroupCommitter(engine: engine, metrics: metrics, arrivals: queue)
            while let group = queue.takeAll() { committer.run(group) }
            engine.close()
        }
        try await opened.value().get()
        return CommitQueue(queue: queue, thread: thread, backend: backend)
    }

    private init(queue: BlockingQueue<PendingWrite<Engine.Writer>>, thread: WorkerThread, backend: String) {
        self.queue = queue
        self.thread = thread
        self.backend = backend
    }

    deinit {
        // A queue that nobody closed lets its thread go all the same.
        queue.close()
    }

    /// Runs `body` in a transaction that others may share, and returns after it is durable.
    ///
    /// - Throws: What `body` throws, with nothing changed; ``StoreError/Code/closed``; what the engine throws.
    package func write<Success: Sendable>(
        _ body: @escaping @Sendable (inout Engine.Writer) throws(StoreError) -> Success
    ) async throws(StoreError) -> Success {
        let outcome: Result<Success, StoreError> = await withUnsafeContinuation { continuation in
            // Resumed exactly once: by the committer, which answers everything that it takes, or right here.
            let write = TypedWrite(body: body, continuation: continuation)
            if !queue.add(write) { continuation.resume(returning: .failure(.storeClosed(backend: backend))) }
        }
        return try outcome.get()
    }

    /// Refuses new changes. The thread ends when it has done those that wait.
    package func stop() {
        queue.close()
    }

    /// Refuses new changes, waits for those under way, and closes the engine.
    package func close() async {
        stop()
        await thread.finished()
    }
}
