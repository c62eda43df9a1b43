#if Postgres
internal import AgentSessions

/// The settings that a session, or where the session is shared each transaction, is given.
struct SessionSettings {
    /// How prepared statements are planned: once, and by the indexes, which every statement of the store is made for.
    /// Left to itself, the server plans a page anew each time, because it cannot know how small its limit is, and a plan
    /// that it made while a table was empty reads the whole table until the statistics catch up.
    private static let plans = [
        ("plan_cache_mode", "force_generic_plan"), ("enable_seqscan", "off"), ("enable_bitmapscan", "off"),
        ("jit", "off"),
    ]

    private let values: [(name: String, value: String)]

    init(_ configuration: PostgresConfiguration) {
        var values = [
            ("statement_timeout", Self.milliseconds(configuration.statementTimeout)),
            ("lock_timeout", Self.milliseconds(configuration.lockTimeout)),
        ]
        if let level = configuration.synchronousCommit {
            values.append(("synchronous_commit", level.rawValue))
        }
        self.values = values
    }

    /// Sets all of them in one statement.
    ///
    /// - Parameter isLocal: Until the end of the transaction; otherwise until the end of the session.
    func command(isLocal: Bool) -> Command {
        var parameters = Parameters()
        var calls: [String] = []
        let settings = isLocal ? values : values + Self.plans
        for (index, setting) in settings.enumerated() {
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
