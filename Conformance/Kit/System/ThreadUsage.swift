#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#endif

/// What a thread has done so far, as the system counts it.
struct ThreadUsage {
    /// How often the thread was put to sleep: to be put off for another thread's sake is not among it.
    let sleeps: Int
    /// How long it ran.
    let busy: Duration
    /// How long it was ready to run, and others ran in its place; zero where the system does not tell.
    let queued: Duration

    /// The usage of the calling thread; `nil` where the system does not tell.
    static func current() -> ThreadUsage? {
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
        guard status == 0 else { return nil }
        let busy = [usage.ru_utime, usage.ru_stime].reduce(Duration.zero) {
            $0 + .seconds($1.tv_sec) + .microseconds($1.tv_usec)
        }
        return ThreadUsage(sleeps: Int(usage.ru_nvcsw), busy: busy, queued: queued)
        #endif
    }

    #if !canImport(Darwin)
    /// The second number of the thread's schedstat file, where the kernel keeps one (Documentation/scheduler/sched-stats).
    private static var queued: Duration {
        let file = open("/proc/thread-self/schedstat", O_RDONLY | O_CLOEXEC)
        guard file >= 0 else { return .zero }
        defer { close(file) }
        var text = [UInt8](repeating: 0, count: 128)
        let count = read(file, &text, text.count)
        let numbers = text.prefix(max(count, 0)).split(separator: UInt8(ascii: " "))
        guard numbers.count > 1, let number = Int64(String(decoding: numbers[1], as: UTF8.self)) else { return .zero }
        return .nanoseconds(number)
    }
    #endif
}
