public import AgentSessions

/// What a helper process does with the store. Each answers in lines on standard output.
public enum HelperTask: Sendable, Hashable, LosslessStringConvertible {
    /// `found COUNT INPUT_TOKENS REVISION`, or `absent`.
    case read(ULID)
    /// Creates a session of that id: `created`, or the code of the error.
    case create(ULID)
    /// Appends so many messages, one a call: `SEQUENCE ID` after each was acknowledged. The content of each is its id.
    case append(ULID, count: Int)
    /// Appends batches of three until it is killed: as `append`, a line a message.
    case appendUntilKilled(ULID)
    /// Creates a session of that id, and goes on as `appendUntilKilled`.
    case createAndAppendUntilKilled(ULID)
    /// Replaces the session by later states of several hundred messages until it is killed: the revision of each after it
    /// was acknowledged. The content of each message is the revision that it came with.
    case replaceUntilKilled(ULID)
    /// Adds one input token in each of so many calls: `added` for each.
    case addUsage(ULID, count: Int)
    /// Appends so many messages, each after the sequence that it read: as `append`.
    case compareAndAppend(ULID, count: Int)
    /// Opens the store, says `open`, and waits.
    case hold

    /// The words of the task.
    public var description: String {
        switch self {
        case .read(let id): "read \(id)"
        case .create(let id): "create \(id)"
        case .append(let id, let count): "append \(id) \(count)"
        case .appendUntilKilled(let id): "append-until-killed \(id)"
        case .createAndAppendUntilKilled(let id): "create-and-append-until-killed \(id)"
        case .replaceUntilKilled(let id): "replace-until-killed \(id)"
        case .addUsage(let id, let count): "add-usage \(id) \(count)"
        case .compareAndAppend(let id, let count): "compare-and-append \(id) \(count)"
        case .hold: "hold"
        }
    }

    /// The task that these words say.
    public init?(_ text: String) {
        let words = text.split(separator: " ").map(String.init)
        let id = words.count > 1 ? ULID(words[1]) : nil
        let count = words.count > 2 ? Int(words[2]) : nil
        switch (words.first, id, count) {
        case ("read", let id?, nil): self = .read(id)
        case ("create", let id?, nil): self = .create(id)
        case ("append", let id?, let count?): self = .append(id, count: count)
        case ("append-until-killed", let id?, nil): self = .appendUntilKilled(id)
        case ("create-and-append-until-killed", let id?, nil): self = .createAndAppendUntilKilled(id)
        case ("replace-until-killed", let id?, nil): self = .replaceUntilKilled(id)
        case ("add-usage", let id?, let count?): self = .addUsage(id, count: count)
        case ("compare-and-append", let id?, let count?): self = .compareAndAppend(id, count: count)
        case ("hold", nil, nil): self = .hold
        default: return nil
        }
    }
}

extension HelperTask {
    /// Does the task.
    ///
    /// - Parameters:
    ///   - store: The store.
    ///   - answer: Writes a line, and returns after it is on its way.
    public func run(on store: any SessionStore, answer: @Sendable (String) -> Void) async throws(StoreError) {
        let generator = ULIDGenerator()
        func message() throws(StoreError) -> PendingMessage {
            let id = try generator.next()
            return PendingMessage(id: id, role: .user, content: "\(id)")
        }
        func append(_ count: Int, to id: ULID, expectedSequence: Int? = nil) async throws(StoreError) {
            var messages: [PendingMessage] = []
            for _ in 0..<count { messages.append(try message()) }
            let stored = try await store.append(
                AppendRequest(
                    sessionID: id, messages: messages, expectedSequence: expectedSequence, time: .now())
            ).messages
            for message in stored { answer("\(message.sequence) \(message.id)") }
        }
        switch self {
        case .read(let id):
            if let found = try await store.get(id) {
                answer("found \(found.messageCount) \(found.usage.inputTokens) \(found.revision)")
            } else {
                answer("absent")
            }
        case .create(let id):
            do throws(StoreError) {
                _ = try await store.create(NewSession(id: id, actorName: "helper", createdAt: .now()))
                answer("created")
            } catch {
                answer("\(error.code)")
            }
        case .append(let id, let count):
            for _ in 0..<count { try await append(1, to: id) }
        case .appendUntilKilled(let id):
            while true { try await append(3, to: id) }
        case .createAndAppendUntilKilled(let id):
            _ = try await store.create(NewSession(id: id, actorName: "helper", createdAt: .now()))
            while true { try await append(3, to: id) }
        case .replaceUntilKilled(let id):
            while true {
                // Read each time: what a process committed before it was killed may appear with the next change only.
                guard var session = try await store.get(id) else { throw .sessionNotFound(id) }
                let expected = session.revision
                session.messageCount = session.messageCount == 600 ? 300 : 600
                session.updatedAt = try session.nextRevision(at: .now())
                var messages: [SessionMessage] = []
                for sequence in 1...session.messageCount {
                    messages.append(
                        SessionMessage(
                            id: try generator.next(), sessionID: id, sequence: sequence, role: .user,
                            content: "\(session.revision)", createdAt: session.revision))
                }
                do throws(StoreError) {
                    try await store.replace(session, messages: ListedMessages(messages), expectedRevision: expected)
                    answer("\(session.revision)")
                } catch {
                    guard error.code == .conflict else { throw error }
                }
            }
        case .addUsage(let id, let count):
            for _ in 0..<count {
                _ = try await store.update(id, SessionChange(usage: TokenUsage(inputTokens: 1), time: .now()))
                answer("added")
            }
        case .compareAndAppend(let id, let count):
            var done = 0
            while done < count {
                guard let session = try await store.get(id) else { throw .sessionNotFound(id) }
                do throws(StoreError) {
                    try await append(1, to: id, expectedSequence: session.messageCount)
                    done += 1
                } catch {
                    guard error.code == .conflict else { throw error }
                }
            }
        case .hold:
            answer("open")
            while !Task.isCancelled { try? await Task.sleep(for: .seconds(1)) }
        }
    }
}
