import AgentSessions
import Synchronization

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// Removes an unfinished file when a signal ends the process.
///
/// A command writes one file at a time. Of several, which tests write in one process, the first is removed.
struct RemovalOnSignal {
    /// What a handler removes, the name as the address of a C string; 0 if there is nothing. A handler has no context and
    /// must not take a lock, so they are static and atomic.
    private static let folder = Atomic<Int32>(-1)
    private static let name = Atomic<UInt>(0)
    private static let isTaken = Atomic(false)

    /// It stays open for as long as a handler may use its number.
    private let openFolder: FileDescriptor
    private var handled: [Int32] = []

    /// Registers the removal of a file that may not exist yet.
    ///
    /// - Parameters:
    ///   - file: Its name, which no other program uses.
    ///   - folder: Its folder.
    init?(of file: String, in folder: FileDescriptor) {
        guard Self.isTaken.compareExchange(expected: false, desired: true, ordering: .acquiringAndReleasing).exchanged
        else { return nil }
        openFolder = folder
        Self.folder.store(folder.number, ordering: .relaxed)
        // Never freed: a handler may be about to use it on another thread.
        Self.name.store(UInt(bitPattern: strdup(file)), ordering: .releasing)
        for number in [SIGHUP, SIGINT, SIGQUIT, SIGTERM] {
            let previous = signal(number, Self.remove)
            if previous == nil {
                handled.append(number)
            } else {
                // A signal that is ignored or has a handler keeps that.
                signal(number, previous)
            }
        }
    }

    private static let remove: @convention(c) (Int32) -> Void = { number in
        if let name = UnsafePointer<CChar>(bitPattern: name.load(ordering: .acquiring)) {
            unlinkat(folder.load(ordering: .relaxed), name, 0)
        }
        // The process ends as it would have without this, as soon as the handler returns.
        signal(number, SIG_DFL)
        raise(number)
    }

    /// The file is removed or has its own name: nothing is left to do.
    func end() {
        for number in handled { signal(number, SIG_DFL) }
        Self.name.store(0, ordering: .releasing)
        Self.isTaken.store(false, ordering: .releasing)
    }
}
