#if Postgres
internal import AgentSessions
import AgentSessionsThreads

/// How long a statement waits for a lock.
enum LockWait {
    /// Only briefly, for the sake of the statements that share its transaction. A statement that meets a lock is then
    /// sent again without them.
    case brief
    /// For all of ``PostgresConfiguration/lockTimeout``.
    case full
}

/// What stands around the statements of a transaction, and what an error at its end means.
///
/// Everything that depends on how a server makes transactions of what it is sent stands here: the settings of a session
/// and of a transaction, what opens and what ends one, and which errors leave open whether it is stored.
struct TransactionFraming {
    /// What a transaction of several round trips does.
    enum Kind {
        case change
        /// It reads, all of one moment.
        case snapshot
    }

    /// A transaction that changes a session holds its lock for a few milliseconds. One that holds it for longer may do so
    /// for seconds.
    private static let briefLockTimeout = Duration.milliseconds(100)

    /// How prepared statements are planned: once, and with indexes, which every statement of the store is made for. By
    /// default the server plans a page anew each time, because it cannot know how small its limit is, and a plan that it
    /// made while a table was empty reads the whole table until the statistics catch up.
    private static let plans = [
        ("plan_cache_mode", "force_generic_plan"), ("enable_seqscan", "off"), ("enable_bitmapscan", "off"),
        ("jit", "off"),
    ]

    /// How transactions are isolated, whatever the default of the server, the database or the user: a change of a session
    /// waits for the one before it, and then sees what that one has stored.
    private static let isolation = "read committed"

    /// The warnings of the server matter (``ServerNotices``).
    private static let messages = ("client_min_messages", "warning")

    /// What a session is given as it is opened; `nil` where a pooler shares it with other clients.
    let sessionSettings: Statement?
    private let brief: [Statement]
    private let full: [Statement]
    private let change: [Statement]
    private let snapshot: [Statement]

    init(_ configuration: PostgresConfiguration) {
        var values = [("statement_timeout", Self.milliseconds(configuration.statementTimeout)), Self.messages]
        if let level = configuration.synchronousCommit {
            values.append(("synchronous_commit", level.rawValue))
        }
        let briefLock = ("lock_timeout", Self.milliseconds(min(configuration.lockTimeout, Self.briefLockTimeout)))
        let fullLock = ("lock_timeout", Self.milliseconds(configuration.lockTimeout))
        let transactionSettings: Statement
        if configuration.preparesStatements {
            let isolation = ("default_transaction_isolation", Self.isolation)
            sessionSettings = Self.setting(values + [isolation, briefLock] + Self.plans, isLocal: false)
            transactionSettings = Self.setting([fullLock], isLocal: true)
            brief = []
            full = [transactionSettings]
        } else {
            sessionSettings = nil
            transactionSettings = Self.setting(values + [fullLock], isLocal: true)
            // It holds for one transaction, and has to come before the first statement that looks at anything. SET LOCAL
            // and SET TRANSACTION would do the same, with a warning in the server's log.
            let isolation = Statement("SET transaction_isolation = '\(Self.isolation)'")
            brief = [isolation, Self.setting(values + [briefLock], isLocal: true)]
            full = [isolation, transactionSettings]
        }
        // Not READ WRITE: a database or user that is read only by default is meant to be read only here, too.
        change = [Statement("BEGIN ISOLATION LEVEL READ COMMITTED"), transactionSettings]
        snapshot = [Statement("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"), transactionSettings]
    }

    // MARK: A transaction of one pipeline

    /// What a pipeline begins with that is a transaction of its own. The server commits it at its synchronisation.
    func prelude(_ lockWait: LockWait) -> [Statement] {
        switch lockWait {
        case .brief: brief
        case .full: full
        }
    }

    // MARK: A transaction of several round trips

    /// What opens a transaction.
    func opening(_ kind: Kind) -> [Statement] {
        switch kind {
        case .change: change
        case .snapshot: snapshot
        }
    }

    let commit = Statement("COMMIT")
    let rollback = Statement("ROLLBACK")

    /// Whether the answer to ``commit`` says that the transaction was committed. The server undoes a transaction in which
    /// a statement has failed, and says so only here.
    func isCommitted(_ commandTag: String) -> Bool { commandTag == "COMMIT" }

    // MARK: Errors

    /// Whether a transaction whose commit was sent may be stored although the server has answered with this error.
    ///
    /// An error proves that what the server was doing is undone. The end of a session proves that too, unless it met the
    /// commit, which the server may have made without saying so.
    ///
    /// - Parameter isAtCommit: Whether it is the answer to the commit, and not to a statement before it.
    func mayBeStored(after error: ServerError, isAtCommit: Bool) -> Bool {
        error.leavesOutcomeOpen || (isAtCommit && error.endsCommit)
    }

    // MARK: Settings

    /// Sets values in one statement.
    ///
    /// - Parameter isLocal: Until the end of the transaction; otherwise until the end of the session.
    private static func setting(_ values: [(name: String, value: String)], isLocal: Bool) -> Statement {
        var parameters = Parameters()
        var calls: [String] = []
        for (index, setting) in values.enumerated() {
            parameters.add(setting.value)
            calls.append("set_config('\(setting.name)', $\(index + 1), \(isLocal))")
        }
        return Statement("SELECT \(calls.joined(separator: ", "))", parameters)
    }

    private static func milliseconds(_ duration: Duration) -> String {
        "\(max(1, duration.wholeNanoseconds / 1_000_000))ms"
    }
}
#endif
