import Synchronization

/// A value that one thread sends once, and that one task waits for.
package final class OneShot<Value: Sendable>: Sendable {
    private enum State {
        case empty
        case waiting(CheckedContinuation<Value, Never>)
        case sent(Value)
    }

    private let state = Mutex(State.empty)

    package init() {}

    /// Sends the value. Only the first call counts.
    package func send(_ value: Value) {
        let waiting: CheckedContinuation<Value, Never>? = state.withLock { state in
            switch state {
            case .empty:
                state = .sent(value)
                return nil
            case .waiting(let continuation):
                state = .sent(value)
                return continuation
            case .sent:
                return nil
            }
        }
        waiting?.resume(returning: value)
    }

    /// Waits for the value, without blocking a thread. Called once.
    package func value() async -> Value {
        await withCheckedContinuation { continuation in
            let sent: Value? = state.withLock { state in
                if case .sent(let value) = state { return value }
                state = .waiting(continuation)
                return nil
            }
            if let sent { continuation.resume(returning: sent) }
        }
    }
}
