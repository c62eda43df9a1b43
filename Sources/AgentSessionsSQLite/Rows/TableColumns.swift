#if SQLite
/// The columns of a table, so that no statement names them by itself. A column's parameter has the column's place.
struct TableColumns {
    private let names: [String]
    /// `id, actor_name, …`.
    let list: String

    init(_ names: [String]) {
        self.names = names
        list = names.joined(separator: ", ")
    }

    /// `?1, ?2, …`: a parameter for each column.
    var parameters: String { names.indices.map { "?\($0 + 1)" }.joined(separator: ", ") }

    /// `actor_name = ?2, …`, for those columns that `isSet` chooses.
    func assignments(_ isSet: (String) -> Bool) -> String {
        zip(names, 1...).filter { isSet($0.0) }.map { "\($0) = ?\($1)" }.joined(separator: ", ")
    }
}

/// SQL that is put together once for the whole process. A connection knows its statement by this object, which costs less
/// to look up than a text.
final class ComposedSQL: Sendable {
    let text: String

    init(_ text: String) {
        self.text = text
    }
}
#endif
