import AgentSessionsMemory
import Synchronization

@testable import AgentSessions

/// A store that fails on demand, around one in memory.
final class FaultyStore: ForwardingSessionStore {
    /// What happens to one call of the store.
    enum Fault: Sendable {
        /// The call goes through.
        case none
        /// Nothing is done, and this is thrown.
        case failBefore(StoreError.Code)
        /// It is done, and the outcome is reported as unknown.
        case doneButUnknown
        /// Nothing is done, and the outcome is reported as unknown.
        case lostAndUnknown
        /// Nothing is done yet, and the outcome is reported as unknown: it is done right before the next call that
        /// writes, as a commit that was still under way.
        case lateAndUnknown
        /// It is done after this long.
        case delay(Duration)
        /// This is run first, and then the call goes through.
        case first(@Sendable (any SessionStore) async throws(StoreError) -> Void)
        /// It is done, then this is run, and the outcome is reported as unknown.
        case doneThen(@Sendable (any SessionStore) async throws(StoreError) -> Void)
        /// It is done, then this is run, and the call succeeds.
        case then(@Sendable (any SessionStore) async throws(StoreError) -> Void)
        /// The call throws `cancelled` if its task is cancelled, as the lease of a connection may.
        case refuseWhenCancelled
    }

    typealias Late = @Sendable () async throws(StoreError) -> Void

    struct Script: Sendable {
        var writes: [Fault] = []
        var reads: [Fault] = []
        var waits: [Fault] = []
        var writeCount = 0
        var readCount = 0
        var waitCount = 0
        /// Ids of sessions and messages that calls tried to create.
        var ids: [ULID] = []
        var late: Late?
    }

    let base: any SessionStore
    private let script: Mutex<Script>

    init(_ base: any SessionStore = MemorySessionStore()) {
        self.base = base
        script = Mutex(Script())
    }

    /// What happens to the next calls that write, that read, and that wait for durability.
    func fail(writes: [Fault] = [], reads: [Fault] = [], waits: [Fault] = []) {
        script.withLock { script in
            script = Script(writes: writes, reads: reads, waits: waits)
        }
    }

    /// What happened since ``fail(writes:reads:waits:)``.
    var seen: Script { script.withLock { $0 } }

    func forwardChange<Result: Sendable>(
        _ call: @escaping @Sendable (any SessionStore) async throws(StoreError) -> Result
    ) async throws(StoreError) -> Result {
        let late = script.withLock { script in
            defer { script.late = nil }
            return script.late
        }
        try await late?()
        let fault = script.withLock { script in
            script.writeCount += 1
            return script.writes.isEmpty ? Fault.none : script.writes.removeFirst()
        }
        if case .lateAndUnknown = fault {
            script.withLock { script in
                script.late = { [base] () throws(StoreError) in _ = try await call(base) }
            }
            throw StoreError(.outcomeUnknown, "scripted", backend: "faulty", nativeCode: "LATE")
        }
        return try await run(fault, call)
    }

    func forwardRead<Result: Sendable>(
        _ call: @escaping @Sendable (any SessionStore) async throws(StoreError) -> Result
    ) async throws(StoreError) -> Result {
        let fault = script.withLock { script in
            script.readCount += 1
            return script.reads.isEmpty ? Fault.none : script.reads.removeFirst()
        }
        return try await run(fault, call)
    }

    private func run<Result: Sendable>(
        _ fault: Fault, _ call: (any SessionStore) async throws(StoreError) -> Result
    ) async throws(StoreError) -> Result {
        switch fault {
        case .none: return try await call(base)
        case .failBefore(let code): throw StoreError(code, "scripted", backend: "faulty")
        case .doneButUnknown:
            _ = try await call(base)
            throw StoreError(.outcomeUnknown, "scripted", backend: "faulty", nativeCode: "DONE")
        case .lostAndUnknown, .lateAndUnknown:
            throw StoreError(.outcomeUnknown, "scripted", backend: "faulty", nativeCode: "LOST")
        case .delay(let time):
            try? await Task.sleep(for: time)
            return try await call(base)
        case .first(let other):
            try await other(base)
            return try await call(base)
        case .doneThen(let other):
            _ = try await call(base)
            try await other(base)
            throw StoreError(.outcomeUnknown, "scripted", backend: "faulty", nativeCode: "DONE")
        case .then(let other):
            let result = try await call(base)
            try await other(base)
            return result
        case .refuseWhenCancelled:
            guard !Task.isCancelled else { throw StoreError(.cancelled, "scripted", backend: "faulty") }
            return try await call(base)
        }
    }

    // MARK: SessionStore

    var backendName: String { "faulty" }

    func awaitDurability() async throws(StoreError) {
        let fault = script.withLock { script in
            script.waitCount += 1
            return script.waits.isEmpty ? Fault.none : script.waits.removeFirst()
        }
        try await run(fault) { (base) throws(StoreError) in try await base.awaitDurability() }
    }

    func create(_ session: NewSession) async throws(StoreError) -> Session {
        script.withLock { $0.ids.append(session.id) }
        return try await forwardChange { (base) throws(StoreError) in try await base.create(session) }
    }

    func append(_ request: AppendRequest) async throws(StoreError) -> AppendResult {
        script.withLock { $0.ids += request.messages.map(\.id) }
        return try await forwardChange { (base) throws(StoreError) in try await base.append(request) }
    }
}

/// A store of any type, for a service.
struct Wrapped: ForwardingSessionStore {
    let base: any SessionStore
}

extension RetryPolicy {
    /// The standard policy without pauses, and with enough total time for a busy machine.
    static let quick = RetryPolicy(
        maximumAttempts: 5, baseDelay: .microseconds(10), maximumDelay: .microseconds(100), totalTime: .seconds(600))
}
