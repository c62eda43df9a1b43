/// Checks one session with all its messages, page by page.
///
/// A page is of one moment, so what is wrong within it is wrong. Between two pages the session may change: where it did
/// and something looks wrong, the session is read again.
struct SessionWalk {
    private static let attempts = 4
    private static let pageBytes = 1 << 20
    private static let pageMessages = 200

    private let listed: Session
    private let store: RetriedStore

    private var pageMessages: Int { store.limits.page(Self.pageMessages) }

    /// - Parameter session: The session as the list shows it.
    init(of session: Session, in store: RetriedStore) {
        listed = session
        self.store = store
    }

    /// What the checks of this session come to. Of a session that is deleted meanwhile, nothing.
    func run() async throws(StoreError) -> WalkedChecks {
        var (checks, hasChanged) = try await read()
        var attempt = 1
        while checks.hasProblems, hasChanged, attempt < Self.attempts {
            (checks, hasChanged) = try await read()
            attempt += 1
        }
        return checks
    }

    private func read() async throws(StoreError) -> (WalkedChecks, hasChanged: Bool) {
        var state = SessionWalkState(of: listed, pageMessages: pageMessages)
        do throws(StoreError) {
            while !state.isAtEnd {
                guard let page = try await page(after: &state) else { return (try await absent(), true) }
                state.take(page)
            }
            try await checkLists(&state)
            try await checkIDs(&state)
        } catch {
            // The session's own row, without which no message can be read.
            guard error.code == .corrupt else { throw error }
            state.checks.sessions.record(
                VerificationProblem(.undecodable, error.message, sessionID: listed.id))
        }
        state.finish()
        return (state.checks, state.hasChanged)
    }

    /// The next page. Where a message in it cannot be read, the page is made smaller until it is that message alone,
    /// which is noted and left out.
    private func page(after state: inout SessionWalkState) async throws(StoreError) -> MessagePage? {
        while true {
            let failure: StoreError
            do throws(StoreError) {
                return try await store.page(request(.after(state.position), limit: state.window))
            } catch {
                guard error.code == .corrupt else { throw error }
                failure = error
            }
            guard !state.narrow() else { continue }
            guard let session = try await store.get(listed.id) else { return nil }
            guard state.position < session.messageCount else { throw failure }
            state.skipUndecodable(failure, in: session)
        }
    }

    private func request(_ range: MessageRange, limit: Int) -> MessageRequest {
        MessageRequest(sessionID: listed.id, range: range, limit: limit, byteLimit: Self.pageBytes)
    }

    /// The list shows a session that cannot be found: it was deleted, or the list is wrong.
    private func absent() async throws(StoreError) -> WalkedChecks {
        var checks = WalkedChecks()
        guard try await store.list(listedAgain(SessionFilter())).first?.id == listed.id else { return checks }
        checks.lists.examined += 1
        checks.lists.record(
            VerificationProblem(
                .danglingIndexEntry, "The list shows the session, but it is not found by its id.",
                sessionID: listed.id))
        return checks
    }

    private func checkLists(_ state: inout SessionWalkState) async throws(StoreError) {
        guard let session = state.session else { return }
        state.checks.lists.examined += 1
        let found = try await store.list(listedAgain(SessionFilter(actorName: session.actorName))).first
        guard found?.id != session.id, let now = try await store.get(session.id) else { return }
        state.hasChanged = state.hasChanged || now.revision != session.revision
        state.checks.lists.record(
            VerificationProblem(
                .missingIndexEntry, "The session is not in the list of its actor.", sessionID: session.id))
    }

    /// A list that begins right before the session.
    private func listedAgain(_ filter: SessionFilter) -> SessionListRequest {
        let (low, carry) = listed.id.low.addingReportingOverflow(1)
        let (high, isLast) = listed.id.high.addingReportingOverflow(carry ? 1 : 0)
        var filter = filter
        filter.createdFrom = listed.createdAt
        guard !isLast else {
            filter.createdBefore = try? listed.createdAt.next()
            return SessionListRequest(filter: filter, limit: 1)
        }
        let before = SessionPosition(createdAt: listed.createdAt, id: ULID(high: high, low: low))
        return SessionListRequest(filter: filter, after: before, limit: 1)
    }

    /// Reads the messages again as often as it takes to know that no id comes twice.
    private func checkIDs(_ state: inout SessionWalkState) async throws(StoreError) {
        guard !state.hasUndecodable, state.checks.ids.problemCount == 0 else { return }
        var reading = state.ids.rereading
        while var round = reading {
            var sequence = 0
            while let page = try await store.page(request(.after(sequence), limit: pageMessages)),
                let last = page.messages.last
            {
                state.see(page.session)
                for message in page.messages where round.add(message.id, at: message.sequence) {
                    state.recordDuplicate(message)
                }
                sequence = last.sequence
            }
            reading = round.next
        }
    }
}

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
    private(set) var ids = RepeatedIDs()
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

    /// Takes the session of a page.
    mutating func see(_ session: Session) {
        if session.revision != revision { hasChanged = true }
        revision = session.revision
        self.session = session
    }

    /// Takes the page that follows.
    mutating func take(_ page: MessagePage) {
        see(page.session)
        // Beyond the last message that the session counts, a store may answer with the one that it does not count,
        // wherever the page begins.
        let isBeyond = position >= page.session.messageCount
        let messages = page.messages.filter { !isBeyond || $0.sequence > position }
        for message in messages { take(message) }
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
                    .gap, "A message stands where another belongs.", sessionID: id, messageID: message.id,
                    sequence: expected, expected: "\(expected)", actual: "\(message.sequence)"))
        }
        seen += 1
        checks.messages.examined += 1
        sequence = max(expected, message.sequence)
        if ids.add(message.id, at: sequence) { recordDuplicate(message) }
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
        guard let session else { return }
        if session.messageCount != sequence {
            checks.sequences.record(
                VerificationProblem(
                    .messageCount,
                    "message_count is \(session.messageCount), but the last message has sequence \(sequence).",
                    sessionID: id, expected: "\(sequence)", actual: "\(session.messageCount)"))
        }
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
