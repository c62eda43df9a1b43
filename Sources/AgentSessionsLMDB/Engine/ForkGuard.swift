#if LMDB
internal import Synchronization

#if canImport(Glibc)
internal import Glibc
#elseif canImport(Musl)
internal import Musl
#else
internal import Darwin
#endif

/// Tells a process from a child that it forked, at the cost of reading a number.
///
/// LMDB forbids using an environment after `fork`, and the threads of a store do not exist in the child at all.
/// `getpid` would tell as well, but costs a system call for each read.
enum ForkGuard {
    private static let forks = Atomic<Int>(0)

    // The handler runs in the child before `fork` returns there, and does nothing but add to a number.
    private static let isInstalled: Bool = pthread_atfork(nil, nil, { _ = forks.add(1, ordering: .relaxed) }) == 0

    /// How often the chain of processes up to this one has forked since a store was first opened.
    static var generation: Int { forks.load(ordering: .relaxed) }

    /// The generation of this process, after the handler is in place.
    static func install() -> Int {
        _ = isInstalled
        return generation
    }
}
#endif
