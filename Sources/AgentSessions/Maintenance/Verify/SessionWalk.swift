/// Checks one session with all its messages, page by page.
///
/// The session may be written to meanwhile, so a problem is reported only if it existed at one moment. A page is read
/// with its session at one moment. What two reads show together is reported if a third proves that nothing changed
/// between them.
struct SessionWalk {
    private static let attempts = 4
    /// Looks at a list that a session is missing from, while the session is being changed.
    private static let looksAtList = 8
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

    /// The result of the checks of this session; nothing if it is deleted meanwhile.
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
                try await checkRepeated(&state)
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

    /// The next page. If a message in it cannot be read, the page is made smaller until it is that message alone, which
    /// is recorded and left out.
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

    /// The session is not found: it was deleted, or the list is wrong. A list that shows the same state of it before and
    /// after it was not found is.
    private func absent() async throws(StoreError) -> WalkedChecks {
        var checks = WalkedChecks()
        let list = listing(listed, SessionFilter())
        let before = try await store.list(list).first
        guard before?.id == listed.id, try await store.page(request(.after(0), limit: 1)) == nil,
            try await store.list(list).first == before
        else { return checks }
        checks.lists.examined += 1
        checks.lists.record(
            VerificationProblem(
                .danglingIndexEntry, "The list shows the session, but it is not found by its id.",
                sessionID: listed.id))
        return checks
    }

    private func checkLists(_ state: inout SessionWalkState) async throws(StoreError) {
        guard var session = state.session else { return }
        state.checks.lists.examined += 1
        for look in 1...Self.looksAtList {
            let list = listing(session, SessionFilter(actorName: session.actorName))
            if try await store.list(list).first?.id == session.id { return }
            guard let now = try await store.get(session.id) else { return }
            state.note(now)
            // A session that has the same revision after the look did not change before it. Of one that changes all the
            // time, the actor stays.
            let isSame = now.revision == session.revision
            let hasActor = now.actorName.isIdentical(to: session.actorName) && now.createdAt == session.createdAt
            if isSame || (hasActor && look == Self.looksAtList) {
                return state.checks.lists.record(
                    VerificationProblem(
                        .missingIndexEntry, "The session is not in the list of its actor.", sessionID: session.id))
            }
            session = now
        }
    }

    /// A list that begins right before the session.
    private func listing(_ session: Session, _ filter: SessionFilter) -> SessionListRequest {
        let (low, carry) = session.id.low.addingReportingOverflow(1)
        let (high, isLast) = session.id.high.addingReportingOverflow(carry ? 1 : 0)
        var filter = filter
        filter.createdFrom = session.createdAt
        guard !isLast else {
            filter.createdBefore = try? session.createdAt.next()
            return SessionListRequest(filter: filter, limit: 1)
        }
        let before = SessionPosition(createdAt: session.createdAt, id: ULID(high: high, low: low))
        return SessionListRequest(filter: filter, after: before, limit: 1)
    }

    // MARK: Ids

    /// Reads the messages again as often as it takes to rule out duplicate ids.
    private func checkIDs(_ state: inout SessionWalkState) async throws(StoreError) {
        guard !state.hasUndecodable, state.checks.ids.problemCount == 0 else { return }
        var reading = state.ids.rereading
        while var round = reading {
            var sequence = 0
            while let page = try await store.page(request(.after(sequence), limit: pageMessages)),
                let last = page.messages.last
            {
                // Only recorded, as the checks of the session are about the page that was its last when it was walked over.
                state.note(page.session)
                for message in page.messages {
                    guard let other = round.add(message.id, at: message.sequence) else { continue }
                    state.repeated.append((message, other))
                }
                try await checkRepeated(&state)
                sequence = last.sequence
            }
            reading = round.next
        }
    }

    /// Records which of the messages that were met with an id that another had before have it at the same time.
    private func checkRepeated(_ state: inout SessionWalkState) async throws(StoreError) {
        for (message, other) in state.takeRepeated() where try await areBoth(message, at: other) {
            state.recordDuplicate(message)
        }
    }

    /// Whether a message and the one at another sequence have the same id at one moment.
    ///
    /// A message that was rewound may be appended again with another sequence. If the earlier of the two is read before and
    /// after the later one, and has the same time both times, it was there in between.
    private func areBoth(_ message: SessionMessage, at other: Int) async throws(StoreError) -> Bool {
        let (first, second) = (min(message.sequence, other), max(message.sequence, other))
        guard let before = try await self.message(first), before.id == message.id,
            try await self.message(second)?.id == message.id, let after = try await self.message(first)
        else { return false }
        return after.id == before.id && after.createdAt == before.createdAt
    }

    private func message(_ sequence: Int) async throws(StoreError) -> SessionMessage? {
        let found = try await store.page(request(.after(sequence - 1), limit: 1))?.messages.first
        return found?.sequence == sequence ? found : nil
    }
}
