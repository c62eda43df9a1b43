import AgentSessions

/// A change of the tables, as it stands in the file: a line is an array of those of one transaction.
enum Change: Sendable {
    /// `{"put":SESSION}`: a session, new or in place of the one of its id.
    case put(Session)
    /// `{"add":MESSAGE}`: a message behind the last of its session.
    case add(SessionMessage)
    /// `{"rewind":ID,"to":SEQUENCE}`: the messages after a sequence are gone.
    case rewind(ULID, Int)
    /// `{"remove":ID}`: the session is gone with its messages.
    case remove(ULID)

    /// The changes of a transaction as a line, without a break.
    static func line(of changes: [Change]) throws(StoreError) -> String {
        do {
            return try (["changes": .array(changes.map(\.json))] as JSONObject).losslessText()
        } catch {
            throw StoreError(.internalFailure, "A change cannot be written as JSON: \(error)", cause: error)
        }
    }

    /// The changes of a line.
    ///
    /// - Throws: ``StoreError/Code/corrupt``, naming the line.
    static func parse(_ line: String, number: Int) throws(StoreError) -> [Change] {
        let limits = JSONLimits(maximumBytes: .max, maximumDepth: JSONLimits.deepest)
        let changes = (try? JSONObject(parsing: line, limits: limits))?["changes"]?.arrayValue?.map(Change.init)
        guard let changes, !changes.contains(where: { $0 == nil }) else {
            throw .corrupt("Line \(number) of the log", "it is no change that this build knows", backend: "jsonlines")
        }
        return changes.compactMap { $0 }
    }

    private var json: JSONValue {
        switch self {
        case .put(let session): ["put": session.json]
        case .add(let message): ["add": message.json]
        case .rewind(let id, let sequence): ["rewind": .string("\(id)"), "to": .integer(Int64(sequence))]
        case .remove(let id): ["remove": .string("\(id)")]
        }
    }

    private init?(_ json: JSONValue) {
        if let session = json["put"].flatMap(Session.init(json:)) {
            self = .put(session)
        } else if let message = json["add"].flatMap(SessionMessage.init(json:)) {
            self = .add(message)
        } else if let id = json["rewind"].flatMap(ULID.init(json:)), let sequence = json["to"]?.integerValue {
            self = .rewind(id, Int(sequence))
        } else if let id = json["remove"].flatMap(ULID.init(json:)) {
            self = .remove(id)
        } else {
            return nil
        }
    }
}

// Written out, as Foundation's JSON would round integers and lose -0.0.

extension ULID {
    fileprivate init?(json: JSONValue) {
        guard let id = json.stringValue.flatMap(ULID.init) else { return nil }
        self = id
    }
}

extension Session {
    fileprivate var json: JSONValue {
        [
            "id": .string("\(id)"), "actor_name": .string(actorName), "message_count": .integer(Int64(messageCount)),
            "input_tokens": .integer(usage.inputTokens), "output_tokens": .integer(usage.outputTokens),
            "estimated_cost": .integer(usage.estimatedCost), "metadata": .object(metadata),
            "created_at": .integer(createdAt.microseconds), "updated_at": .integer(updatedAt.microseconds),
        ]
    }

    fileprivate init?(json: JSONValue) {
        guard let id = json["id"].flatMap(ULID.init(json:)), let actorName = json["actor_name"]?.stringValue,
            let count = json["message_count"]?.integerValue, let input = json["input_tokens"]?.integerValue,
            let output = json["output_tokens"]?.integerValue, let cost = json["estimated_cost"]?.integerValue,
            let metadata = json["metadata"]?.objectValue,
            let created = json["created_at"]?.integerValue.flatMap(Timestamp.init(microseconds:)),
            let updated = json["updated_at"]?.integerValue.flatMap(Timestamp.init(microseconds:))
        else { return nil }
        self.init(
            id: id, actorName: actorName, messageCount: Int(count),
            usage: TokenUsage(inputTokens: input, outputTokens: output, estimatedCost: cost), metadata: metadata,
            createdAt: created, updatedAt: updated)
    }
}

extension SessionMessage {
    fileprivate var json: JSONValue {
        [
            "id": .string("\(id)"), "session_id": .string("\(sessionID)"), "sequence": .integer(Int64(sequence)),
            "role": .string(role.name), "content": .string(content),
            "tool_call_id": toolCallID.map(JSONValue.string) ?? .null, "metadata": .object(metadata),
            "created_at": .integer(createdAt.microseconds),
        ]
    }

    fileprivate init?(json: JSONValue) {
        guard let id = json["id"].flatMap(ULID.init(json:)),
            let sessionID = json["session_id"].flatMap(ULID.init(json:)),
            let sequence = json["sequence"]?.integerValue,
            let role = json["role"]?.stringValue.flatMap({ try? MessageRole($0) }),
            let content = json["content"]?.stringValue, let metadata = json["metadata"]?.objectValue,
            let created = json["created_at"]?.integerValue.flatMap(Timestamp.init(microseconds:))
        else { return nil }
        self.init(
            id: id, sessionID: sessionID, sequence: Int(sequence), role: role, content: content,
            toolCallID: json["tool_call_id"]?.stringValue, metadata: metadata, createdAt: created)
    }
}

/// The first line of the file: what the store is.
struct StoreRecord: Sendable {
    let time: Timestamp
    let build: String

    /// The record of a store that is made now.
    init() {
        time = .now()
        build = BuildInfo.writer
    }

    /// - Throws: ``StoreError/Code/newerStore``, ``StoreError/Code/corrupt``.
    init(line: String) throws(StoreError) {
        guard let record = try? JSONObject(parsing: line), let format = record["format"]?.integerValue,
            let time = record["made_at"]?.stringValue.flatMap(Timestamp.init), let build = record["build"]?.stringValue
        else { throw .corrupt("Line 1 of the log", "it does not say what the file is", backend: "jsonlines") }
        try StoreFormat.check(Int(format))
        self.time = time
        self.build = build
    }

    func line() throws(StoreError) -> String {
        let record: JSONObject = [
            "format": .integer(Int64(StoreFormat.version)), "made_at": .string("\(time)"), "build": .string(build),
        ]
        do {
            return try record.losslessText()
        } catch {
            throw StoreError(.internalFailure, "The first line cannot be written as JSON: \(error)", cause: error)
        }
    }
}
