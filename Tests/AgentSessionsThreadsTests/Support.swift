import AgentSessionsThreads
import Synchronization
import Testing

/// Longer than anything here takes on a busy machine.
let bound = Duration.seconds(60)

/// What did not happen within the bound.
struct TookTooLong: Error {}

/// Waits, within the bound, for what other threads do.
func eventually(_ condition: () -> Bool) async throws {
    let deadline = ContinuousClock.now + bound
    while !condition() {
        guard ContinuousClock.now < deadline else { throw TookTooLong() }
        try await Task.sleep(for: .milliseconds(1))
    }
}

/// The value of `body`, which may wait without a bound of its own; after the bound it is given up.
func bounded<Value: Sendable>(_ body: @escaping @Sendable () async -> Value) async throws -> Value {
    let result = Shared<Value?>(nil)
    Task { result.set(await body()) }
    try await eventually { result.value != nil }
    return try #require(result.value)
}

/// A value that a test shares with threads.
final class Shared<Value: Sendable>: Sendable {
    private let mutex: Mutex<Value>

    init(_ value: Value) { mutex = Mutex(value) }

    var value: Value { mutex.withLock { $0 } }

    func set(_ value: Value) { mutex.withLock { $0 = value } }

    func change(_ body: @Sendable (inout Value) -> Void) { mutex.withLock { body(&$0) } }
}

/// A door at which a thread waits until the test opens it, at most until the bound.
final class Gate: Sendable {
    private let queue = BlockingQueue<Void>()
    private let reached = Shared(0)

    func wait() {
        reached.change { $0 += 1 }
        _ = queue.take(awaiting: 1, within: bound) { $0 }
    }

    func awaitArrivals(_ count: Int = 1) async throws {
        try await eventually { reached.value >= count }
    }

    func open() { queue.close() }
}
