#if Postgres
public import AgentSessions

/// How to open a Postgres store.
public struct PostgresConfiguration: Sendable {
    /// When a commit is acknowledged: `synchronous_commit`.
    public enum SynchronousCommit: String, Sendable, CaseIterable {
        /// Without waiting for a disk: ``DurabilityTier/processCrash``. A crash of the server may take the last commits.
        case off
        /// After the server's disk has it.
        case local
        /// After the disk has it and a synchronous standby has received it.
        case remoteWrite = "remote_write"
        /// After the disks of the server and of a synchronous standby have it.
        case on
        /// After a synchronous standby shows it too.
        case remoteApply = "remote_apply"
    }

    /// The server and the user, in libpq's own keywords, such as `host`, `dbname`, `sslmode`, `passfile`.
    /// What is not given comes from libpq's environment variables, the service file and the passfile.
    public var connection: [String: String]
    /// The schema that holds the store's tables. The store makes it if there is none, unless it ``mustExist``.
    public var schema = "agent_sessions"
    /// The number of connections that stay open while they are idle.
    public var minimumConnections = 0
    /// The largest number of connections.
    public var maximumConnections = 8
    /// How long to wait for a free connection, before ``StoreError/Code/timeout``.
    public var leaseTimeout = Duration.seconds(5)
    /// How long an idle connection beyond ``minimumConnections`` stays open.
    public var idleTimeout = Duration.seconds(600)
    /// The age at which a connection is replaced.
    public var maximumLifetime = Duration.seconds(3600)
    /// How long a statement may take, before ``StoreError/Code/timeout``.
    public var statementTimeout = Duration.seconds(30)
    /// How long to wait for another transaction's lock, before ``StoreError/Code/busy``.
    public var lockTimeout = Duration.seconds(5)
    /// Whether statements are prepared on a connection. Turn it off behind a pooler in transaction mode, such as
    /// PgBouncer: then the session keeps nothing, and each transaction is given its settings.
    public var preparesStatements = true
    /// When a commit is acknowledged; `nil` for the server's own setting.
    public var synchronousCommit: SynchronousCommit?
    /// Into how many partitions by session the tables are divided when they are made; 0 for none. It has no effect on
    /// a store that exists.
    public var partitions = 0
    /// Whether to bring an older store up to date on opening.
    public var migrationPolicy = MigrationPolicy.apply
    /// Steps of the application's own, after those of this package.
    public var migrations: [Migration<PostgresMigrationTarget>] = []
    /// The largest values that the store accepts. They lower ``StoreLimits/standard``, and never raise it.
    public var limits = StoreLimits.standard
    /// Whether to open only a store that exists, and make none.
    public var mustExist = false
    /// The largest number of bytes in the parameters of a statement: what a message of the protocol can hold, less room for
    /// the rest of the message.
    var largestMessage = 1 << 30 - 1 << 20

    /// A store with the safe defaults.
    ///
    /// - Parameter connection: Connection parameters in libpq's keywords.
    public init(connection: [String: String] = [:]) {
        self.connection = connection
    }

    /// The values of connection parameters that are not given: every wait for the network has a bound.
    private static let defaults = [
        "connect_timeout": "10", "tcp_user_timeout": "30000", "keepalives_idle": "60", "keepalives_interval": "10",
        "keepalives_count": "3", "fallback_application_name": "agent-sessions",
    ]

    /// The parameters with which libpq connects.
    var libpqParameters: [(keyword: String, value: String)] {
        var parameters = Self.defaults.merging(connection) { _, given in given }
        parameters["client_encoding"] = "UTF8"
        return parameters.sorted { $0.key < $1.key }.map { ($0.key, $0.value) }
    }

    /// What a store promises, given how the server commits.
    ///
    /// - Parameter isDurable: Whether the server reports that a commit waits for its disk.
    func capabilities(isDurable: Bool) -> StoreCapabilities {
        StoreCapabilities(
            durability: isDurable ? .powerLoss : .processCrash, scope: .many, limits: .standard.lowered(to: limits),
            abilities: [.reopen, .multipleInstances])
    }
}

extension PostgresConfiguration: CustomStringConvertible, CustomReflectable {
    /// Host, database and schema; never a password.
    public var description: String {
        let location = ["host", "port", "dbname"].compactMap { name in connection[name].map { "\(name)=\($0)" } }
        return "Postgres(\((location + ["schema=\(schema)"]).joined(separator: " ")))"
    }

    /// Only what ``description`` shows, so that dumping the value shows no password either.
    public var customMirror: Mirror {
        Mirror(self, children: ["description": description])
    }
}
#endif
