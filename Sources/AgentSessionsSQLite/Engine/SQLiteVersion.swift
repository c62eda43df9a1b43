#if SQLite
internal import AgentSessions
internal import CAgentSessionsSQLite

/// The version of the SQLite library that this process has loaded.
struct SQLiteVersion: Comparable, CustomStringConvertible {
    /// The first that knows STRICT tables, which the store is made of (https://sqlite.org/stricttables.html).
    static let oldest = SQLiteVersion(number: 3_037_000)

    /// The version of the library that is loaded.
    static var loaded: SQLiteVersion { SQLiteVersion(number: sqlite3_libversion_number()) }

    /// Major version × 1,000,000 + minor × 1,000 + patch, as SQLite numbers them.
    let number: Int32

    static func < (left: SQLiteVersion, right: SQLiteVersion) -> Bool { left.number < right.number }

    var description: String { "\(number / 1_000_000).\(number / 1000 % 1000).\(number % 1000)" }

    /// - Throws: ``StoreError/Code/unsupported`` where the version is too old for the store.
    func check() throws(StoreError) {
        guard self >= .oldest else {
            throw StoreError(
                .unsupported,
                "This process has loaded SQLite \(self), and the store needs \(Self.oldest) or later: install a newer "
                    + "libsqlite3.",
                backend: SQLiteBackend.name)
        }
    }
}
#endif
