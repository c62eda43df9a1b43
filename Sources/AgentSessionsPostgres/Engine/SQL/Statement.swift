#if Postgres
/// A statement with the name under which a connection prepares it.
struct Statement: Sendable {
    /// Unique among the statements of a store; empty for one that is not prepared.
    let name: String
    let sql: String

    /// A statement that connections prepare under `name`.
    init(_ name: String, _ sql: String) {
        self.name = name
        self.sql = sql
    }

    /// A statement that is run too seldom to be prepared.
    init(_ sql: String) {
        self.init("", sql)
    }
}

/// A statement with its parameters.
struct Command: Sendable {
    let statement: Statement
    let parameters: Parameters

    init(_ statement: Statement, _ parameters: Parameters = Parameters()) {
        self.statement = statement
        self.parameters = parameters
    }
}
#endif
