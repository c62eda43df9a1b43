import AgentSessionsMemory
import Crypto
import Testing

@testable import AgentSessions

/// A service over an empty store in memory.
func memoryService(
    limits: StoreLimits = .standard, now: @escaping @Sendable () -> Timestamp = { .now() }
) -> PersistentSessionService<MemorySessionStore> {
    PersistentSessionService(MemorySessionStore(limits: limits), retryPolicy: .never, now: now)
}

extension SessionService {
    /// The whole document.
    func document(_ id: ULID, _ format: DocumentFormat = .native) async throws -> [UInt8] {
        var bytes: [UInt8] = []
        for try await chunk in exportSession(id, format: format) { bytes += chunk }
        return bytes
    }

    func load(_ bytes: [UInt8], _ format: DocumentFormat = .native) async throws(StoreError) -> ImportResult {
        try await importSessions(.bytes(bytes), format: format, options: ImportOptions())
    }

    func load(_ text: String, _ format: DocumentFormat = .native) async throws(StoreError) -> ImportResult {
        try await load(Array(text.utf8), format)
    }

    /// The error that an import ends with; the store must be unchanged.
    func refusal(
        _ bytes: [UInt8], _ format: DocumentFormat = .native, sourceLocation: SourceLocation = #_sourceLocation
    ) async throws -> StoreError {
        let before = try await list(limit: 10_000).sessions
        let error = await #expect(throws: StoreError.self, sourceLocation: sourceLocation) {
            try await load(bytes, format)
        }
        #expect(try await list(limit: 10_000).sessions == before, sourceLocation: sourceLocation)
        return try #require(error, sourceLocation: sourceLocation)
    }

    func refusal(
        _ text: String, _ format: DocumentFormat = .native, sourceLocation: SourceLocation = #_sourceLocation
    ) async throws -> StoreError {
        try await refusal(Array(text.utf8), format, sourceLocation: sourceLocation)
    }

    /// Every message.
    func allMessages(of id: ULID) async throws -> [SessionMessage] {
        var messages: [SessionMessage] = []
        for try await message in messageStream(in: id) { messages.append(message) }
        return messages
    }

    /// A small session with a bit of everything.
    func sample() async throws -> Session {
        let session = try await create(
            actorName: "local/orchestrator", metadata: ["b": 1.0, "a": [true, nil, 9_223_372_036_854_775_807]])
        _ = try await append(
            [
                NewMessage(.system, "Be \"brief\".\n"),
                NewMessage(.assistant, "", metadata: ["tool_calls": [["id": "c1", "cost": -0.5]]]),
                NewMessage(.tool, "früh", toolCallID: "c1"),
            ],
            to: session.id, usage: TokenUsage(inputTokens: 7, outputTokens: 3, estimatedCost: 1), expectedSequence: nil)
        return try await get(session.id)
    }
}

/// The parts of a session that must survive a document.
struct Essence: Equatable {
    let actorName: String
    let usage: TokenUsage
    let metadata: JSONObject
    let messages: [JSONValue]
    let times: [Timestamp]

    init(_ service: some SessionService, _ id: ULID) async throws {
        let session = try await service.get(id)
        actorName = session.actorName
        usage = session.usage
        metadata = session.metadata
        let all = try await service.allMessages(of: id)
        messages = all.map { message in
            [
                .string(message.role.name), .string(message.content), message.toolCallID.map { .string($0) } ?? .null,
                .object(message.metadata), .integer(Int64(message.sequence)),
            ]
        }
        times = [session.createdAt, session.updatedAt] + all.map(\.createdAt)
    }
}

extension JSONValue {
    /// What text of a document holds.
    init(document bytes: [UInt8]) throws {
        self = try JSONParser.parse(bytes, limits: JSONLimits(maximumBytes: .max, maximumDepth: 500))
    }
}

/// A document with `change` made to its value, and a checksum that fits.
func resealed(_ document: [UInt8], _ change: (inout JSONObject) -> Void) throws -> [UInt8] {
    var object = try #require(try JSONValue(document: document).objectValue)
    change(&object)
    object["checksum"] = .string(try independentChecksum(of: object))
    return try LosslessJSON.encode(.object(object))
}

/// The checksum that a document should have, made from its value.
func independentChecksum(of document: JSONObject) throws -> String {
    var object = document
    object["checksum"] = nil
    object["exported_at"] = nil
    return SHA256.hash(data: try CanonicalJSON.encode(.object(object))).map { byte in
        (byte < 16 ? "0" : "") + String(byte, radix: 16)
    }.joined()
}

extension JSONObject {
    /// Changes the object under `key`.
    mutating func edit(_ key: String, _ change: (inout JSONObject) -> Void) {
        guard var object = self[key]?.objectValue else { return }
        change(&object)
        self[key] = .object(object)
    }

    /// Changes the message of that index.
    mutating func editMessage(_ index: Int, _ change: (inout JSONObject) -> Void) {
        guard var messages = self["messages"]?.arrayValue, var message = messages[index].objectValue else { return }
        change(&message)
        messages[index] = .object(message)
        self["messages"] = .array(messages)
    }
}
