#if Postgres
internal import AgentSessions
internal import CAgentSessionsLibPQ

/// An error that the server reports, without the fields that may hold a value of a row.
struct ServerError: Sendable {
    /// The SQLSTATE.
    let state: String
    /// The primary message; the details, which quote values, are left out.
    let message: String
    /// The constraint that was violated.
    let constraint: String?
    /// Whether the server has closed the connection with it.
    let isFatal: Bool
    /// Whether it comes from a pooler in between, which does not know whether statements that it has passed on were run.
    /// Servers name the file of their source that reports it; poolers do not.
    let isFromPooler: Bool

    /// The error of a result; `nil` where the server did not send one.
    init?(_ result: PostgresResult) {
        guard let state = result.errorField(Int32(agent_sessions_pq_sqlstate)) else { return nil }
        self.state = state
        message = result.errorField(Int32(agent_sessions_pq_primary)) ?? "no message"
        constraint = result.errorField(Int32(agent_sessions_pq_constraint))
        let severity = result.errorField(Int32(agent_sessions_pq_severity))
        isFatal = severity == "FATAL" || severity == "PANIC"
        isFromPooler = result.errorField(Int32(agent_sessions_pq_source_file)) == nil
    }

    init(
        state: String, message: String, constraint: String? = nil, isFatal: Bool = false, isFromPooler: Bool = false
    ) {
        self.state = state
        self.message = message
        self.constraint = constraint
        self.isFatal = isFatal
        self.isFromPooler = isFromPooler
    }
}

extension StoreError {
    /// Whether another process made the same schema, table or row at the same moment and was first. Which of these codes
    /// the server gives depends on the step at which the two collide.
    var isLostRace: Bool {
        let states = [
            SQLState.uniqueViolation, SQLState.duplicateSchema, SQLState.duplicateTable, SQLState.duplicateObject,
        ]
        return nativeCode.map(states.contains) == true
    }
}

/// The SQLSTATEs that the backend acts on.
enum SQLState {
    static let tooManyConnections = "53300"
    static let cannotConnectNow = "57P03"
    static let invalidAuthorization = "28000"
    static let noSuchDatabase = "3D000"
    static let noPrivilege = "42501"
    static let uniqueViolation = "23505"
    static let duplicateSchema = "42P06"
    static let duplicateTable = "42P07"
    /// The row type of a table exists already.
    static let duplicateObject = "42710"
    static let readOnlyTransaction = "25006"
    static let invalidPassword = "28P01"
    static let lockNotAvailable = "55P03"
    static let programLimitExceeded = "54000"
    static let idleInTransactionTimeout = "25P03"
    static let idleSessionTimeout = "57P05"
    static let statementCompletionUnknown = "40003"
    static let transactionResolutionUnknown = "08007"
}

extension ServerError {
    var isUniqueViolation: Bool { state == SQLState.uniqueViolation }

    /// Whether a lock was not available in time.
    var isLockTimeout: Bool { state == SQLState.lockNotAvailable }

    /// Whether the connection is of no more use: the session ended, or the server has become a standby.
    var endsConnection: Bool { isFatal || state == SQLState.readOnlyTransaction }

    /// Whether it does not say whether the statements that were sent were run: a pooler that lost its server does not know.
    var leavesOutcomeOpen: Bool {
        let isAboutServer = isFatal || ["08", "53", "57", "58", "XX"].contains { state.hasPrefix($0) }
        return isFromPooler && isAboutServer || state == SQLState.statementCompletionUnknown
            || state == SQLState.transactionResolutionUnknown
    }

    /// Whether a commit that it answers may have been made all the same. An error at a commit proves that it was not. The
    /// end of the session proves nothing, unless the server ended it because it was idle: then the server never saw the
    /// commit.
    var endsCommit: Bool {
        isFatal && state != SQLState.idleInTransactionTimeout && state != SQLState.idleSessionTimeout
    }

    /// The error of a statement that is not sent, because a message of the protocol cannot hold it: the server would close
    /// the connection.
    static let messageTooLarge = ServerError(
        state: SQLState.programLimitExceeded, message: "the parameters of a statement exceed 1 GiB")

    /// The error as the store reports it. Nothing was written.
    var storeError: StoreError {
        let (code, advice) = meaning
        return StoreError(
            code, "Postgres refused: \(message). \(advice)", backend: PostgresBackend.name, nativeCode: state)
    }

    /// The kind of failure, and what to do.
    private var meaning: (StoreError.Code, String) {
        switch state {
        case "40001", "40P01":
            (.busy, "The transaction conflicted with another one; nothing was written. Try again.")
        case SQLState.lockNotAvailable:
            (
                .busy,
                "Another transaction has held the lock for longer than lock_timeout; nothing was written. Try again."
            )
        case "57014":
            (.timeout, "Nothing was written. Raise statement_timeout if the server is only slow.")
        case "57P01", "57P02", SQLState.cannotConnectNow, SQLState.idleSessionTimeout:
            (.unavailable, "The server is shutting down or starting; nothing was written. Try again.")
        case SQLState.idleInTransactionTimeout:
            (
                .unavailable,
                "The server ended a transaction that was idle for longer than idle_in_transaction_session_timeout; "
                    + "nothing was written. Raise it for the user of the store if that happens again."
            )
        case "25P04":
            (.timeout, "Nothing was written. Raise transaction_timeout for the user of the store.")
        case SQLState.tooManyConnections:
            (.unavailable, "The server has no connection free. Lower pool_max, or raise its max_connections.")
        case "53100", "53200", "53400":
            (.unavailable, "The server ran out of a resource; nothing was written.")
        case SQLState.readOnlyTransaction:
            (
                .unavailable,
                "This server accepts no writes: it is a standby, or default_transaction_read_only is on for the server, "
                    + "the database or the user. Name the primary, set target_session_attrs=read-write, or turn that "
                    + "setting off."
            )
        case SQLState.invalidAuthorization, SQLState.invalidPassword:
            (.unavailable, "Check the user, and the password in the URL, PGPASSWORD or the passfile.")
        case SQLState.noSuchDatabase:
            (.unavailable, "Create the database, or name another one in the URL.")
        case "26000", "42P05", "08P01":
            (.unavailable, "Behind a pooler in transaction mode, set prepared_statements=off.")
        case SQLState.noPrivilege:
            (.unavailable, "Give the user the right to the database, the schema and its tables.")
        case "3F000", "42P01", "42703":
            (.corrupt, "A table or column of the store is missing. Run `migrate`, or restore the store.")
        case SQLState.programLimitExceeded, "22001", "22003":
            (.limitExceeded, "A value is larger than Postgres accepts.")
        case let state where state.hasPrefix("08"):
            (.unavailable, "The connection failed; nothing was written. Try again.")
        case let state where isFatal || state.hasPrefix("58"):
            (.unavailable, "The server failed with \(state); check its log. Nothing was written.")
        case let state where state.hasPrefix("23"):
            (.corrupt, "The rows of the store contradict each other. Run `verify`, and restore it from an export.")
        case let state where state.hasPrefix("XX"):
            (.corrupt, "The server's own data is damaged. Check its log.")
        default:
            (.internalFailure, "Nothing was written.")
        }
    }
}
#endif
