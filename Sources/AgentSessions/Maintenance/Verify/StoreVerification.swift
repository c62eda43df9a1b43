public import Logging

/// A check of a whole store: that every session and message can be read and is what the store wrote, that nothing is
/// missing or left over, and that the indexes agree with the rows.
///
/// ```swift
/// let report = try await StoreVerification(of: store).run()
/// for problem in report.problems { print(problem) }
/// ```
///
/// It reads everything and changes nothing, in bounded memory, and may run while the store is in use: what looks wrong
/// in a session that is being changed is checked again before it is reported. The engine's own checks
/// (``SessionStore/engineChecks()``) come first.
public struct StoreVerification: Sendable {
    /// How far a verification is.
    public struct Progress: Sendable {
        /// Sessions that were read.
        public let sessions: Int
        /// Messages that were read.
        public let messages: Int
    }

    private static let sessionsAtOnce = 4
    private static let pageSessions = 100
    /// How many sessions in a row may fail to be listed before the rest is given up.
    private static let unreadableInARow = 100

    private let store: RetriedStore

    /// A check of `store`.
    ///
    /// - Parameters:
    ///   - store: An open store. It is not closed.
    ///   - retryPolicy: How reads that failed for a passing reason are tried again.
    ///   - logger: Where retries are logged. No content of a message is.
    public init(
        of store: any SessionStore, retryPolicy: RetryPolicy = .standard,
        logger: Logger = Logger(label: "agent-sessions", factory: { _ in SwiftLogNoOpLogHandler() })
    ) {
        self.store = RetriedStore(store, policy: retryPolicy, logger: logger)
    }

    /// Checks the store.
    ///
    /// - Parameter progress: Called after each session with how far it is, on any thread.
    /// - Returns: What was checked and what was found. Damage is part of the report, not an error.
    /// - Throws: The error, if the store cannot be read: ``StoreError/Code/unavailable``, ``StoreError/Code/timeout``,
    ///   ``StoreError/Code/closed``, ``StoreError/Code/cancelled``.
    public func run(
        progress: (@Sendable (Progress) -> Void)? = nil
    ) async throws(StoreError) -> VerificationReport {
        let engine = try await store.engineChecks()
        var walked = WalkedChecks()
        try await walk(&walked, progress)
        return VerificationReport(
            sessions: walked.sessions.examined, messages: walked.messages.examined, engine: engine,
            walked: walked.all)
    }

    private func walk(
        _ checks: inout WalkedChecks, _ progress: (@Sendable (Progress) -> Void)?
    ) async throws(StoreError) {
        var list = ListWalk()
        while let sessions = try await next(&list, &checks) {
            var rest = sessions[...]
            while !rest.isEmpty {
                let group = rest.prefix(Self.sessionsAtOnce)
                rest = rest.dropFirst(group.count)
                for part in try await verify(group) { checks.add(part) }
                progress?(Progress(sessions: checks.sessions.examined, messages: checks.messages.examined))
            }
        }
    }

    /// Checks sessions at the same time.
    private func verify(_ sessions: ArraySlice<Session>) async throws(StoreError) -> [WalkedChecks] {
        let outcomes = await withTaskGroup(of: Result<WalkedChecks, StoreError>.self) { [store] group in
            for session in sessions {
                group.addTask {
                    do throws(StoreError) {
                        return .success(try await SessionWalk(of: session, in: store).run())
                    } catch {
                        return .failure(error)
                    }
                }
            }
            var outcomes: [Result<WalkedChecks, StoreError>] = []
            for await outcome in group { outcomes.append(outcome) }
            return outcomes
        }
        var checks: [WalkedChecks] = []
        for outcome in outcomes { checks.append(try outcome.get()) }
        return checks
    }

    // MARK: The list

    /// A position in the list of all sessions.
    private struct ListWalk {
        var after: SessionPosition?
        /// How many sessions after that position cannot be read.
        var skipped = 0
        var isAtEnd = false

        mutating func move(behind session: Session) {
            after = session.position
            skipped = 0
        }
    }

    /// The next sessions; `nil` after the last. What cannot be listed is noted and left out.
    private func next(_ list: inout ListWalk, _ checks: inout WalkedChecks) async throws(StoreError) -> [Session]? {
        while !list.isAtEnd {
            do throws(StoreError) {
                return try await page(&list, limit: Self.pageSessions)
            } catch {
                guard error.code == .corrupt else { throw error }
            }
            do throws(StoreError) {
                return try await page(&list, limit: 1)
            } catch {
                guard error.code == .corrupt else { throw error }
                checks.sessions.examined += 1
                checks.sessions.record(VerificationProblem(.undecodable, error.message))
                list.skipped += 1
                if list.skipped == Self.unreadableInARow {
                    list.isAtEnd = true
                    checks.sessions.record(
                        VerificationProblem(
                            .undecodable,
                            "\(list.skipped) sessions in a row cannot be listed; those after them were not checked"))
                }
            }
        }
        return nil
    }

    private func page(_ list: inout ListWalk, limit: Int) async throws(StoreError) -> [Session]? {
        let sessions = try await store.list(
            SessionListRequest(after: list.after, offset: list.skipped, limit: limit))
        guard let last = sessions.last else {
            list.isAtEnd = true
            return nil
        }
        list.move(behind: last)
        return sessions
    }
}
