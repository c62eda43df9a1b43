public import AgentSessions

/// Something that clients do to a store, over and over: the same on every store.
///
/// A workload is a value. Its clients are values too, made for each run, so that nothing is shared between them but the
/// store.
public struct Workload: Sendable {
    /// What a workload belongs to.
    public enum Suite: String, Sendable, CaseIterable {
        /// What happens to sessions as a whole.
        case sessions
        /// What happens to the messages of a session.
        case messages
        /// What an application does in all.
        case whole
    }

    /// The name, such as `message_append`.
    public let name: String
    /// What it belongs to.
    public let suite: Suite
    /// What a call is, in one line.
    public let summary: String
    /// The numbers of clients that make sense.
    public let clients: [Int]
    /// Makes the client of that number on a loaded store, outside the clock.
    let makeClient: @Sendable (LoadedStore, _ number: Int) async throws(StoreError) -> any WorkloadClient

    init(
        _ name: String, _ suite: Suite, clients: [Int], _ summary: String,
        makeClient: @escaping @Sendable (LoadedStore, _ number: Int) async throws(StoreError) -> any WorkloadClient
    ) {
        self.name = name
        self.suite = suite
        self.clients = clients
        self.summary = summary
        self.makeClient = makeClient
    }
}

/// One client of a workload: what it has done, so that the store can be checked against it.
protocol WorkloadClient: Sendable {
    /// Does one call, which the clock measures.
    ///
    /// - Returns: How many operations the call was: 1, or the messages that it stored.
    mutating func call() async throws(StoreError) -> Int

    /// Compares what the store holds with what was acknowledged, outside the clock.
    ///
    /// - Throws: ``AgentSessions/StoreError/Code/corrupt`` where it holds something else.
    func check() async throws(StoreError)
}

extension Workload {
    /// Every workload, in the order in which a run takes them. `bulk_load` comes first, as it fills the store.
    public static let all: [Workload] = [
        .bulkLoad, .sessionCreate, .sessionGet, .sessionList, .messageAppend, .messageAppendBatch20, .messagesTail20,
        .messagesPageDeep, .export, .import, .tokenUpdate, .mixedAgent,
    ]

    /// Those that tell how a store takes to growing.
    public static let scale: [Workload] = [.messageAppend, .messagesTail20, .messagesPageDeep]

    /// The workloads of these names: of workloads, or of suites.
    ///
    /// - Throws: ``AgentSessions/StoreError/Code/invalidArgument`` for a name that there is not.
    public static func named(_ names: [String]) throws(StoreError) -> [Workload] {
        for name in names where !all.contains(where: { $0.name == name || $0.suite.rawValue == name }) {
            let known = all.map(\.name) + Suite.allCases.map(\.rawValue)
            throw StoreError(
                .invalidArgument,
                "There is no workload \(quoted(name)): the workloads and suites are \(known.joined(separator: ", ")).")
        }
        return all.filter { names.contains($0.name) || names.contains($0.suite.rawValue) }
    }

    /// The loading itself: it is measured while the store is filled, and has no clients of its own.
    static let bulkLoad = Workload(
        "bulk_load", .whole, clients: [1],
        "a message of the whole corpus: sessions created and filled in large batches, 32 at a time"
    ) { (_, _) throws(StoreError) in
        throw StoreError(.internalFailure, "bulk_load is measured while a store is loaded.")
    }
}
