public import AgentSessions
import Foundation
import Synchronization

/// Sessions in a folder with one file, to which a line of JSON is added for each change: the example of
/// `docs/writing-a-backend.md`.
///
/// Everything is in memory too, and is read back from the file when the store is opened. It is meant to be understood
/// in one reading, and is for one process at a time.
public final class JSONLinesStore: TransactionalSessionStore {
    public let backendName = "jsonlines"

    /// A change is acknowledged after the disk has it; one process; what was stored is there after reopening.
    public let capabilities = StoreCapabilities(durability: .powerLoss, scope: .one, abilities: [.reopen])

    /// All of a session that is restored is read before its transaction: it goes into memory anyway, and a source that is
    /// slow keeps no other change waiting.
    public let bytesReadAhead = Int.max

    private struct State {
        var tables: Tables
        /// `nil` when the store is closed.
        var log: LogFile?
    }

    private let state: Mutex<State>
    /// Writing blocks on the disk, so it is done on a thread of this queue and not on one of Swift's.
    private let queue = DispatchQueue(label: "jsonlines")
    private let made: StoreRecord

    /// Opens the store in a folder, making both where there are none.
    ///
    /// - Throws: ``AgentSessions/StoreError/Code/unavailable`` where the folder cannot be used,
    ///   ``AgentSessions/StoreError/Code/busy`` where another store has it open,
    ///   ``AgentSessions/StoreError/Code/newerStore``, ``AgentSessions/StoreError/Code/corrupt``.
    public init(folder: String) throws(StoreError) {
        let log = try LogFile(folder: folder)
        var tables = Tables()
        var made: StoreRecord?
        try log.readLines { (line, number) throws(StoreError) in
            if made == nil {
                made = try StoreRecord(line: line)
            } else {
                for change in try Change.parse(line, number: number) { try tables.apply(change) }
            }
        }
        if let made {
            self.made = made
        } else {
            let record = StoreRecord()
            try log.add(try record.line())
            self.made = record
        }
        state = Mutex(State(tables: tables, log: log))
    }

    // MARK: Transactions

    public func read<Result: Sendable>(
        _ body: @escaping @Sendable (inout Tables) throws(StoreError) -> Result
    ) async throws(StoreError) -> Result {
        // A copy of the tables costs nothing, and is of one moment whatever others write meanwhile.
        var tables = try state.withLock { state throws(StoreError) in
            guard state.log != nil else { throw .storeClosed(backend: backendName) }
            return state.tables
        }
        return try body(&tables)
    }

    public func write<Result: Sendable>(
        _ body: @escaping @Sendable (inout Tables) throws(StoreError) -> Result
    ) async throws(StoreError) -> Result {
        let outcome = await withCheckedContinuation { continuation in
            queue.async {
                continuation.resume(
                    returning: Swift.Result { () throws(StoreError) in try self.commit(body) })
            }
        }
        return try outcome.get()
    }

    private func commit<Result>(
        _ body: (inout Tables) throws(StoreError) -> Result
    ) throws(StoreError) -> Result {
        // The queue runs one change at a time, so that nobody else changes the state in between.
        let (log, before) = state.withLock { ($0.log, $0.tables) }
        guard let log else { throw .storeClosed(backend: backendName) }
        var tables = before
        let result = try body(&tables)
        let changes = tables.takeChanges()
        // A replay changes nothing, and needs no line.
        if !changes.isEmpty { try log.add(try Change.line(of: changes)) }
        state.withLock { [tables] state in state.tables = tables }
        return result
    }

    // MARK: The store itself

    public func effectiveSettings() async throws(StoreError) -> [StoreSetting] {
        // In a read, as a store that was closed says so.
        try await read { _ throws(StoreError) in
            [StoreSetting("engine", "JSON lines, format \(StoreFormat.version)")]
        }
    }

    public func migrations() async throws(StoreError) -> [MigrationStatus] {
        let names = [StoreFormat.Step.resourceRegistry, StoreFormat.Step.sessionPersistence]
        let steps = zip(names, [nil, names[0]]).map { name, parent in
            MigrationStatus(name: name, parent: parent, origin: .core, appliedAt: made.time, build: made.build)
        }
        return try await read { _ throws(StoreError) in steps }
    }

    public func close() async {
        await withCheckedContinuation { continuation in
            // Behind the changes under way.
            queue.async {
                self.state.withLock { $0.log = nil }
                continuation.resume()
            }
        }
    }
}
