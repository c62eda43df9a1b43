#if Postgres
internal import AgentSessions

/// The statements of a store, with the names of its tables.
///
/// Those that change a session in one round trip do so only where nothing is out of the ordinary: the session is there,
/// the expectation holds, no number overflows, the id of the message is not stored. Otherwise they do nothing, and the
/// rules of the core find out in a transaction what is the matter. A batch of which an id is stored is refused by the
/// primary key instead, as to look for many ids first would cost every batch more than a rare replay is worth.
struct StoreStatements: Sendable {
    /// The table of records of copies, which the first copy into the store makes.
    static let copiesTable = "session_copies"

    let schema: SchemaName
    let append: Statement
    let appendBatch: Statement
    let create: Statement
    let update: Statement
    let delete: Statement
    let session: Statement
    let lockSession: Statement
    let insertSession: Statement
    let replaceSession: Statement
    let messagesAfter: Statement
    let messagesAfterWithin: Statement
    let messagesBefore: Statement
    let messagesBeforeWithin: Statement
    let messagesByID: Statement
    let insertMessages: Statement
    let removeMessages: Statement
    let lockRegistry: Statement
    let copyRecord: Statement
    let putCopyRecord: Statement

    init(_ schema: SchemaName) {
        self.schema = schema
        let sessions = schema.table("sessions")
        let messages = schema.table("session_messages")

        let payload = RowLayout.payloadColumns
        append = Statement(
            "append",
            """
            WITH touched AS (UPDATE \(sessions) SET \(Self.growth(by: "1", time: "$3", usage: 5)) \
            WHERE id = $1::text AND \(Self.guards(growth: "1", usage: 5)) \
            AND ($4::bigint IS NULL OR message_count = $4) \
            AND NOT EXISTS (SELECT FROM \(messages) WHERE session_id = $1 AND id = $2::text) \
            RETURNING message_count, updated_at) \
            INSERT INTO \(messages) (session_id, id, sequence, created_at, \(payload.names)) \
            SELECT $1, $2, message_count, updated_at, \(payload.parameters(from: 8)) FROM touched \
            RETURNING sequence, created_at
            """)
        appendBatch = Statement(
            "append_batch",
            """
            WITH touched AS (UPDATE \(sessions) SET \(Self.growth(by: "$8::bigint", time: "$3", usage: 5)) \
            WHERE id = $1::text AND \(Self.guards(growth: "$8::bigint", usage: 5)) \
            AND ($4::bigint IS NULL OR message_count = $4) \
            RETURNING message_count - $8 AS base, updated_at), \
            written AS (INSERT INTO \(messages) (session_id, id, sequence, created_at, \(payload.names)) \
            SELECT $1, m.id, base + m.place, updated_at, \(payload.names) \
            FROM touched, unnest($2::text[], \(payload.arrays(from: 9))) \
            WITH ORDINALITY AS m (id, \(payload.names), place)) \
            SELECT base + 1, updated_at FROM touched
            """)
        let columns = RowLayout.sessionColumns
        insertSession = Statement(
            "insert_session",
            "INSERT INTO \(sessions) (\(columns.names)) VALUES (\(columns.parameters(from: 1)))")
        create = Statement("create", insertSession.sql + " ON CONFLICT (id) DO NOTHING RETURNING id")
        replaceSession = Statement(
            "replace_session",
            """
            UPDATE \(sessions) SET \(columns.assignments(except: ["id", "created_at"])) \
            WHERE id = $1::text AND created_at = $8::timestamptz
            """)
        update = Statement(
            "update",
            """
            UPDATE \(sessions) SET actor_name = coalesce($2::text, actor_name), \
            metadata = coalesce($3::json, metadata), \(Self.growth(by: "0", time: "$4", usage: 6)) \
            WHERE id = $1::text AND \(Self.guards(growth: "0", usage: 6)) \
            AND ($5::timestamptz IS NULL OR updated_at = $5) RETURNING \(RowLayout.session)
            """)
        delete = Statement(
            "delete",
            """
            DELETE FROM \(sessions) WHERE id = $1 AND ($2::timestamptz IS NULL OR created_at = $2) RETURNING id
            """)

        session = Statement("session", "SELECT \(RowLayout.session) FROM \(sessions) WHERE id = $1")
        lockSession = Statement("lock_session", session.sql + " FOR NO KEY UPDATE")
        messagesAfter = Statement(
            "messages_after", Self.page(schema, condition: "sequence > $2", order: "sequence", within: false))
        messagesAfterWithin = Statement(
            "messages_after_within", Self.page(schema, condition: "sequence > $2", order: "sequence", within: true))
        messagesBefore = Statement(
            "messages_before", Self.page(schema, condition: "sequence < $2", order: "sequence DESC", within: false))
        messagesBeforeWithin = Statement(
            "messages_before_within",
            Self.page(schema, condition: "sequence < $2", order: "sequence DESC", within: true))
        messagesByID = Statement(
            "messages_by_id",
            "SELECT \(RowLayout.message) FROM \(messages) WHERE session_id = $1 AND id = ANY ($2::text[])")
        insertMessages = Statement(
            "insert_messages",
            """
            INSERT INTO \(messages) (session_id, id, sequence, created_at, \(payload.names)) SELECT $1::text, m.* \
            FROM unnest($2::text[], $3::bigint[], $4::timestamptz[], \(payload.arrays(from: 5))) AS m
            """)
        removeMessages = Statement(
            "remove_messages", "DELETE FROM \(messages) WHERE session_id = $1 AND sequence > $2")
        lockRegistry = Statement(
            "lock_registry", "SELECT FROM \(schema.table("resource_registry")) FOR KEY SHARE")

        let copies = schema.table(Self.copiesTable)
        copyRecord = Statement("copy_record", "SELECT source_id, revision FROM \(copies) WHERE session_id = $1")
        putCopyRecord = Statement(
            "put_copy_record",
            """
            INSERT INTO \(copies) (session_id, source_id, revision) VALUES ($1, $2, $3) ON CONFLICT (session_id) \
            DO UPDATE SET source_id = excluded.source_id, revision = excluded.revision
            """)
    }

