#if Postgres
internal import AgentSessions

/// The name of a schema that was checked, and its form in SQL.
struct SchemaName: Sendable {
    let name: String

    /// - Throws: ``StoreError/Code/invalidArgument`` where Postgres would refuse the name or cut it short.
    init(_ name: String) throws(StoreError) {
        guard !name.isEmpty, name.utf8.count <= 63, !name.utf8.contains(0), !name.lowercased().hasPrefix("pg_") else {
            throw StoreError(
                .invalidArgument,
                "schema cannot be \(quoted(name)): it must be a name of 1 to 63 bytes that does not begin with pg_.",
                backend: PostgresBackend.name)
        }
        self.name = name
    }

    /// The name as an identifier.
    var identifier: String {
        let doubled = name.split(separator: "\"", omittingEmptySubsequences: false).joined(separator: "\"\"")
        return "\"\(doubled)\""
    }

    /// The name of a table of the schema, as SQL.
    func table(_ table: String) -> String { "\(identifier).\"\(table)\"" }
}
#endif
