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
    private let turn: Int32
    private let right: Int32
    private let path: String
    private let timeout: Duration
    private var isHeld = false

    /// - Throws: ``StoreError/Code/unavailable`` where the files cannot be opened.
    init(path: String, timeout: Duration) throws(StoreError) {
        self.path = path
        self.timeout = timeout
        turn = try Self.descriptor(of: path, in: path)
        do throws(StoreError) {
            right = try Self.descriptor(of: "\(path)/\(EnvironmentFolder.dataFile)", in: path)
        } catch {
            close(turn)
            throw error
        }
    }

    deinit {
        // Also lets go of the locks.
        close(turn)
        close(right)
    }

    /// Waits for the right to write.
    ///
    /// - Throws: ``StoreError/Code/busy`` where it was not to be had in time.
    func acquire() throws(StoreError) {
        guard !isHeld else { return }
        let clock = ContinuousClock()
        let deadline = clock.now + timeout
        try Self.lock(turn, until: deadline, of: path)
        defer { Self.unlock(turn) }
        try Self.lock(right, until: deadline, of: path)
        isHeld = true
    }

    /// Gives the right back; does nothing where it is not held.
    func release() {
        guard isHeld else { return }
        Self.unlock(right)
        isHeld = false
    }

    /// Runs `body` with the turn alone, as long as there is no data file yet.
    static func withTurn<Success>(
        path: String, timeout: Duration, _ body: () throws(StoreError) -> Success
    ) throws(StoreError) -> Success {
        let turn = try descriptor(of: path, in: path)
        defer { close(turn) }
        try lock(turn, until: ContinuousClock().now + timeout, of: path)
        return try body()
    }

    private static func descriptor(of file: String, in path: String) throws(StoreError) -> Int32 {
        let descriptor = open(file, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else {
            let code = errno
            throw StoreError(lmdb: code, while: .opening, path: path)
        }
        return descriptor
    }

    private static func lock(
        _ descriptor: Int32, until deadline: ContinuousClock.Instant, of path: String
    ) throws(StoreError) {
        var pause: Int = 50_000
        while flock(descriptor, LOCK_EX | LOCK_NB) != 0 {
            let code = errno
            guard code == EWOULDBLOCK || code == EINTR else {
                throw StoreError(lmdb: code, while: .writing, path: path)
            }
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

    private static func unlock(_ descriptor: Int32) {
        _ = flock(descriptor, LOCK_UN)
    }
}
#endif