    /// A list of sessions: only the conditions that the request has, so that each shape gets its own plan.
    func list(_ request: SessionListRequest) -> Statement {
        var conditions: [String] = []
        var parameters = Parameters()
        var shape = "list"
        let filter = request.filter
        func add(_ name: String, _ condition: (String) -> String) {
            shape += "_\(name)"
            conditions.append(condition("$\(parameters.lengths.count)"))
        }
        if let actorName = filter.actorName {
            parameters.add(actorName)
            add("a") { "actor_name = \($0)" }
        }
        for (name, time, condition) in [
            ("cf", filter.createdFrom, "created_at >="), ("cb", filter.createdBefore, "created_at <"),
            ("uf", filter.updatedFrom, "updated_at >="), ("ub", filter.updatedBefore, "updated_at <"),
        ] {
            guard let time else { continue }
            parameters.add(time)
            add(name) { "\(condition) \($0)" }
        }
        if let after = request.after {
            parameters.add(after.createdAt)
            parameters.add(after.id)
            let count = parameters.lengths.count
            // ULID texts sort as the ULIDs do.
            add("k") { "(created_at, id) < ($\(count - 1)::timestamptz, \($0)::text)" }
        }
        parameters.add(request.limit)
        parameters.add(request.offset)
        let count = parameters.lengths.count
        let condition = conditions.isEmpty ? "" : "WHERE \(conditions.joined(separator: " AND ")) "
        let sql = """
            SELECT \(RowLayout.session) FROM \(schema.table("sessions")) \(condition)\
            ORDER BY created_at DESC, id DESC LIMIT $\(count - 1)::bigint OFFSET $\(count)::bigint
            """
        return Statement(shape, sql, parameters)
    }

    /// What a change sets.
    ///
    /// - Parameter usage: The number of the first of three parameters: input tokens, output tokens, cost.
    private static func growth(by count: String, time: String, usage: Int) -> String {
        """
        message_count = message_count + \(count), input_tokens = input_tokens + $\(usage)::bigint, \
        output_tokens = output_tokens + $\(usage + 1)::bigint, \
        estimated_cost = estimated_cost + $\(usage + 2)::bigint, \
        updated_at = greatest(\(time)::timestamptz, updated_at + interval '1 microsecond')
        """
    }

    /// What must hold so that no number that a change sets overflows or was damaged before.
    private static func guards(growth count: String, usage: Int) -> String {
        let largest = Int64.max
        return """
            message_count BETWEEN 0 AND \(largest) - \(count) \
            AND input_tokens BETWEEN 0 AND \(largest) - $\(usage)::bigint \
            AND output_tokens BETWEEN 0 AND \(largest) - $\(usage + 1)::bigint \
            AND estimated_cost BETWEEN 0 AND \(largest) - $\(usage + 2)::bigint \
            AND updated_at < '9999-12-31 23:59:59.999999+00'
            """
    }

    /// A session with a run of its messages.
    ///
    /// - Parameter within: Whether the run ends before the stored bytes of the messages that come first reach `$4`.
    ///   Their lengths are known without reading them.
    private static func page(_ schema: SchemaName, condition: String, order: String, within: Bool) -> String {
        let messages = """
            SELECT * FROM \(schema.table("session_messages")) WHERE session_id = $1 AND \(condition) \
            ORDER BY \(order) LIMIT $3::bigint
            """
        let rows =
            within
            ? """
            SELECT *, sum(octet_length(content) + octet_length(metadata::text)) OVER (ORDER BY \(order) \
            ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS before FROM (\(messages)) AS run
            """ : messages
        let bound = within ? "WHERE coalesce(before, 0) < $4::bigint " : ""
        return """
            (SELECT \(RowLayout.session) FROM \(schema.table("sessions")) WHERE id = $1) UNION ALL \
            (SELECT \(RowLayout.message) FROM (\(rows)) AS page \(bound)ORDER BY \(order))
            """
    }
}
#endif
