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
            text("hostaddr", "addresses of the hosts, so that they are not looked up"),
            text("port", "ports of the hosts; 5432 by default"),
            text("dbname", "the database"),
            text("user", "the user"),
            text("password", "the password; better in PGPASSWORD or the passfile", isSecret: true),
            text("passfile", "a file of passwords"),
            text("service", "a section of the service file"),
            text("application_name", "the name that the server shows for this client"),
            SettingDefinition(
                "connect_timeout", .count(1...3600), default: "10", "seconds to wait for each host to connect"),
            SettingDefinition(
                "tcp_user_timeout", .count(1...3_600_000), default: "30000",
                "milliseconds for which data that was sent may stay unacknowledged"),
            SettingDefinition("keepalives", .choice(["0", "1"]), default: "1", "whether TCP detects dead peers"),
            SettingDefinition(
                "keepalives_idle", .count(1...86_400), default: "60", "seconds of silence before TCP probes the peer"),
            SettingDefinition("keepalives_interval", .count(1...3600), default: "10", "seconds between probes"),
            SettingDefinition(
                "keepalives_count", .count(1...100), default: "3",
                "probes without an answer after which the peer is dead"),
            SettingDefinition(
                "target_session_attrs",
                .choice(["any", "read-write", "primary"]), default: "any",
                "which of several hosts to use; a standby is of no use, as it accepts no writes"),
            SettingDefinition(
                "sslmode", .choice(["disable", "allow", "prefer", "require", "verify-ca", "verify-full"]),
                default: "prefer", "whether TLS is required, and how the server is verified; verify-full is safe"),
            text("sslrootcert", "the file of trusted certificates"),
            text("sslcert", "the client's certificate"),
            text("sslkey", "the client's key"),
            text("sslpassword", "the password of the client's key", isSecret: true),
            text("sslcrl", "the file of revoked certificates"),
            SettingDefinition("sslsni", .choice(["0", "1"]), default: "1", "whether TLS names the host"),
            SettingDefinition(
                "ssl_min_protocol_version", .choice(["TLSv1.2", "TLSv1.3"]), default: "TLSv1.2",
                "the oldest TLS version to accept"),
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

    /// The parameters of a URL and the settings; a setting overrides the same parameter in the URL's authority.
    ///
    /// - Throws: ``StoreError/Code/invalidArgument`` where libpq does not understand the URL.
    static func parameters(_ url: StoreURL, _ settings: SettingValues) throws(StoreError) -> [String: String] {
        var parameters = try parameters(inLocation: url.location)
        for definition in definitions where settings.isGiven(definition.name) {
            parameters[definition.name] = try settings.text(definition.name)
        }
        // Unless it is asked for, it costs no round trip.
        if parameters["gssencmode"] == nil { parameters["gssencmode"] = "disable" }
        for port in (parameters["port"] ?? "").split(separator: ",") where UInt16(port) == nil {
            // The text may be a password without its `@`, so the error does not show it.
            throw invalid("a port is not a number from 1 to 65535")
        }
        return parameters
    }

    /// The part before the question mark, parsed by libpq itself.
    private static func parameters(inLocation location: String) throws(StoreError) -> [String: String] {
        guard !location.isEmpty else { return [:] }
        guard location.hasPrefix("//") else { throw invalid("two slashes are missing") }
        guard let options = PQconninfoParse("postgresql:" + location, nil) else {
            // libpq's message quotes the URL, which may hold a password.
            throw invalid("libpq does not understand it")
        }
        defer { PQconninfoFree(options) }
        return values(of: options)
    }

    /// The options in a list of libpq that have a value.
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
            "The Postgres URL cannot be read: \(reason). Write postgres://user@host:port/database?name=value, and "
                + "percent-encode other characters in a name or password, such as %40 for @.",
            backend: PostgresBackend.name)
    }
}
#endif
