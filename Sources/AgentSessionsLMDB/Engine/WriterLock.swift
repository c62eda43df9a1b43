#if LMDB
internal import AgentSessions

#if canImport(Glibc)
internal import Glibc
#elseif canImport(Musl)
internal import Musl
#else
internal import Darwin
#endif

/// The right to write, of all processes and all stores that have the environment open.
///
/// LMDB has a lock of its own, but waits for it without a bound. This one is asked for first, and given up on after a
/// while. It is made of two locks of the system, so that those who wait are not passed over by one who commits without
/// a pause: a writer first takes its turn, a lock on the folder, and holds it until it has the right, a lock on the data
/// file. Neither file is one that LMDB locks.
///
/// The system lets both go when the process ends, whatever way it ends.
final class WriterLock {
    private let turn: FileDescriptor
    private let right: FileDescriptor
    private let path: String
    private let timeout: Duration
    private var isHeld = false

    /// - Throws: ``StoreError/Code/unavailable`` where the files cannot be opened.
    init(path: String, timeout: Duration) throws(StoreError) {
        self.path = path
        self.timeout = timeout
        turn = try Self.open(path, in: path)
        right = try Self.open("\(path)/\(EnvironmentFolder.dataFile)", in: path)
    }

    /// Waits for the right to write.
    ///
    /// - Throws: ``StoreError/Code/busy`` where it was not available in time.
    func acquire() throws(StoreError) {
        guard !isHeld else { return }
        let deadline = ContinuousClock().now + timeout
        try Self.lock(turn, until: deadline, of: path)
        defer { turn.unlock() }
        try Self.lock(right, until: deadline, of: path)
        isHeld = true
    }

    /// Gives the right back; does nothing where it is not held.
    func release() {
        guard isHeld else { return }
        right.unlock()
        isHeld = false
    }

    /// Runs `body` with the turn alone, as long as there is no data file yet.
    static func withTurn<Success>(
        path: String, timeout: Duration, _ body: () throws(StoreError) -> Success
    ) throws(StoreError) -> Success {
        let turn = try open(path, in: path)
        try lock(turn, until: ContinuousClock().now + timeout, of: path)
        // Also keeps it open, and with it the lock, until then.
        defer { turn.unlock() }
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
