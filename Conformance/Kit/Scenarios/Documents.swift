import AgentSessions
import AgentSessionsMemory

extension Scenario {
    static let documents: [Scenario] = [
        Scenario(
            "document.keys", .document, "3.9",
            "An export has schema_version, writer, exported_at, session, messages and "
                + "checksum.", layers: [.service]
        ) { test in
            let session = try await test.session(messages: 3)
            let document = try await test.document(session.id)
            test.expect(
                Set(document.keys),
                equals: ["schema_version", "writer", "exported_at", "session", "messages", "checksum"], "the keys")
            test.expect(document["messages"]?.arrayValue?.count, equals: 3, "messages")
            test.expect(
                document["session"]?["message_count"]?.integerValue, equals: 3, "the count in the document")
        },
        Scenario(
            "document.same-bytes", .document, "3.9",
            "A session has the same document, checksum included, from every backend.",
            layers: [.service]
        ) { test in
            let known = try knownSession()
            try await test.store.restore(known.session, messages: ListedMessages(known.messages))
            let document = try await test.document(known.session.id)
            let expected = try parsed(
                await exported(known.session.id, from: PersistentSessionService(SnapshotStore(snapshot: known))))
            for key in expected.keys where key != "exported_at" {
                test.expect(document[key], equals: expected[key], "the value of \(key)")
            }
        },
        Scenario(
            "document.export-twice", .document, "3.9",
            "Two exports of an unchanged session differ in the time of export alone.", layers: [.service]
        ) { test in
            let session = try await test.session(messages: 30)
            let first = try await test.document(session.id)
            let second = try await test.document(session.id)
            for key in first.keys where key != "exported_at" {
                test.expect(second[key], equals: first[key], "the value of \(key)")
            }
        },
        Scenario(
            "document.round-trip", .document, "3.10",
            "An import stores the session and its messages with the same content under fresh ids.", layers: [.service]
        ) { test in
            let session = try await test.access.create("local/agent", metadata: ["k": [1, 1.0, nil, "\u{0}"]])
            _ = try await test.access.append(
                [
                    NewMessage(.system, "s\u{0}"),
                    NewMessage(.tool, "", toolCallID: "c", metadata: ["n": .double(-0.0)]),
                    NewMessage(.user, "e\u{301} 👩‍👩‍👧"),
                ], to: session.id, usage: TokenUsage(inputTokens: .max, outputTokens: 2, estimatedCost: 3))
            let before = try test.require(await test.access.snapshot(of: session.id), "the session is absent")
            let id = try await test.service.importSession(.bytes(exported(session.id, from: test.service)))
            let after = try test.require(await test.access.snapshot(of: id), "the imported session is absent")
            test.expect(id != session.id, "the import must have an id of its own")
            var expected = before.session
            expected.updatedAt = after.session.updatedAt
            test.expect(
                after.session,
                equals: Session(
                    id: id, actorName: expected.actorName, messageCount: 3, usage: expected.usage,
                    metadata: expected.metadata, createdAt: after.session.createdAt,
                    updatedAt: after.session.updatedAt), "the session")
            test.expect(
                after.messages.map(test.access.payload), equals: before.messages.map(test.access.payload),
                "the payloads")
            test.expect(after.messages.map(\.sequence), equals: [1, 2, 3], "the sequences")
            test.expect(
                Set(after.messages.map(\.id)).isDisjoint(with: before.messages.map(\.id)),
                "the messages must have fresh ids")
            test.expect(try await test.access.snapshot(of: session.id), equals: before, "the exported session")
        },
        Scenario(
            "document.import-twice", .document, "3.10", "A document that is imported twice makes two sessions.",
            layers: [.service]
        ) { test in
            let session = try await test.session(messages: 2)
            let bytes = try await exported(session.id, from: test.service)
            let first = try await test.service.importSession(.bytes(bytes))
            let second = try await test.service.importSession(.bytes(bytes))
            test.expect(Set([session.id, first, second]).count, equals: 3, "different ids")
            test.expect(try await test.access.list().count, equals: 3, "sessions in the list")
        },
        Scenario(
            "document.goes-on", .document, "3.10", "An imported session goes on: appends, replays, rewinds, lists.",
            layers: [.service]
        ) { test in
            let session = try await test.session("exported", messages: 4)
            let id = try await test.service.importSession(.bytes(exported(session.id, from: test.service)))
            let stored = try await test.access.append([turn(5)], to: id, expectedSequence: 4)
            test.expect(stored.map(\.sequence), equals: [5], "the next sequence")
            let all = try await test.access.messages(id)
            test.expect(try await test.access.append(again(all.at(1)), to: id), equals: try all.at(1), "the replay")
            _ = try await test.access.rewind(id, to: 3)
            test.expect(try await test.access.messages(id), are: all.prefix(3), "the messages after a rewind")
            test.expect(
                Set(try await test.access.list(SessionFilter(actorName: "exported")).map(\.id)),
                equals: [session.id, id], "the actor's list")
        },
        Scenario(
            "document.long", .document, "3.11", "A session of thousands of messages is exported and imported whole.",
            level: .full, layers: [.service], timeLimit: .seconds(40)
        ) { test in
            let session = try await test.access.create()
            for start in stride(from: 1, through: 2401, by: 800) {
                _ = try await test.access.append((start..<(start + 800)).map(turn), to: session.id)
            }
            let id = try await test.service.importSession(.bytes(exported(session.id, from: test.service)))
            let found = try test.require(await test.access.snapshot(of: id), "the imported session is absent")
            test.expect(found.messages.map(\.content), equals: (1...3200).map { "m\($0)" }, "the contents")
            test.expect(found.messages.map(\.sequence), equals: Array(1...3200), "the sequences")
        },
        Scenario(
            "document.one-moment", .document, "3.12",
            "An export taken while others append shows a session and messages that belong together.",
            layers: [.service], timeLimit: .seconds(30)
        ) { test in
            let session = try await test.session(messages: 450)
            let access = test.access
            let service = test.service
            _ = try await atOnce(2) { index in
                for round in 0..<12 {
                    if index == 0 {
                        _ = try await access.append([turn(round), turn(round)], to: session.id)
                        continue
                    }
                    let text = String(decoding: try await exported(session.id, from: service), as: UTF8.self)
                    let document = try JSONObject(parsing: text, limits: JSONLimits(maximumBytes: .max))
                    let messages = document["messages"]?.arrayValue ?? []
                    test.expect(
                        document["session"]?["message_count"]?.integerValue, equals: Int64(messages.count),
                        "the count beside the messages")
                    test.expect(
                        messages.map { $0["sequence"]?.integerValue },
                        equals: (1...max(1, messages.count)).map(Int64.init),
                        "the sequences")
                    test.expect(
                        messages.last?["created_at"], equals: document["session"]?["updated_at"],
                        "the last message's time beside the revision")
                }
            }
        },
        Scenario(
            "document.absent", .document, "3.9", "The export of an absent session throws notFound.", layers: [.service]
        ) { test in
            let id = test.newID()
            await test.expect(.notFound, "an absent session") { () throws(StoreError) in
                try await exported(id, from: test.service)
            }
        },
        Scenario(
            "document.empty-session", .document, "3.10", "A session without messages is exported and imported.",
            layers: [.service]
        ) { test in
            let session = try await test.access.create("empty", metadata: ["k": 1])
            let id = try await test.service.importSession(.bytes(exported(session.id, from: test.service)))
            let found = try test.require(await test.access.snapshot(of: id), "the imported session is absent")
            test.expect(found.messages, equals: [], "the messages")
            test.expect(found.session.metadata, equals: ["k": 1], "the metadata")
        },
        refused("checksum", .checksumMismatch, "another content") { $0.replacing("\"m2\"", with: "\"mX\"") },
        refused("checksum-text", .checksumMismatch, "another checksum") { text in
            guard let range = text.range(after: "\"checksum\":\"") else { return text }
            var changed = text
            changed.replaceSubrange(range, with: text[range] == "0" ? "1" : "0")
            return changed
        },
        refused("schema", .unsupportedSchemaVersion, "a later schema") {
            $0.replacing("\"schema_version\":1", with: "\"schema_version\":999")
        },
        refused("torn", .invalidArgument, "an end that is missing") { String($0.dropLast(30)) },
        refused("no-json", .invalidArgument, "no JSON") { _ in "not a document" },
        refused("empty", .invalidArgument, "nothing") { _ in "" },
        Scenario(
            "document.chat-round-trip", .document, "5",
            "A chat document that came in goes out again with the same messages.", layers: [.service]
        ) { test in
            let line =
                #"{"actor_name":"local/chat","messages":[{"role":"system","content":"s"},"#
                + #"{"role":"assistant","content":null,"tool_calls":[{"id":"c1","type":"function"}]},"#
                + #"{"role":"tool","tool_call_id":"c1","content":"r"}],"metadata":{"k":1}}"#
            let result = try await test.service.importSessions(
                .bytes(Array(line.utf8)), format: .openai, options: ImportOptions())
            let id = try test.require(result.ids.first, "no id of the import")
            test.expect(try await test.access.messages(id).map(\.content), equals: ["s", "", "r"], "the contents")
            let text = String(decoding: try await exported(id, from: test.service, format: .openai), as: UTF8.self)
            let sent = try JSONObject(parsing: line)
            let back = try JSONObject(parsing: text)
            test.expect(back["messages"], equals: sent["messages"], "the messages")
            test.expect(back["actor_name"], equals: sent["actor_name"], "the actor")
            test.expect(back["metadata"], equals: sent["metadata"], "the metadata")
        },
    ]

