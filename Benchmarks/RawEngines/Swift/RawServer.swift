public import AgentSessions
internal import RawEngines

/// A Postgres server, to make schemas on and remove them.
public struct RawServer: Sendable {
    private let location: String
    private let keywords: [String]
    private let values: [String]

    /// The server that a store URL names.
    public init(_ url: StoreURL) {
        location = url.location
        // Of the parameters, libpq takes its own; the rest are the store's.
        keywords = url.parameters.map(\.name)
        values = url.parameters.map(\.value)
    }

    /// Removes a schema with all that it holds, where it is there.
    ///
    /// - Throws: ``AgentSessions/StoreError/Code/unavailable`` where the server cannot be reached or refuses.
    public func dropSchema(_ name: String) async throws(StoreError) {
        _ = try await execute("DROP SCHEMA IF EXISTS \(identifier(name)) CASCADE")
    }

    /// The bytes that the tables of a schema take, with their indexes.
    ///
    /// - Throws: ``AgentSessions/StoreError/Code/unavailable`` where the server cannot be reached or refuses.
    public func bytes(ofSchema name: String) async throws(StoreError) -> Int? {
        let literal = name.replacing("'", with: "''")
        return Int(
            try await execute(
                "SELECT sum(pg_total_relation_size(c.oid)) FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace "
                    + "WHERE n.nspname = '\(literal)' AND c.relkind = 'r'"))
    }

    private func identifier(_ name: String) -> String { "\"" + name.replacing("\"", with: "\"\"") + "\"" }

    private func execute(_ sql: String) async throws(StoreError) -> String {
        try await onThread { () throws(StoreError) in
            var answer = [CChar](repeating: 0, count: 256)
            var message = [CChar](repeating: 0, count: 512)
            let code = withParameters { location, keywords, values in
                raw_libpq_execute(
                    location, keywords, values, sql, &answer, answer.count, &message, message.count)
            }
            guard code == 0 else {
                throw StoreError(.unavailable, "The server refused: \(text(message)).", backend: "postgres")
            }
            return text(answer)
        }
    }

    /// Lends location and parameters as C takes them, the lists ended by NULL.
    func withParameters<Result>(
        _ body: (
            UnsafePointer<CChar>, UnsafePointer<UnsafePointer<CChar>?>, UnsafePointer<UnsafePointer<CChar>?>
        ) -> Result
    ) -> Result {
        withList(keywords[...], []) { keywords in
            withList(values[...], []) { values in
                location.withCString { body($0, keywords, values) }
            }
        }
    }

    private func withList<Result>(
        _ rest: ArraySlice<String>, _ list: [UnsafePointer<CChar>?],
        _ body: (UnsafePointer<UnsafePointer<CChar>?>) -> Result
    ) -> Result {
        guard let first = rest.first else {
            return (list + [nil]).withUnsafeBufferPointer { buffer in
                // Not empty: it holds the NULL.
                withUnsafePointer(to: buffer) { _ in body(buffer.baseAddress.unsafelyUnwrapped) }
            }
        }
        return first.withCString { pointer in withList(rest.dropFirst(), list + [pointer], body) }
    }
}
