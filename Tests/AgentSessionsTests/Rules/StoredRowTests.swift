import Testing

@testable import AgentSessions

@Suite("A stored row")
struct StoredRowTests {
    /// The values of a session as an engine fetches them.
    struct SessionValues: Sendable {
        var id: ULID? = ULID(high: 1, low: 2)
        var actorName: String? = "a"
        var messageCount: Int64? = 3
        var inputTokens: Int64? = 4
        var outputTokens: Int64? = 5
        var estimatedCost: Int64? = 6
        var metadata: JSONObject? = ["k": 1]
        var createdAt: Timestamp? = .earliest
        var updatedAt: Timestamp? = .latest

        func session() throws(StoreError) -> Session {
            try Session(
                storedIn: "engine", id: id, actorName: actorName, messageCount: messageCount, inputTokens: inputTokens,
                outputTokens: outputTokens, estimatedCost: estimatedCost, metadata: metadata, createdAt: createdAt,
                updatedAt: updatedAt)
        }
    }

    /// The values of a message as an engine fetches them.
    struct MessageValues: Sendable {
        var sequence: Int64? = 7
        var id: ULID? = ULID(high: 1, low: 2)
        var role: MessageRole? = .tool
        var content: String? = "c"
        var toolCallID: String?? = .some("call")
        var metadata: JSONObject? = ["k": 1]
        var createdAt: Timestamp? = .earliest

        func message() throws(StoreError) -> SessionMessage {
            try SessionMessage(
                storedIn: "engine", sessionID: ULID(high: 3, low: 4), sequence: sequence, id: id, role: role,
                content: content, toolCallID: toolCallID, metadata: metadata, createdAt: createdAt)
        }
    }

    @Test("of a session is the session that it holds")
    func wholeSession() throws {
        let session = try SessionValues().session()
        #expect(
            session
                == Session(
                    id: ULID(high: 1, low: 2), actorName: "a", messageCount: 3,
                    usage: TokenUsage(inputTokens: 4, outputTokens: 5, estimatedCost: 6), metadata: ["k": 1],
                    createdAt: .earliest, updatedAt: .latest))
        var empty = SessionValues()
        (empty.messageCount, empty.inputTokens, empty.outputTokens, empty.estimatedCost) = (0, 0, 0, 0)
        #expect(try empty.session().usage == .zero)
    }

    @Test("of a message is the message that it holds")
    func wholeMessage() throws {
        let message = try MessageValues().message()
        #expect(
            message
                == SessionMessage(
                    id: ULID(high: 1, low: 2), sessionID: ULID(high: 3, low: 4), sequence: 7, role: .tool, content: "c",
                    toolCallID: "call", metadata: ["k": 1], createdAt: .earliest))
        var plain = MessageValues()
        plain.toolCallID = .some(nil)
        #expect(try plain.message().toolCallID == nil)
    }

    static let damagedSessions: [(String, @Sendable (inout SessionValues) -> Void)] = [
        ("id", { $0.id = nil }), ("actor_name", { $0.actorName = nil }), ("message_count", { $0.messageCount = nil }),
        ("message_count", { $0.messageCount = -1 }), ("input_tokens", { $0.inputTokens = nil }),
        ("input_tokens", { $0.inputTokens = -1 }), ("output_tokens", { $0.outputTokens = nil }),
        ("output_tokens", { $0.outputTokens = -1 }), ("estimated_cost", { $0.estimatedCost = nil }),
        ("estimated_cost", { $0.estimatedCost = .min }), ("metadata", { $0.metadata = nil }),
        ("created_at", { $0.createdAt = nil }), ("updated_at", { $0.updatedAt = nil }),
    ]

    @Test("of a session that no store writes is corrupt, and its column is named", arguments: damagedSessions)
    func damagedSession(column: String, damage: @Sendable (inout SessionValues) -> Void) {
        var values = SessionValues()
        damage(&values)
        let error = #expect(throws: StoreError.self) { try values.session() }
        #expect(error?.code == .corrupt && error?.backend == "engine")
        #expect(error?.message.contains("its \(column) is ") == true, "\(error?.message ?? "")")
        #expect(error?.message.contains(values.id?.description ?? "The row of a session") == true)
    }

    static let damagedMessages: [(String, @Sendable (inout MessageValues) -> Void)] = [
        ("sequence", { $0.sequence = nil }), ("id", { $0.id = nil }), ("role", { $0.role = nil }),
        ("content", { $0.content = nil }), ("tool_call_id", { $0.toolCallID = .none }),
        ("metadata", { $0.metadata = nil }),
        ("created_at", { $0.createdAt = nil }),
    ]

    @Test("of a message that no store writes is corrupt, and its column is named", arguments: damagedMessages)
    func damagedMessage(column: String, damage: @Sendable (inout MessageValues) -> Void) {
        var values = MessageValues()
        damage(&values)
        let error = #expect(throws: StoreError.self) { try values.message() }
        #expect(error?.code == .corrupt && error?.backend == "engine")
        #expect(error?.message.contains("its \(column) is ") == true, "\(error?.message ?? "")")
        let number = values.sequence == nil ? 0 : 7
        #expect(error?.message.contains("Message \(number) of session \(ULID(high: 3, low: 4))") == true)
    }

    @Test("of a copy that lacks the store or the revision is corrupt, and its session is named")
    func damagedCopy() throws {
        let (session, source) = (ULID(high: 3, low: 4), ULID(high: 5, low: 6))
        func record(_ source: ULID?, _ revision: Timestamp?) throws(StoreError) -> CopyRecord {
            try CopyRecord(storedIn: "engine", of: session, source: source, revision: revision)
        }
        #expect(try record(source, .latest) == CopyRecord(source: source, revision: .latest))
        let withoutSource = #expect(throws: StoreError.self) { try record(nil, .latest) }
        let withoutRevision = #expect(throws: StoreError.self) { try record(source, nil) }
        for error in [withoutSource, withoutRevision] {
            #expect(error?.code == .corrupt)
            #expect(error?.message.contains("\(session)") == true)
        }
    }
}
