#if Postgres
internal import AgentSessions
import AgentSessionsThreads

/// How long a lock is waited for.
enum LockPatience {
    /// So long that whoever shares the transaction does not mind: what is held up is then run again by itself.
    case brief
    /// For all of ``PostgresConfiguration/lockTimeout``.
    case whole
}

/// The settings that a session is given, or where the session is shared, each transaction.
struct SessionSettings {
    /// A transaction that changes a session holds its lock for a few milliseconds. Who holds it for longer may do so for
    /// seconds.
    private static let briefLockTimeout = Duration.milliseconds(100)

    /// How prepared statements are planned: once, and by the indexes, which every statement of the store is made for.
    /// Left to itself, the server plans a page anew each time, because it cannot know how small its limit is, and a plan
    /// that it made while a table was empty reads the whole table until the statistics catch up.
    private static let plans = [
        ("plan_cache_mode", "force_generic_plan"), ("enable_seqscan", "off"), ("enable_bitmapscan", "off"),
        ("jit", "off"),
    ]

    /// How the transactions of the store are isolated, whatever the default of the server, the database or the user: a
    /// change of a session waits for the one before it, and then sees what that one has stored.
    private static let isolation = "read committed"

    /// What the server warns of matters (``ServerNotices``).
    private static let messages = ("client_min_messages", "warning")

    /// What a session is given as it is opened; `nil` where it is not ours.
    let opening: Command?
    /// What an open transaction is given.
    let transaction: [Command]
    /// Bytes of parameters that a statement may have.
    let largestMessage: Int
    private let brief: [Command]
    private let whole: [Command]

    init(_ configuration: PostgresConfiguration) {
        largestMessage = configuration.largestMessage
        var values = [("statement_timeout", Self.milliseconds(configuration.statementTimeout)), Self.messages]
        if let level = configuration.synchronousCommit {
            values.append(("synchronous_commit", level.rawValue))
        }
        let briefLock = ("lock_timeout", Self.milliseconds(min(configuration.lockTimeout, Self.briefLockTimeout)))
        let wholeLock = ("lock_timeout", Self.milliseconds(configuration.lockTimeout))
        if configuration.preparesStatements {
            let isolation = ("default_transaction_isolation", Self.isolation)
            opening = Self.setting(values + [isolation, briefLock] + Self.plans, isLocal: false)
            transaction = [Self.setting([wholeLock], isLocal: true)]
            brief = []
            whole = transaction
        } else {
            opening = nil
            transaction = [Self.setting(values + [wholeLock], isLocal: true)]
            // It holds for one transaction, and has to come before the first statement that looks at anything. SET LOCAL
            // and SET TRANSACTION would do the same, with a warning in the server's log.
            let isolation = Command(Statement("SET transaction_isolation = '\(Self.isolation)'"))
            brief = [isolation, Self.setting(values + [briefLock], isLocal: true)]
            whole = [isolation] + transaction
        }
    }

    /// What a unit of statements begins with that is a transaction of its own, so that all settings are in force in it.
    func prelude(_ patience: LockPatience) -> [Command] {
        switch patience {
        case .brief: brief
        case .whole: whole
        }
    }

    /// Sets values in one statement.
    ///
    /// - Parameter isLocal: Until the end of the transaction; otherwise until the end of the session.
    private static func setting(_ values: [(name: String, value: String)], isLocal: Bool) -> Command {
        var parameters = Parameters()
        var calls: [String] = []
        for (index, setting) in values.enumerated() {
            parameters.add(setting.value)
            calls.append("set_config('\(setting.name)', $\(index + 1), \(isLocal))")
        }
        return Command(Statement("SELECT \(calls.joined(separator: ", "))"), parameters)
    }

    private static func milliseconds(_ duration: Duration) -> String {
        "\(max(1, duration.wholeNanoseconds / 1_000_000))ms"
    }
}
#endif