    private static func refused(
        _ name: String, _ code: StoreError.Code, _ what: String,
        _ change: @escaping @Sendable (String) -> String
    ) -> Scenario {
        Scenario(
            "document.refused-\(name)", .document, "3.10",
            "A document with \(what) is refused with \(code), and nothing is written.", layers: [.service]
        ) { test in
            let session = try await test.session(messages: 3)
            let text = String(decoding: try await exported(session.id, from: test.service), as: UTF8.self)
            let changed = change(text)
            try test.require(changed != text, "the document could not be changed")
            await test.expect(code, "the import") { () throws(StoreError) in
                try await test.service.importSession(.bytes(Array(changed.utf8)))
            }
            test.expect(try await test.access.list(), equals: [session], "the list")
        }
    }
}

extension ScenarioContext {
    /// A session's export, parsed.
    fileprivate func document(_ id: ULID) async throws -> JSONObject {
        try await parsed(exported(id, from: service))
    }
}

extension StoreAccess {
    /// What a sender chose of a message, save for its id.
    fileprivate func payload(_ message: SessionMessage) -> [JSONValue] {
        [
            .string(message.role.name), .string(message.content), message.toolCallID.map(JSONValue.string) ?? .null,
            .object(message.metadata),
        ]
    }
}

extension String {
    /// `self` with the first `old` replaced.
    fileprivate func replacing(_ old: String, with new: String) -> String {
        guard let range = firstRange(of: old) else { return self }
        var changed = self
        changed.replaceSubrange(range, with: new)
        return changed
    }

