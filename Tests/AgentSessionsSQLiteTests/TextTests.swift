#if SQLite
import AgentSessions
import AgentSessionsSQLite
import Testing

@Suite("Text and numbers in SQLite")
struct TextTests {
    @Test(
        "Any text survives SQLite byte for byte as content, tool call id, actor and metadata",
        arguments: [
            "", "\u{0}", "a\u{0}b\u{0}", "\u{0}\u{0}\u{0}", "e\u{301}", "é", "\u{301}",
            "\u{202E}\u{2066}unpaired\u{2069}\u{2069}",
            "\u{FFFE}\u{FFFF}\u{FEFF}", "\u{10FFFF}\u{1FFFE}", "👩‍👩‍👧‍👦\u{FE0F}", "'; DROP TABLE sessions; --",
            "\r\n\u{85}\u{2028}",
            "{}", "NULL", "123", "1e3", "x'00'",
        ])
    func everyField(text: String) async throws {
        try await withStore { service, folder in
            let metadata: JSONObject = ["text": .string(text), text: .integer(1)]
            let actor =
                "a"
                + String(
                    String.UnicodeScalarView(text.unicodeScalars.filter { $0.properties.generalCategory != .control }))
            let session = try await service.create(actorName: actor, metadata: metadata)
            let new = NewMessage(.tool, text, toolCallID: text, metadata: metadata)
            let sent = try await service.appendMessage(new, to: session.id)
            await service.store.close()

            let reopened = PersistentSessionService(try await folder.open())
            let page = try await reopened.lastMessages(1, in: session.id)
            let message = try #require(page.messages.first)
            #expect(message == sent)
            #expect(Array(message.content.utf8) == Array(text.utf8))
            #expect(Array((message.toolCallID ?? "nil").utf8) == Array(text.utf8))
            #expect(message.metadata == metadata)
            #expect(Array(page.session.actorName.utf8) == Array(actor.utf8))
            #expect(page.session.metadata == metadata)
            let listed = try await reopened.list(SessionFilter(actorName: actor))
            #expect(listed.sessions.map(\.id) == [session.id])
            await reopened.store.close()
        }
    }

    @Test("Five megabytes of text survive SQLite")
    func longText() async throws {
        try await withStore { service, _ in
            let session = try await service.create(actorName: "a")
            let text = String(repeating: "0123456789abcdé\u{0}", count: 5 << 16)
            _ = try await service.appendMessage(NewMessage(.user, text), to: session.id)
            _ = try await service.appendMessage(NewMessage(.user, "after"), to: session.id)
            let messages = try await service.everyMessage(of: session.id)
            #expect(messages.map(\.content.utf8.count) == [text.utf8.count, 5])
            #expect(Array(messages[0].content.utf8) == Array(text.utf8))
        }
    }

    @Test("Numbers in SQLite keep 64 bits and their kind")
    func numbers() async throws {
        try await withStore { service, _ in
            let metadata: JSONObject = [
                "least": .integer(.min), "most": .integer(.max), "double": .double(1),
                "tiny": .double(.leastNonzeroMagnitude),
                "huge": .double(1.797_693_134_862_315_7e308), "zero": .double(-0.0), "pi": .double(3.141592653589793),
            ]
            let session = try await service.create(actorName: "a", metadata: metadata)
            let sent = try await service.appendMessage(
                NewMessage(.assistant, "", metadata: metadata), to: session.id)
            #expect(try await service.get(session.id).metadata == metadata)
            #expect(try await service.everyMessage(of: session.id) == [sent])
            #expect(sent.metadata == metadata)
        }
    }

    @Test("Ids, roles and content are readable in the sqlite3 shell")
    func shell() async throws {
        try await withStore { service, folder in
            let session = try await service.create(actorName: "local/me")
            let message = try await service.appendMessage(NewMessage(.user, "Grüße"), to: session.id)
            let row = try folder.raw().rows("SELECT id, session_id, sequence, role, content FROM session_messages")
            #expect(row == [["\(message.id)", "\(session.id)", "1", "user", "Grüße"]])
        }
    }
}
#endif
