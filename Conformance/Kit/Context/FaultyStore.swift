import AgentSessions
import Synchronization

/// A store whose next changes fail as engines and networks fail: before anything was done, or after all was done and
/// before the caller was told. It shows what the store under it makes of the attempts that follow.
final class FaultyStore: ForwardingSessionStore {
    /// How a change fails.
    enum Fault: Sendable {
        /// Nothing is done, and this is thrown.
        case before(StoreError.Code)
        /// It is done, and this is thrown.
        case after(StoreError.Code)
        /// Something else happens, and then it is done.
        case first(@Sendable () async throws(StoreError) -> Void)
        /// It is done, something else happens, and this is thrown.
        case afterAndThen(StoreError.Code, @Sendable () async throws(StoreError) -> Void)
    }

    let base: any SessionStore
    private let faults: Mutex<[Fault]>

    init(_ base: any SessionStore, _ faults: [Fault]) {
        self.base = base
        self.faults = Mutex(faults)
    }

    /// The faults that no change has met yet.
    var left: Int { faults.withLock { $0.count } }

    func forwardChange<Result: Sendable>(
        _ call: @escaping @Sendable (any SessionStore) async throws(StoreError) -> Result
    ) async throws(StoreError) -> Result {
        let fault: Fault? = faults.withLock { $0.isEmpty ? nil : $0.removeFirst() }
        switch fault {
        case nil: return try await call(base)
        case .before(let code): throw StoreError(code, "A fault of the kit, before the change.")
        case .after(let code):
            _ = try await call(base)
            throw StoreError(code, "A fault of the kit, after the change.")
        case .first(let other):
            try await other()
            return try await call(base)
        case .afterAndThen(let code, let other):
            _ = try await call(base)
            try await other()
            throw StoreError(code, "A fault of the kit, after the change and another one.")
        }
    }
}
