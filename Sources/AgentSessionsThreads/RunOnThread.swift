/// JSON is read by recursion, which wants more than the half mebibyte of a thread on macOS.
private let stackBytes = 4 << 20

/// Runs `body`, which may block, on a thread of its own, so that it takes none of Swift's.
///
/// - Throws: ``ThreadStartError`` where the system has no thread to give; `body` did not run then.
package func runOnThread<Success: Sendable>(
    _ body: @escaping @Sendable (CancellationFlag) -> Success
) async throws(ThreadStartError) -> Success {
    let flag = CancellationFlag()
    let outcome: Result<Success, ThreadStartError> = await withTaskCancellationHandler {
        await withCheckedContinuation { continuation in
            do throws(ThreadStartError) {
                _ = try WorkerThread(stackBytes: stackBytes) { continuation.resume(returning: .success(body(flag))) }
            } catch {
                continuation.resume(returning: .failure(error))
            }
        }
    } onCancel: {
        flag.set()
    }
    return try outcome.get()
}
