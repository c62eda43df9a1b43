import AgentSessionsMemory
import Testing

@testable import AgentSessions

/// A moment in 2026, so many microseconds in.
func time(_ microseconds: Int64 = 0) -> Timestamp {
    Timestamp(microseconds: 1_780_000_000_000_000 + microseconds) ?? .earliest
}

/// An identifier that counts up.
func ulid(_ number: UInt64) -> ULID { ULID(high: 0x0190_0000_0000_0000, low: number) }

/// A session with so many messages.
func makeSession(_ count: Int = 0, usage: TokenUsage = .zero, updatedAt: Timestamp = time()) -> Session {
    Session(
        id: ulid(1), actorName: "local/tester", messageCount: count, usage: usage, createdAt: time(),
        updatedAt: updatedAt)
}

/// Message number `sequence` of a session.
func makeMessage(_ sequence: Int, of session: ULID = ulid(1), content: String? = nil) -> SessionMessage {
    SessionMessage(
        id: ulid(100 + UInt64(sequence)), sessionID: session, sequence: sequence, role: .user,
        content: content ?? "message \(sequence)", createdAt: time(Int64(sequence)))
}

/// Messages that are in memory, as a source to restore from.
struct ArraySource: MessageSource {
    var messages: [SessionMessage]
    /// Thrown after the last message.
    var failure: StoreError?

    struct Reader: MessageReader {
        var rest: ArraySlice<SessionMessage>
        var failure: StoreError?

        mutating func next() throws(StoreError) -> SessionMessage? {
            if let message = rest.popFirst() { return message }
            if let failure { throw failure }
            return nil
        }
    }

    func makeReader() throws(StoreError) -> any MessageReader {
        Reader(rest: messages[...], failure: failure)
    }
}

/// The error that `body` throws; the test fails if it throws none.
func storeError<Success>(
    sourceLocation: SourceLocation = #_sourceLocation, _ body: () async throws(StoreError) -> Success
) async throws -> StoreError {
    do throws(StoreError) {
        _ = try await body()
    } catch {
        return error
    }
    return try #require(nil as StoreError?, "no error was thrown", sourceLocation: sourceLocation)
}

/// The error that `body` throws; the test fails if it throws none.
func syncError<Success>(
    sourceLocation: SourceLocation = #_sourceLocation, _ body: () throws(StoreError) -> Success
) throws -> StoreError {
    do throws(StoreError) {
        _ = try body()
    } catch {
        return error
    }
    return try #require(nil as StoreError?, "no error was thrown", sourceLocation: sourceLocation)
}

/// Collects the messages of a stream.
func collect(_ stream: MessageStream) async throws -> [SessionMessage] {
    var messages: [SessionMessage] = []
    for try await message in stream { messages.append(message) }
    return messages
}
