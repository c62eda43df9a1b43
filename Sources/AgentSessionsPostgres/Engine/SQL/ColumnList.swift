#if Postgres
/// Columns with their types, so that no statement lists them by itself. Their parameters stand one after the other.
struct ColumnList: Sendable {
    private let columns: [(name: String, type: String)]

    init(_ columns: [(name: String, type: String)]) {
        self.columns = columns
    }

    /// `role, content, …`.
    var names: String { joined { name, _, _ in name } }

    /// `$4::text, $5::text, …`.
    func parameters(from first: Int) -> String { joined(from: first) { _, type, number in "$\(number)::\(type)" } }

    /// `$4::text[], $5::text[], …`.
    func arrays(from first: Int) -> String { joined(from: first) { _, type, number in "$\(number)::\(type)[]" } }

    /// `actor_name = $2::text, …`, for the columns that are not among `keys`.
    func assignments(except keys: Set<String>) -> String {
        joined { name, type, number in keys.contains(name) ? nil : "\(name) = $\(number)::\(type)" }
    }

    private func joined(from first: Int = 1, _ text: (String, String, Int) -> String?) -> String {
        zip(columns, first...).compactMap { text($0.name, $0.type, $1) }.joined(separator: ", ")
    }
}
#endif
