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
        return ThreadUsage(sleeps: Int(usage.ru_nvcsw), busy: busy)
        #endif
    }
}
