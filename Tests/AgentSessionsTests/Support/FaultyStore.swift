import AgentSessionsMemory
import Synchronization

@testable import AgentSessions

/// A store that fails as it is told, around one in memory.
final class FaultyStore: SessionStore {
    /// What happens to one call of the store.
    enum Fault: Sendable {
        /// The call goes through.
        case none
        /// Nothing is done, and this is thrown.
        case failBefore(StoreError.Code)
        /// It is done, and the outcome is said to be unknown.
        case doneButUnknown
        /// Nothing is done, and the outcome is said to be unknown.
        case lostAndUnknown
        /// Nothing is done yet, and the outcome is said to be unknown: it is done right before the next call that
        /// writes, as a commit that was still under way.
        case lateAndUnknown
        /// It is done after this long.
        case delay(Duration)
        /// This is run first, and then the call goes through.
        case first(@Sendable (MemorySessionStore) async throws(StoreError) -> Void)
        /// It is done, then this is run, and the outcome is said to be unknown.
        case doneThen(@Sendable (MemorySessionStore) async throws(StoreError) -> Void)
        /// The call throws `cancelled` where its task is cancelled, as the lease of a connection may.
        case refuseWhenCancelled
    }

    typealias Late = @Sendable () async throws(StoreError) -> Void

    struct Script: Sendable {
        var writes: [Fault] = []
        var reads: [Fault] = []
        var writeCount = 0
        var readCount = 0
        var ids: [ULID] = []
        var late: Late?
    }

    let base: MemorySessionStore
    private let script: Mutex<Script>

    init(_ base: MemorySessionStore = MemorySessionStore()) {
        self.base = base
        script = Mutex(Script())
    }

    /// What happens to the next calls that write, and to those that read.
    func fail(writes: [Fault] = [], reads: [Fault] = []) {
        script.withLock { script in
            script = Script(writes: writes, reads: reads)
        }
    }

    /// What happened since ``fail(writes:reads:)``.
    var seen: Script { script.withLock { $0 } }

    private func write<Result: Sendable>(
        _ ids: [ULID], _ body: @escaping @Sendable () async throws(StoreError) -> Result
    ) async throws(StoreError) -> Result {
        let late = script.withLock { script in
            defer { script.late = nil }
            return script.late
        }
        try await late?()
        let fault = script.withLock { script in
            script.writeCount += 1
            script.ids += ids
            return script.writes.isEmpty ? Fault.none : script.writes.removeFirst()
        }
        if case .lateAndUnknown = fault {
            script.withLock { script in
                script.late = { () throws(StoreError) in _ = try await body() }
            }
            throw StoreError(.outcomeUnknown, "scripted", backend: "faulty", nativeCode: "LATE")
        }
        return try await run(fault, body)
    }

    private func read<Result: Sendable>(
        _ body: @escaping @Sendable () async throws(StoreError) -> Result
    ) async throws(StoreError) -> Result {
        let fault = script.withLock { script in
            script.readCount += 1
            return script.reads.isEmpty ? Fault.none : script.reads.removeFirst()
        }
        return try await run(fault, body)
    }

    private func run<Result: Sendable>(
        _ fault: Fault, _ body: () async throws(StoreError) -> Result
    ) async throws(StoreError) -> Result {
        switch fault {
        case .none: return try await body()
        case .failBefore(let code): throw StoreError(code, "scripted", backend: "faulty")
        case .doneButUnknown:
            _ = try await body()
            throw StoreError(.outcomeUnknown, "scripted", backend: "faulty", nativeCode: "DONE")
        case .lostAndUnknown, .lateAndUnknown:
            throw StoreError(.outcomeUnknown, "scripted", backend: "faulty", nativeCode: "LOST")
        case .delay(let time):
            try? await Task.sleep(for: time)
            return try await body()
        case .first(let other):
            try await other(base)
            return try await body()
        case .doneThen(let other):
            _ = try await body()
            try await other(base)
            throw StoreError(.outcomeUnknown, "scripted", backend: "faulty", nativeCode: "DONE")
        case .refuseWhenCancelled:
            guard !Task.isCancelled else { throw StoreError(.cancelled, "scripted", backend: "faulty") }
            return try await body()
        }
    }

    // MARK: SessionStore

    var backendName: String { "faulty" }
    var capabilities: StoreCapabilities { base.capabilities }
    func effectiveSettings() async throws(StoreError) -> [StoreSetting] { try await base.effectiveSettings() }
    func migrations() async throws(StoreError) -> [MigrationStatus] { try await base.migrations() }
    func close() async { await base.close() }

    func create(_ session: NewSession) async throws(StoreError) -> Session {
        try await write([session.id]) { [base] () throws(StoreError) in try await base.create(session) }
    }

    func update(_ id: ULID, _ change: SessionChange) async throws(StoreError) -> Session {
        try await write([id]) { [base] () throws(StoreError) in try await base.update(id, change) }
    }

    func delete(_ id: ULID) async throws(StoreError) -> Bool {
        try await write([id]) { [base] () throws(StoreError) in try await base.delete(id) }
    }

    func restore(_ session: Session, messages: any MessageSource) async throws(StoreError) {
        try await write([session.id]) { [base] () throws(StoreError) in
            try await base.restore(session, messages: messages)
        }
    }

    func append(_ request: AppendRequest) async throws(StoreError) -> AppendResult {
        try await write(request.messages.map(\.id)) { [base] () throws(StoreError) in try await base.append(request) }
    }

    func rewind(_ id: ULID, _ request: RewindRequest) async throws(StoreError) -> Session {
        try await write([id]) { [base] () throws(StoreError) in try await base.rewind(id, request) }
    }

    func get(_ id: ULID) async throws(StoreError) -> Session? {
        try await read { [base] () throws(StoreError) in try await base.get(id) }
    }

    func list(_ request: SessionListRequest) async throws(StoreError) -> [Session] {
        try await read { [base] () throws(StoreError) in try await base.list(request) }
    }

    func messages(_ request: MessageRequest) async throws(StoreError) -> MessagePage? {
        try await read { [base] () throws(StoreError) in try await base.messages(request) }
    }
}

extension RetryPolicy {
    /// As the standard policy, without the waiting, and with time enough for a machine that does much besides.
    static let quick = RetryPolicy(
        maximumAttempts: 5, baseDelay: .microseconds(10), maximumDelay: .microseconds(100), totalTime: .seconds(600))
}
