#if SQLite
internal import AgentSessions

/// A list of sessions as SQL: only the conditions that the request has, so that each shape gets its own plan.
struct SessionListQuery {
    private enum Value {
        case time(Timestamp)
        case id(ULID)
        case text(String)
        case number(Int)
    }

    let sql: String
    private let values: [Value]

    init(_ request: SessionListRequest) {
        var conditions: [String] = []
        var values: [Value] = []
        func add(_ condition: String, _ new: Value...) {
            conditions.append(condition)
            values += new
        }
        let filter = request.filter
        if let actorName = filter.actorName { add("actor_name = ?", .text(actorName)) }
        if let from = filter.createdFrom { add("created_at >= ?", .time(from)) }
        if let before = filter.createdBefore { add("created_at < ?", .time(before)) }
        if let from = filter.updatedFrom { add("updated_at >= ?", .time(from)) }
        if let before = filter.updatedBefore { add("updated_at < ?", .time(before)) }
        // ULID texts sort as the ULIDs do.
        if let after = request.after { add("(created_at, id) < (?, ?)", .time(after.createdAt), .id(after.id)) }
        let condition = conditions.isEmpty ? "" : "WHERE \(conditions.joined(separator: " AND ")) "
        sql = """
            SELECT \(SessionRow.columns.list) FROM sessions \(condition)\
            ORDER BY created_at DESC, id DESC LIMIT ? OFFSET ?
            """
        self.values = values + [.number(request.limit), .number(request.offset)]
    }

    func bind(to statement: SQLiteStatement) throws(StoreError) {
        for (index, value) in zip(Int32(1)..., values) {
            switch value {
            case .time(let time): try statement.bind(time, at: index)
            case .id(let id): try statement.bind(id, at: index)
            case .text(let text): try statement.bind(text, at: index)
            case .number(let number): try statement.bind(number, at: index)
            }
        }
    }
}
#endif
