/// What is known of a session while its messages are walked over.
struct SessionWalkState {
    private let id: ULID
    private let pageMessages: Int
    private var revision: Timestamp
    private var checksum: SessionChecksum
    private var seen = 0

    /// The session as it was last seen.
    private(set) var session: Session?
    /// The sequence of the last message that was found.
    private(set) var sequence = 0
    /// The sequence after which to read on. It is ahead of ``sequence`` in a gap.
    private(set) var position = 0
    /// Messages to ask for: a page of them. It grows in a gap beyond that, so that a damaged count ends the walk, and
    /// shrinks around damage.
    private(set) var window: Int
    private(set) var isAtEnd = false
    private(set) var hasUndecodable = false
    private(set) var ids = DuplicateIDDetector()
    /// Messages with an id that was met before, and the sequence that it was met at.
    var repeated: [(message: SessionMessage, other: Int)] = []
    /// What the session counts where a page has shown that its last messages are missing.
    private var missingUpTo: Int?
    /// What the session counts where a page has shown more messages.
    private var countedTo: Int?
    /// Whether the session was changed while it was read.
    var hasChanged = false
    var checks = WalkedChecks()

    init(of session: Session, pageMessages: Int) {
        id = session.id
        self.pageMessages = pageMessages
        window = pageMessages
        revision = session.revision
        checksum = SessionChecksum(of: session.id)
        checks.sessions.examined = 1
    }

    /// Notes whether the session has changed since it was last seen.
    mutating func note(_ session: Session) {
        if session.revision != revision { hasChanged = true }
        revision = session.revision
    }

    private mutating func see(_ session: Session) {
        note(session)
        self.session = session
    }

    /// The messages whose ids are to be checked, which are then forgotten.
    mutating func takeRepeated() -> [(message: SessionMessage, other: Int)] {
        defer { repeated = [] }
        return repeated
    }

    /// Adds the next page.
    mutating func take(_ page: MessagePage) {
        see(page.session)
        // Beyond the last message that the session counts, a store may answer with the one that it does not count,
        // wherever the page begins.
        let isBeyond = position >= page.session.messageCount
        let messages = page.messages.filter { !isBeyond || $0.sequence > position }
        for message in messages { take(message) }
        checkCount(page.session, endsEmpty: messages.isEmpty)
        if messages.isEmpty {
            // At the end, or in a gap.
            let (next, overflow) = position.addingReportingOverflow(window)
            isAtEnd = overflow || next >= page.session.messageCount
            position = overflow ? position : next
            window = window > .max / 2 ? .max : window * 2
        } else {
            position = sequence
            window = min(pageMessages, window > .max / 2 ? .max : window * 2)
        }
    }

    /// Compares the count of a page's session with the messages of that page. Of a session that is rewound meanwhile,
    /// other pages say nothing about it.
    private mutating func checkCount(_ session: Session, endsEmpty: Bool) {
        if !endsEmpty {
            missingUpTo = nil
            if sequence > session.messageCount { countedTo = session.messageCount }
        } else if position < session.messageCount {
            missingUpTo = session.messageCount
        }
    }

    /// Makes the next page smaller.
    ///
    /// - Returns: Whether it can be.
    mutating func narrow() -> Bool {
        guard window > 1 else { return false }
        window /= 2
        return true
    }

    private mutating func take(_ message: SessionMessage) {
        let expected = sequence + 1
        if message.sequence > expected {
            recordGap(upTo: message.sequence)
        } else if message.sequence < expected || message.sessionID != id {
            checks.sequences.record(
                VerificationProblem(
                    .gap, "A message has the position of another.", sessionID: id, messageID: message.id,
                    sequence: expected, expected: "\(expected)", actual: "\(message.sequence)"))
        }
        seen += 1
        checks.messages.examined += 1
        sequence = max(expected, message.sequence)
        if let other = ids.add(message.id, at: sequence) { repeated.append((message, other)) }
        checkLimits(message)
        addToChecksum(message)
    }

    mutating func recordDuplicate(_ message: SessionMessage) {
        checks.ids.record(
            VerificationProblem(
                .duplicateID, "Another message of the session has the same id.", sessionID: id, messageID: message.id,
                sequence: message.sequence))
    }

    /// Passes over a message that cannot be read.
    mutating func skipUndecodable(_ error: StoreError, in session: Session) {
        see(session)
        position += 1
        if position > sequence + 1 { recordGap(upTo: position) }
        sequence = position
        seen += 1
        hasUndecodable = true
        checks.messages.examined += 1
        checks.messages.record(
            VerificationProblem(.undecodable, error.message, sessionID: id, sequence: sequence))
    }

    private mutating func recordGap(upTo found: Int) {
        let expected = sequence + 1
        checks.sequences.record(
            VerificationProblem(
                .gap, "\(found - expected) missing from sequence \(expected) on.", sessionID: id, sequence: expected,
                expected: "\(expected)", actual: "\(found)"))
    }

    /// Checks what only the whole session shows.
    mutating func finish() {
        checks.sequences.examined = 1
        checks.ids.examined = seen
        if let count = countedTo ?? missingUpTo {
            checks.sequences.record(
                VerificationProblem(
                    .messageCount, "message_count is \(count), but the last message has sequence \(sequence).",
                    sessionID: id, expected: "\(sequence)", actual: "\(count)"))
        }
        guard let session else { return }
        checkLimits(session)
        guard !hasUndecodable else { return }
        do throws(StoreError) {
            _ = try checksum.finish(session)
            checks.checksums.examined = 1
        } catch {
            checks.checksums.record(VerificationProblem(.undecodable, error.message, sessionID: id))
        }
    }

    // MARK: Values

    private mutating func addToChecksum(_ message: SessionMessage) {
        do throws(StoreError) {
            try checksum.add(message)
        } catch {
            hasUndecodable = true
            checks.checksums.record(
                VerificationProblem(
                    .undecodable, error.message, sessionID: id, messageID: message.id, sequence: message.sequence))
        }
    }

    private mutating func checkLimits(_ message: SessionMessage) {
        do throws(StoreError) {
            try StoreLimits.standard.check(content: message.content)
            try StoreLimits.standard.check(toolCallID: message.toolCallID)
            _ = try StoreLimits.standard.check(metadata: message.metadata)
        } catch {
            checks.messages.record(
                VerificationProblem(
                    .outsideLimits, error.message, sessionID: id, messageID: message.id, sequence: message.sequence))
        }
    }

    private mutating func checkLimits(_ session: Session) {
        do throws(StoreError) {
            try StoreLimits.standard.check(actorName: session.actorName)
            _ = try StoreLimits.standard.check(metadata: session.metadata)
        } catch {
            checks.sessions.record(VerificationProblem(.outsideLimits, error.message, sessionID: id))
        }
        if session.updatedAt < session.createdAt {
            checks.sessions.record(
                VerificationProblem(
                    .outsideLimits, "updated_at is before created_at.", sessionID: id,
                    expected: "\(session.createdAt) or later", actual: "\(session.updatedAt)"))
        }
    }
}
