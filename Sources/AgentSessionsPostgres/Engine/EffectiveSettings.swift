#if Postgres
internal import AgentSessions

/// The server's settings that matter to a store, as the server reports them inside a transaction of the store.
enum EffectiveSettings {
    private static let names = [
        "synchronous_commit", "synchronous_standby_names", "default_transaction_read_only", "fsync", "full_page_writes",
        "server_encoding", "wal_level", "statement_timeout", "lock_timeout",
    ]

    static func read(_ connection: PostgresConnection, _ schema: SchemaName) throws(StoreError) -> [StoreSetting] {
        var parameters = Parameters()
        parameters.add(schema.table("session_messages"))
        parameters.add("server_version")
        for name in names { parameters.add(name) }
        let columns = (0...names.count).map { "current_setting($\($0 + 2))" }.joined(separator: ", ")
        let partitions = "(SELECT count(*) FROM pg_inherits WHERE inhparent = to_regclass($1))"
        let values = try connection.read("SELECT \(columns), \(partitions)", parameters)
        let engine = StoreSetting("engine", "PostgreSQL \(values.text(0, 0) ?? "")")
        return [engine] + names.enumerated().map { StoreSetting($0.element, values.text(0, $0.offset + 1) ?? "") } + [
            StoreSetting("tls", connection.usesTLS ? "on" : "off"),
            StoreSetting("schema", schema.name),
            StoreSetting("partitions", "\(values.number(0, names.count + 1) ?? 0)"),
        ]
    }

    /// Whether a commit waits until the server's disk has it, and the server tells the disk to flush.
    static func areDurable(_ settings: [StoreSetting]) -> Bool {
        let values = Dictionary(settings.map { ($0.name, $0.value) }) { first, _ in first }
        return values["fsync"] == "on" && values["synchronous_commit"] != "off"
    }
}
#endif