    /// The character that stands after `text`.
    fileprivate func range(after text: String) -> Range<Index>? {
        guard let found = firstRange(of: text), found.upperBound < endIndex else { return nil }
        return found.upperBound..<index(after: found.upperBound)
    }
}

private func parsed(_ document: [UInt8]) throws -> JSONObject {
    try JSONObject(parsing: String(decoding: document, as: UTF8.self), limits: JSONLimits(maximumBytes: .max))
}

/// A session whose document is known.
private func knownSession() throws -> SessionSnapshot {
    let id = try ULID(parsing: "01J9ZK5C8N4V6Q2W3E7R8T9Y0A")
    let time = try Timestamp(parsing: "2026-01-02T03:04:05.000006Z")
    let later = try Timestamp(parsing: "2026-01-02T03:04:06.999999Z")
    let messages = [
        SessionMessage(
            id: try ULID(parsing: "01J9ZK5C8N4V6Q2W3E7R8T9Y0B"), sessionID: id, sequence: 1, role: .user,
            content: "nul \u{0} \u{E9} e\u{301} 👩‍👩‍👧 \u{2028}", createdAt: time),
        SessionMessage(
            id: try ULID(parsing: "01J9ZK5C8N4V6Q2W3E7R8T9Y0C"), sessionID: id, sequence: 2, role: .tool, content: "",
            toolCallID: "call_1",
            metadata: ["z": .integer(.max), "a": .double(-0.0), "m": [nil, true, 1e308, "\u{1}"]], createdAt: later),
    ]
    let session = Session(
        id: id, actorName: "local/known", messageCount: 2,
        usage: TokenUsage(inputTokens: .max, outputTokens: 2, estimatedCost: 3),
        metadata: ["\u{E9}": 1, "e\u{301}": 1.0, "": [:]], createdAt: time, updatedAt: later)
    return SessionSnapshot(session: session, messages: messages)
}

/// A store of one session, which can be read and nothing else.
private struct SnapshotStore: ForwardingSessionStore {
    let snapshot: SessionSnapshot

    let base: any SessionStore = MemorySessionStore()
    let backendName = "snapshot"

    init(snapshot: SessionSnapshot) {
        self.snapshot = snapshot
    }

    func get(_ id: ULID) async throws(StoreError) -> Session? {
        id == snapshot.session.id ? snapshot.session : nil
    }

    func messages(_ request: MessageRequest) async throws(StoreError) -> MessagePage? {
        guard request.sessionID == snapshot.session.id else { return nil }
        let run = request.range.sequences(limit: request.limit, last: snapshot.messages.count)
        return MessagePage(
            session: snapshot.session, messages: snapshot.messages.filter { run.contains($0.sequence) })
    }

    func list(_ request: SessionListRequest) async throws(StoreError) -> [Session] { [snapshot.session] }

    func forwardChange<Result: Sendable>(
        _ call: @escaping @Sendable (any SessionStore) async throws(StoreError) -> Result
    ) async throws(StoreError) -> Result {
        throw StoreError(.unsupported, "A snapshot can be read and nothing else.")
    }
}
