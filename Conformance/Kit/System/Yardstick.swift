import AgentSessions
import AgentSessionsThreads
import Synchronization

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// How slow the machine is at the moment: what time limits are stretched by, so that a right store that shares its machine
/// with others does not run out of time.
///
/// While it is used, a thread measures every second how long the machine takes for some work of the processor, to wake a
/// thread, and to bring a few bytes to the disk. The slowest of these counts, and the slowest of the last measures.
package final class Yardstick: Sendable {
    /// The one of the process: what is measured is the machine's.
    package static let shared = Yardstick()

    /// No time limit is stretched further, so that a store that hangs is found out on any machine.
    static let slowest = 30.0

    private static let interval = Duration.seconds(1)
    /// So many measures count: what was slow a moment ago may be so again.
    private static let memory = 5

    /// What a quiet machine of modest speed takes.
    private enum Quiet {
        static let wake = Duration.milliseconds(2)
        static let sync = Duration.milliseconds(25)
        static let fillings = 100
    }

    private struct State {
        var users = 0
        var isMeasuring = false
        var measures: [Double] = []
    }

    private let state = Mutex(State())

    private init() {}

    /// By how much the machine is slower than a quiet one: 1 or more.
    package var slowness: Double { state.withLock { $0.measures.max() ?? 1 } }

    /// Begins to measure, until each user has called ``end()``.
    package func begin() {
        let mustStart = state.withLock { state in
            state.users += 1
            defer { state.isMeasuring = true }
            return !state.isMeasuring
        }
        guard mustStart else { return }
        do {
            try WorkerThread.start { self.measureWhileUsed() }
        } catch {
            // A system without a thread to give is a matter of the runner, which needs many: nothing is stretched.
            state.withLock { $0.isMeasuring = false }
        }
    }

    /// Ends the measuring for one user.
    package func end() {
        state.withLock { $0.users -= 1 }
    }

    private func measureWhileUsed() {
        let disk = ScratchFile()
        repeat {
            let measure = Self.measure(disk)
            state.withLock { state in
                state.measures.append(measure)
                if state.measures.count > Self.memory { state.measures.removeFirst() }
            }
            WorkerThread.pause(Self.interval)
        } while state.withLock { state in
            // A moment without a user, between two scenarios of a test target, does not end the thread: it is asked late.
            state.isMeasuring = state.users > 0
            return state.isMeasuring
        }
    }

    private static func measure(_ disk: ScratchFile?) -> Double {
        var slowness = max(1, processor(), wakes())
        if let disk, let time = disk.sync() { slowness = max(slowness, time / Quiet.sync) }
        return min(slowness, slowest)
    }

    /// How long a thread has to wait for the processor, and how slow that is. Work of the C library, which is as fast in a
    /// debug build.
    private static func processor() -> Double {
        let work = Duration.milliseconds(15)
        var bytes = [UInt8](repeating: 0, count: 256 << 10)
        let (start, used) = (ContinuousClock.now, threadTime())
        var fillings = 0
        repeat {
            bytes.withUnsafeMutableBytes { bytes in
                if let start = bytes.baseAddress { memset(start, Int32(fillings & 0xFF), bytes.count) }
            }
            fillings += 1
        } while threadTime() - used < work
        return max((.now - start) / work, Double(Quiet.fillings) / Double(fillings))
    }

    /// How late a thread is that sleeps for a moment.
    private static func wakes() -> Double {
        let (count, moment) = (5, Duration.milliseconds(1))
        let start = ContinuousClock.now
        for _ in 0..<count { WorkerThread.pause(moment) }
        return (.now - start) / (Quiet.wake * count)
    }

    private static func threadTime() -> Duration {
        var time = timespec()
        clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
        return .seconds(time.tv_sec) + .nanoseconds(time.tv_nsec)
    }
}

/// A file without a name in the folder for temporary files.
private final class ScratchFile {
    private let file: Int32

    init?() {
        guard let folder = try? TemporaryFolder("yardstick") else { return nil }
        defer { folder.remove() }
        file = open("\(folder.path)/file", O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
        if file < 0 { return nil }
    }

    deinit {
        close(file)
    }

    /// How long it takes to bring a page to the disk; `nil` where that fails.
    func sync() -> Duration? {
        let page = [UInt8](repeating: 1, count: 4096)
        let start = ContinuousClock.now
        guard pwrite(file, page, page.count, 0) == page.count, fsync(file) == 0 else { return nil }
        return .now - start
    }
}
