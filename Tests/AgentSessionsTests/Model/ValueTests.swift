import Foundation
import Testing

@testable import AgentSessions

@Suite("Roles, usage, sessions and messages")
struct ValueTests {
    @Test(
        "A word in the form of a role is a role",
        arguments: ["a", "user", "critic-2", "x_y", String(repeating: "a", count: 32)])
    func roles(name: String) throws {
        let role = try MessageRole(name)
        #expect(role.name == name)
        #expect("\(role)" == name)
        #expect(try JSONDecoder().decode([MessageRole].self, from: JSONEncoder().encode([role])) == [role])
    }

    @Test(
        "A word in another form is not a role",
        arguments: [
            "", "User", "2a", "-a", "_a", "a b", "a.b", "é", "a\u{301}", "a\u{0}", String(repeating: "a", count: 33),
        ])
    func badRoles(name: String) throws {
        #expect(try syncError { () throws(StoreError) in try MessageRole(name) }.code == .invalidArgument)
        #expect(throws: StoreError.self) {
            try JSONDecoder().decode([MessageRole].self, from: JSONEncoder().encode([name]))
        }
    }

    @Test("The five known roles equal their words")
    func knownRoles() throws {
        for role in [MessageRole.system, .developer, .user, .assistant, .tool] {
            #expect(try MessageRole(role.name) == role)
        }
    }

    @Test("Usage adds up to the largest integer and no further, and is never negative")
    func usage() throws {
        let most = TokenUsage(inputTokens: .max, outputTokens: .max, estimatedCost: .max)
        #expect(try TokenUsage.zero.adding(most) == most)
        #expect(try most.adding(.zero) == most)
        for one in [TokenUsage(inputTokens: 1), TokenUsage(outputTokens: 1), TokenUsage(estimatedCost: 1)] {
            let error = try syncError { () throws(StoreError) in try most.adding(one) }
            #expect(error.code == .limitExceeded)
        }
        for less in [
            TokenUsage(inputTokens: -1), TokenUsage(outputTokens: .min), TokenUsage(inputTokens: 5, estimatedCost: -1),
        ] {
            #expect(try syncError { () throws(StoreError) in try most.adding(less) }.code == .invalidArgument)
        }
    }

    @Test("Sessions and messages have the keys of their columns in JSON and survive a round trip")
    func codable() throws {
        let session = Session(
            id: ulid(1), actorName: "a\u{301}", messageCount: 2,
            usage: TokenUsage(inputTokens: .max, outputTokens: 1, estimatedCost: 2), metadata: ["n": 1],
            createdAt: time(), updatedAt: time(1))
        let message = SessionMessage(
            id: ulid(2), sessionID: ulid(1), sequence: 1, role: .tool, content: "\u{0}\u{FFFE}", toolCallID: "call",
            metadata: ["x": [true, nil]], createdAt: time(1))
        let sessionJSON = try JSONEncoder().encode(session)
        let messageJSON = try JSONEncoder().encode(message)
        #expect(try JSONDecoder().decode(Session.self, from: sessionJSON) == session)
        #expect(try JSONDecoder().decode(SessionMessage.self, from: messageJSON) == message)
        let keys = try #require(JSONSerialization.jsonObject(with: sessionJSON) as? [String: Any]).keys.sorted()
        #expect(
            keys == [
                "actor_name", "created_at", "estimated_cost", "id", "input_tokens", "message_count", "metadata",
                "output_tokens", "updated_at",
            ])
        let messageKeys = try #require(JSONSerialization.jsonObject(with: messageJSON) as? [String: Any]).keys.sorted()
        #expect(
            messageKeys == [
                "content", "created_at", "id", "metadata", "role", "sequence", "session_id", "tool_call_id",
            ])
        #expect(Set([session, session]).count == 1)
        #expect(Set([message, message]).count == 1)
    }

    @Test("Texts that only look the same are different")
    func identity() {
        let composed = makeMessage(1, content: "é")
        let decomposed = makeMessage(1, content: "e\u{301}")
        #expect(composed != decomposed)
        var session = makeSession()
        session.actorName = "é"
        var other = session
        other.actorName = "e\u{301}"
        #expect(session != other)
        #expect(!SessionFilter(actorName: "é").includes(other))
    }
}
