import Synchronization

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// A thread of our own, for calls that block: on a disk, a lock, a socket.
package final class WorkerThread: Sendable {
    private enum State {
        case running([CheckedContinuation<Void, Never>])
        case finished
    }

    private let state = Mutex(State.running([]))

    /// Starts a thread that runs `body` and ends.
    ///
    /// - Parameters:
    ///   - stackBytes: The size of the thread's stack; `nil` for the system's usual size.
    ///   - body: What the thread does. It may block.
    /// - Throws: ``ThreadStartError`` where the system has no thread to give.
    package init(stackBytes: Int? = nil, _ body: @escaping @Sendable () -> Void) throws(ThreadStartError) {
        var attributes = pthread_attr_t()
        pthread_attr_init(&attributes)
        defer { pthread_attr_destroy(&attributes) }
        pthread_attr_setdetachstate(&attributes, Int32(PTHREAD_CREATE_DETACHED))
        if let stackBytes { pthread_attr_setstacksize(&attributes, stackBytes) }
        let start = Unmanaged.passRetained(
            Start {
                body()
                self.finish()
            })
        #if canImport(Darwin)
        var thread: pthread_t?
        #else
        var thread = pthread_t()
        #endif
        let status = pthread_create(&thread, &attributes, runStart, start.toOpaque())
        guard status == 0 else {
            start.release()
            throw ThreadStartError(code: status)
        }
    }

    /// Waits, without blocking a thread of Swift's, until the body has returned.
    package func finished() async {
        await withCheckedContinuation { continuation in
            let isFinished = state.withLock { state in
                switch state {
                case .finished: return true
                case .running(let waiting):
                    state = .running(waiting + [continuation])
                    return false
                }
            }
            if isFinished { continuation.resume() }
        }
    }

    /// Blocks the calling thread, which must be a worker thread, for a while.
    package static func pause(_ duration: Duration) {
        let nanoseconds = max(duration, .zero).wholeNanoseconds
        var time = timespec(
            tv_sec: Int(nanoseconds / 1_000_000_000), tv_nsec: Int(nanoseconds % 1_000_000_000))
        nanosleep(&time, nil)
    }

    private func finish() {
        let waiting = state.withLock { state in
            defer { state = .finished }
            guard case .running(let waiting) = state else { return [CheckedContinuation<Void, Never>]() }
            return waiting
        }
        for continuation in waiting { continuation.resume() }
    }
}

/// Carries the body to the new thread.
private final class Start: Sendable {
    let body: @Sendable () -> Void

    init(body: @escaping @Sendable () -> Void) {
        self.body = body
    }
}

#if canImport(Darwin)
private func runStart(_ argument: UnsafeMutableRawPointer) -> UnsafeMutableRawPointer? {
    Unmanaged<Start>.fromOpaque(argument).takeRetainedValue().body()
    return nil
}
#else
private func runStart(_ argument: UnsafeMutableRawPointer?) -> UnsafeMutableRawPointer? {
    guard let argument else { return nil }
    Unmanaged<Start>.fromOpaque(argument).takeRetainedValue().body()
    return nil
}
#endif
