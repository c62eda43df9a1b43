#if Postgres
/// An SQL statement with its parameters.
struct Statement: Sendable {
    /// The name under which a connection prepares it, unique among the statements of a store. It is empty for a
    /// statement that is sent too seldom to be prepared.
    let name: String
    let sql: String
    let parameters: Parameters

    /// A statement that connections prepare under `name`.
    init(_ name: String, _ sql: String, _ parameters: Parameters = Parameters()) {
        self.name = name
        self.sql = sql
        self.parameters = parameters
    }

    /// A statement that is not prepared.
    init(_ sql: String, _ parameters: Parameters = Parameters()) {
        self.init("", sql, parameters)
    }

    /// The same statement with these parameters.
    func with(_ parameters: Parameters) -> Statement { Statement(name, sql, parameters) }
}
#endif
