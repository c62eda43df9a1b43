import Synchronization

/// A value that is sent once, and that tasks wait for: mostly one task, several where several close a store.
package final class OneShot<Value: Sendable>: Sendable {
    // Continuations that nothing checks: each is in the state from its making until the one `send` that takes it out
    // under the mutex, or is resumed at once.
    private enum State {
        case empty
        /// An empty array takes no memory of its own, so that one waiter costs nothing more.
        case waiting(UnsafeContinuation<Value, Never>, others: [UnsafeContinuation<Value, Never>])
        case sent(Value)
    }

    private let state = Mutex(State.empty)

    package init() {}

    /// Sends the value. Only the first call counts.
    package func send(_ value: Value) {
        let before = state.withLock { state in
            let before = state
            if case .sent = before { return before }
            state = .sent(value)
            return before
        }
        guard case .waiting(let first, let others) = before else { return }
        first.resume(returning: value)
        for other in others { other.resume(returning: value) }
    }

    /// Waits for the value, without blocking a thread.
    package func value() async -> Value {
        await withUnsafeContinuation { continuation in
            let sent: Value? = state.withLock { state in
                switch state {
                case .sent(let value): return value
                case .empty: state = .waiting(continuation, others: [])
                case .waiting(let first, let others): state = .waiting(first, others: others + [continuation])
                }
                return nil
            }
            if let sent { continuation.resume(returning: sent) }
        }
    }
}
