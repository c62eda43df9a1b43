import Synchronization

/// A value that one thread sends once, and that tasks wait for.
package final class OneShot<Value: Sendable>: Sendable {
    private enum State {
        case waiting([CheckedContinuation<Value, Never>])
        case sent(Value)
    }

    private let state = Mutex(State.waiting([]))

    package init() {}

    /// Sends the value. Only the first call counts.
    package func send(_ value: Value) {
        let waiting = state.withLock { state -> [CheckedContinuation<Value, Never>] in
            guard case .waiting(let waiting) = state else { return [] }
            state = .sent(value)
            return waiting
        }
        for continuation in waiting { continuation.resume(returning: value) }
    }

    /// Waits for the value, without blocking a thread.
    package func value() async -> Value {
        await withCheckedContinuation { continuation in
            let sent: Value? = state.withLock { state in
                switch state {
                case .sent(let value): return value
                case .waiting(let waiting):
                    state = .waiting(waiting + [continuation])
                    return nil
                }
            }
            if let sent { continuation.resume(returning: sent) }
        }
    }
}
