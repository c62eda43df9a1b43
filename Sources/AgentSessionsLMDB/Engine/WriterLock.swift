#if LMDB
internal import AgentSessions

#if canImport(Glibc)
internal import Glibc
#elseif canImport(Musl)
internal import Musl
#else
internal import Darwin
#endif

/// The lock that a writer holds, of all processes and all stores that have the environment open.
///
/// LMDB has a lock of its own, but waits for it without a bound. This lock is taken first, and the wait for it is
/// bounded. It consists of two locks of the system, so that a writer that commits without a pause does not starve the
/// others: a writer takes the queue lock, on the folder, and holds it until it has the write lock, on the data file.
/// LMDB locks neither.
///
/// The system releases both when the process ends, however it ends.
final class WriterLock {
    private let queueLock: FileDescriptor
    private let writeLock: FileDescriptor
    private let path: String
    private let timeout: Duration
    private var isHeld = false

    /// - Throws: ``StoreError/Code/unavailable`` where the files cannot be opened.
    init(path: String, timeout: Duration) throws(StoreError) {
        self.path = path
        self.timeout = timeout
        queueLock = try Self.open(path, in: path)
        writeLock = try Self.open("\(path)/\(EnvironmentFolder.dataFile)", in: path)
    }

    /// Waits for the write lock.
    ///
    /// - Throws: ``StoreError/Code/busy`` where it was not available in time.
    func acquire() throws(StoreError) {
        guard !isHeld else { return }
        let deadline = ContinuousClock().now + timeout
        try Self.lock(queueLock, until: deadline, of: path)
        defer { queueLock.unlock() }
        try Self.lock(writeLock, until: deadline, of: path)
        isHeld = true
    }

    /// Releases the write lock; does nothing where it is not held.
    func release() {
        guard isHeld else { return }
        writeLock.unlock()
        isHeld = false
    }

    /// Runs `body` with only the queue lock held, for as long as there may be no data file.
    static func withQueueLock<Success>(
        path: String, timeout: Duration, _ body: () throws(StoreError) -> Success
    ) throws(StoreError) -> Success {
        let queueLock = try open(path, in: path)
        try lock(queueLock, until: ContinuousClock().now + timeout, of: path)
        // Also keeps it open, and with it the lock, until then.
        defer { queueLock.unlock() }
        return try body()
    }

    private static func open(_ file: String, in path: String) throws(StoreError) -> FileDescriptor {
        do throws(SystemError) {
            return try FileDescriptor(file, .reading)
        } catch {
            throw StoreError(lmdb: error.number, while: .opening, path: path)
        }
    }

    private static func lock(
        _ file: FileDescriptor, until deadline: ContinuousClock.Instant, of path: String
    ) throws(StoreError) {
        var pause: Int = 50_000
        while try !tryLock(file, of: path) {
            guard ContinuousClock().now < deadline else {
                throw StoreError(
                    .busy,
                    "The LMDB store \(quoted(path, limit: 200)) is locked by another writer, and did not become free "
                        + "within the busy timeout. Try again, or raise busy_timeout.",
                    backend: LMDBBackend.name)
            }
            var time = timespec(tv_sec: 0, tv_nsec: pause)
            nanosleep(&time, nil)
            // From 50 µs, less than a commit takes, to 1 ms.
            pause = min(pause * 2, 1_000_000)
        }
    }

    private static func tryLock(_ file: FileDescriptor, of path: String) throws(StoreError) -> Bool {
        do throws(SystemError) {
            return try file.tryLock()
        } catch {
            throw StoreError(lmdb: error.number, while: .writing, path: path)
        }
    }
}
#endif
