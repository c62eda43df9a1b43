import Synchronization

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// Tells blocking work that the task that waits for it was cancelled.
package final class CancellationFlag: Sendable {
    private let isSet = Atomic(false)

    func set() { isSet.store(true, ordering: .relaxed) }

    /// - Throws: ``StoreError/Code/cancelled``.
    package func check() throws(StoreError) {
        if isSet.load(ordering: .relaxed) { throw .cancelledBeforeStart }
    }
}

/// Runs `body`, which may block on a file, on a thread of its own, so that it takes none of Swift's.
///
/// - Throws: What `body` throws; ``StoreError/Code/unavailable`` where the system has no thread to give.
package func onOwnThread<Result: Sendable>(
    _ body: @escaping @Sendable (CancellationFlag) throws(StoreError) -> Result
) async throws(StoreError) -> Result {
    let flag = CancellationFlag()
    let outcome: Swift.Result<Result, StoreError> = await withTaskCancellationHandler {
        await withCheckedContinuation { continuation in
            let work = ThreadWork {
                do throws(StoreError) {
                    continuation.resume(returning: .success(try body(flag)))
                } catch {
                    continuation.resume(returning: .failure(error))
                }
            }
            if let status = work.start() {
                continuation.resume(
                    returning: .failure(
                        StoreError(
                            .unavailable,
                            "The system has no thread to give (error \(status)). Raise the limit on threads.")))
            }
        }
    } onCancel: {
        flag.set()
    }
    return try outcome.get()
}

/// What a new thread is to do, on its way there.
private final class ThreadWork: Sendable {
    private static let stackBytes = 4 << 20

    let body: @Sendable () -> Void

    init(_ body: @escaping @Sendable () -> Void) {
        self.body = body
    }

    /// Starts the thread, or gives the error number that says why not.
    func start() -> Int32? {
        var attributes = pthread_attr_t()
        pthread_attr_init(&attributes)
        defer { pthread_attr_destroy(&attributes) }
        // JSON is read by recursion, which wants more than the half mebibyte of a thread on macOS.
        pthread_attr_setstacksize(&attributes, Self.stackBytes)
        pthread_attr_setdetachstate(&attributes, Int32(PTHREAD_CREATE_DETACHED))
        let retained = Unmanaged.passRetained(self)
        #if canImport(Darwin)
        var thread: pthread_t?
        #else
        var thread = pthread_t()
        #endif
        let status = pthread_create(&thread, &attributes, runWork, retained.toOpaque())
        guard status != 0 else { return nil }
        retained.release()
        return status
    }
}

#if canImport(Darwin)
private func runWork(_ argument: UnsafeMutableRawPointer) -> UnsafeMutableRawPointer? {
    Unmanaged<ThreadWork>.fromOpaque(argument).takeRetainedValue().body()
    return nil
}
#else
private func runWork(_ argument: UnsafeMutableRawPointer?) -> UnsafeMutableRawPointer? {
    guard let argument else { return nil }
    Unmanaged<ThreadWork>.fromOpaque(argument).takeRetainedValue().body()
    return nil
}
#endif
