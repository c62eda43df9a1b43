#if Postgres
internal import AgentSessions

/// The rules of a lane, and nothing else: what waits, what is under way, who goes next, and when that takes another
/// connection. It knows no connection and reads no clock; ``StatementBatcher`` carries out what it says.
struct BatchStateMachine {
    typealias Instant = ContinuousClock.Instant

    /// How the groups of a lane are made.
    struct Rules: Sendable {
        /// Whether operations change the store: then a session is in one group at a time, as a second one would only
        /// wait for its lock, and the members of a group are put in order.
        var isWriting: Bool
        /// Connections at the most.
        var connections: Int
        /// Operations in a group at the most.
        var groupSize: Int
        /// As many operations that wait while every connection is at work get another one.
        var crowd: Int
        /// Bytes of parameters after which a group is full.
        var groupBytes = 1 << 20
        /// A group that takes longer gets company: it may be waiting for a lock.
        var slowGroup = Duration.milliseconds(20)
    }

    /// What the lane is to do so that what waits has its turn.
    enum Action: Equatable {
        /// Get a connection, take groups for it, and then call ``released()``.
        case lease
        /// Call ``woken(now:)`` then.
        case wake(Instant)
    }

    /// Operations that share a transaction.
    struct Group {
        fileprivate let number: Int
        let operations: [QueuedStatement]
        /// Bytes of their parameters.
        let bytes: Int
    }

    private struct UnderWay {
        let started: Instant
        var sessions: Set<ULID>
    }

    let rules: Rules
    private var waiting: [QueuedStatement] = []
    private var underWay: [Int: UnderWay] = [:]
    private var lastNumber = 0
    /// Connections that serve the lane, or are being waited for.
    private var serving = 0
    private var isAwaitingWake = false

    init(_ rules: Rules) {
        self.rules = rules
    }

    /// Operations that wait.
    var count: Int { waiting.count }

    /// Whether nobody serves the lane, as there is nothing to do.
    var isIdle: Bool { serving == 0 }

    // MARK: Events

    mutating func add(_ operation: QueuedStatement, now: Instant) -> Action? {
        waiting.append(operation)
        return nextAction(now: now)
    }

    /// Takes out an operation that still waits.
    ///
    /// - Returns: Whether it did.
    mutating func remove(_ operation: QueuedStatement) -> Bool {
        guard let index = waiting.firstIndex(where: { $0 === operation }) else { return false }
        waiting.remove(at: index)
        return true
    }

    /// It is time to look again, as ``Action/wake(_:)`` asked for.
    mutating func woken(now: Instant) -> Action? {
        isAwaitingWake = false
        return nextAction(now: now)
    }

    /// The next group for a connection that has none; `nil` where nothing can go now.
    mutating func take(now: Instant) -> Group? {
        var taken: [QueuedStatement] = []
        var left: [QueuedStatement] = []
        var bytes = 0
        var isFull = false
        for operation in waiting {
            guard !isFull, !isBusy(operation), !(operation.isAlone && !taken.isEmpty) else {
                // What comes after one that goes alone waits behind it.
                isFull = isFull || operation.isAlone
                left.append(operation)
                continue
            }
            taken.append(operation)
            bytes += operation.command.parameters.bytes.count
            isFull = operation.isAlone || taken.count >= rules.groupSize || bytes >= rules.groupBytes
        }
        guard !taken.isEmpty else { return nil }
        waiting = left
        lastNumber += 1
        underWay[lastNumber] = UnderWay(started: now, sessions: Set(taken.compactMap(\.session)))
        return Group(number: lastNumber, operations: rules.isWriting ? Self.inOrder(taken) : taken, bytes: bytes)
    }

    /// Of a group, only these operations go on.
    mutating func narrow(_ group: Group, to operations: [QueuedStatement], now: Instant) -> Action? {
        underWay[group.number]?.sessions = Set(operations.compactMap(\.session))
        return nextAction(now: now)
    }

    /// A group has come to its end.
    mutating func finish(_ group: Group, now: Instant) -> Action? {
        underWay[group.number] = nil
        return nextAction(now: now)
    }

    /// A connection was given back.
    mutating func released() -> Action? {
        // Who serves the lane goes on with what came in the meantime.
        if hasReady { return .lease }
        serving -= 1
        return nil
    }

    /// There is no connection.
    ///
    /// - Returns: The operations that have nobody to serve them, which wait no longer.
    mutating func leaseFailed() -> [QueuedStatement] {
        serving -= 1
        guard serving == 0 else { return [] }
        defer { waiting = [] }
        return waiting
    }

    // MARK: Rules

    private var hasReady: Bool { waiting.contains { !isBusy($0) } }

    private func isBusy(_ operation: QueuedStatement) -> Bool {
        guard rules.isWriting, let session = operation.session else { return false }
        return underWay.values.contains { $0.sessions.contains(session) }
    }

    private mutating func nextAction(now: Instant) -> Action? {
        guard serving < rules.connections, hasReady else { return nil }
        if serving == 0 || needsCompany(now: now) {
            serving += 1
            return .lease
        }
        guard !isAwaitingWake else { return nil }
        isAwaitingWake = true
        return .wake(now + rules.slowGroup)
    }

    /// Whether those who serve the lane have no time for what waits: each is held up, or a crowd waits.
    private func needsCompany(now: Instant) -> Bool {
        guard underWay.count == serving else { return false }
        return waiting.count >= rules.crowd || underWay.values.allSatisfy { $0.started + rules.slowGroup <= now }
    }

    /// By session, so that transactions of several stores take their locks in the same order and never wait for each
    /// other; within a session as they came.
    private static func inOrder(_ operations: [QueuedStatement]) -> [QueuedStatement] {
        guard operations.count > 1 else { return operations }
        return operations.enumerated()
            .sorted { left, right in
                guard let first = left.element.session, let second = right.element.session, first != second else {
                    return left.offset < right.offset
                }
                return first < second
            }
            .map(\.element)
    }
}
#endif
