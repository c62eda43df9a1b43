#if Postgres
internal import AgentSessions
internal import CAgentSessionsLibPQ

/// libpq's own connection parameters: those that a store URL may name, and those that its authority and path hold.
enum ConnectionSettings {
    /// The parameters that are passed through under their own names. `options` is not among them: it would set
    /// session parameters, which poolers refuse.
    static let definitions: [SettingDefinition] =
        [
            text("host", "hosts, or the folder of a Unix socket; several with commas"),
            text("hostaddr", "addresses of the hosts, which saves looking them up"),
            text("port", "ports of the hosts; 5432 when nobody says"),
            text("dbname", "the database"),
            text("user", "who connects"),
            text("password", "the password; better in PGPASSWORD or the passfile", isSecret: true),
            text("passfile", "a file of passwords"),
            text("service", "a section of the service file"),
            text("application_name", "what the server shows of this client"),
            SettingDefinition(
                "connect_timeout", .count(1...3600), default: "10", "seconds to wait for each host to connect"),
            SettingDefinition(
                "tcp_user_timeout", .count(1...3_600_000), default: "30000",
                "milliseconds for which data that was sent may stay unacknowledged"),
            SettingDefinition("keepalives", .choice(["0", "1"]), default: "1", "whether TCP looks for dead peers"),
            SettingDefinition(
                "keepalives_idle", .count(1...86_400), default: "60", "seconds of silence before TCP looks"),
            SettingDefinition("keepalives_interval", .count(1...3600), default: "10", "seconds between looks"),
            SettingDefinition(
                "keepalives_count", .count(1...100), default: "3", "looks before the peer counts as dead"),
            SettingDefinition(
                "target_session_attrs",
                .choice(["any", "read-write", "primary"]), default: "any",
                "which of several hosts will do; a standby never does, as it takes no writes"),
            SettingDefinition(
                "sslmode", .choice(["disable", "allow", "prefer", "require", "verify-ca", "verify-full"]),
                default: "prefer", "whether TLS is required, and how the server is checked; verify-full is safe"),
            text("sslrootcert", "the file of certificates that are trusted"),
            text("sslcert", "the client's certificate"),
            text("sslkey", "the client's key"),
            text("sslpassword", "the password of the client's key", isSecret: true),
            text("sslcrl", "the file of revoked certificates"),
            SettingDefinition("sslsni", .choice(["0", "1"]), default: "1", "whether TLS names the host"),
            SettingDefinition(
                "ssl_min_protocol_version", .choice(["TLSv1.2", "TLSv1.3"]), default: "TLSv1.2",
                "the oldest TLS that will do"),
            SettingDefinition(
                "channel_binding", .choice(["disable", "prefer", "require"]), default: "prefer",
                "whether the password is bound to the TLS channel"),
            SettingDefinition(
                "gssencmode", .choice(["disable", "prefer", "require"]), default: "disable", "GSSAPI encryption"),
            text("krbsrvname", "the Kerberos service"),
            text("requirepeer", "the system user that the server of a Unix socket must run as"),
        ]

    private static func text(_ name: String, _ summary: String, isSecret: Bool = false) -> SettingDefinition {
        SettingDefinition(name, .text, default: "", summary, isSecret: isSecret)
    }

    /// The parameters that a URL and the settings come to; a setting wins over the same in the URL's authority.
    ///
    /// - Throws: ``StoreError/Code/invalidArgument`` where libpq does not understand the URL.
    static func parameters(_ url: StoreURL, _ settings: SettingValues) throws(StoreError) -> [String: String] {
        var parameters = try parameters(inLocation: url.location)
        for definition in definitions where settings.isGiven(definition.name) {
            parameters[definition.name] = try settings.text(definition.name)
        }
        // Nobody who does not use it pays for the extra round trip.
        if parameters["gssencmode"] == nil { parameters["gssencmode"] = "disable" }
        for port in (parameters["port"] ?? "").split(separator: ",") where UInt16(port) == nil {
            // What stands there may be a password that lost its `@`, so it is not shown.
            throw invalid("a port is not a number from 1 to 65535")
        }
        return parameters
    }

    /// What stands before the question mark, read by libpq itself.
    private static func parameters(inLocation location: String) throws(StoreError) -> [String: String] {
        guard !location.isEmpty else { return [:] }
        guard location.hasPrefix("//") else { throw invalid("two slashes are missing") }
        guard let options = PQconninfoParse("postgresql:" + location, nil) else {
            // libpq's message quotes the URL, and with it perhaps a password.
            throw invalid("libpq does not understand it")
        }
        defer { PQconninfoFree(options) }
        return values(of: options)
    }

    /// The options of a list of libpq's that have a value.
    static func values(of options: UnsafeMutablePointer<PQconninfoOption>) -> [String: String] {
        var parameters: [String: String] = [:]
        var option = options
        // libpq ends the list with an entry without a keyword.
        while let keyword = option.pointee.keyword {
            if let value = option.pointee.val { parameters[String(cString: keyword)] = String(cString: value) }
            option += 1
        }
        return parameters
    }

    private static func invalid(_ reason: String) -> StoreError {
        StoreError(
            .invalidArgument,
            "The Postgres URL cannot be read: \(reason). Write postgres://user@host:port/database?name=value, percent "
                + "signs for what else stands in a name or password, such as %40 for @.",
            backend: PostgresBackend.name)
    }
}
#endif
