#if Postgres
internal import AgentSessions
internal import CAgentSessionsLibPQ

extension PostgresConnection {
    /// The oldest server that has all that the schema needs.
    private static let oldestServer: Int32 = 120_000

    /// Connects, trying each host within ``PostgresConfiguration``'s connect timeout. Blocks the calling thread.
    ///
    /// - Throws: ``StoreError/Code/unavailable`` where no host can be reached or the server refuses the user or the
    ///   database, ``StoreError/Code/unsupported`` where it is too old or does not store UTF-8.
    static func open(_ configuration: PostgresConfiguration) throws(StoreError) -> PostgresConnection {
        let (handle, notices) = try ConnectionAttempt.connect(configuration.libpqParameters)
        let connection = PostgresConnection(handle, notices: notices, configuration)
        guard PQserverVersion(handle) >= oldestServer else {
            throw StoreError(
                .unsupported, "The server is older than PostgreSQL 12. Use a newer one.", backend: PostgresBackend.name)
        }
        let encoding = PQparameterStatus(handle, "server_encoding").map { String(cString: $0) } ?? "UTF8"
        guard encoding == "UTF8" else {
            throw StoreError(
                .unsupported,
                "The database stores text as \(quoted(encoding)), which does not have every character. Create one with "
                    + "ENCODING 'UTF8'.",
                backend: PostgresBackend.name)
        }
        if let settings = connection.framing.sessionSettings { _ = try connection.read(settings, lockWait: .brief) }
        return connection
    }
}

/// Why a connection could not be opened. libpq gives only a text here, which holds the server's own message.
struct ConnectFailure {
    /// Words that messages of servers and poolers are recognized by, and what they mean. A message in another language is
    /// not recognized, and is reported as a server that cannot be reached.
    private static let meanings: [(words: String, state: String)] = [
        ("authentication failed", SQLState.invalidPassword),
        ("too many clients already", SQLState.tooManyConnections),
        ("remaining connection slots are reserved", SQLState.tooManyConnections),
        ("too many connections for", SQLState.tooManyConnections),
        ("no more connections allowed", SQLState.tooManyConnections),
        // starting up, shutting down, in recovery mode, not yet accepting connections
        ("the database system is", SQLState.cannotConnectNow),
        ("session is read-only", SQLState.readOnlyTransaction),
        ("server is in hot standby mode", SQLState.readOnlyTransaction),
        ("pg_hba.conf", SQLState.invalidAuthorization),
        ("is not permitted to log in", SQLState.invalidAuthorization),
        ("permission denied for database", SQLState.noPrivilege),
        ("FATAL:  role \"", SQLState.invalidAuthorization),
        ("\" does not exist", SQLState.noSuchDatabase),
    ]

    private let message: String
    private let needsPassword: Bool

    /// - Parameter secrets: What must not be shown if libpq's message repeats it.
    init(_ message: String, needsPassword: Bool, secrets: [String]) {
        self.message = secrets.filter { !$0.isEmpty }.reduce(message) { text, secret in
            text.split(separator: secret, omittingEmptySubsequences: false).joined(separator: "***")
        }
        self.needsPassword = needsPassword
    }

    var storeError: StoreError {
        let known = Self.meanings.first { message.contains($0.words) }?.state
        guard let state = needsPassword ? SQLState.invalidPassword : known else {
            return StoreError(
                .unavailable,
                "Postgres cannot be reached: \(quoted(message, limit: 500)). Check that the server runs and that host, "
                    + "port, database and user are correct.",
                backend: PostgresBackend.name)
        }
        return ServerError(state: state, message: quoted(message, limit: 500)).storeError
    }
}

extension StoreError {
    /// Whether another attempt to connect is useless: the server refuses the login, or what was given is not valid.
    var isRefusedLogin: Bool {
        let refusals = [
            SQLState.invalidPassword, SQLState.invalidAuthorization, SQLState.noSuchDatabase, SQLState.noPrivilege,
        ]
        return code == .unsupported || code == .invalidArgument || nativeCode.map(refusals.contains) == true
    }

    /// Whether the server is running, but has no connection free at this moment or is not ready.
    private var isNotNow: Bool {
        nativeCode == SQLState.tooManyConnections || nativeCode == SQLState.cannotConnectNow
    }

    /// What the failure to open a connection means to the pool.
    var openFailure: PoolStateMachine.OpenFailure {
        isRefusedLogin ? .refused : isNotNow ? .notNow : .unreachable
    }

    /// Whether opening the store again may help. A migration whose commit was lost is found to be done, or is done again.
    var isPassingAtOpening: Bool { (isTransient || code == .outcomeUnknown) && !isRefusedLogin }
}
#endif
