import AgentSessions
import AgentSessionsMemory

/// Runs a sequence of steps on a store and on the memory backend, which is the model, and compares.
struct RandomRun {
    private let tested: StoreAccess
    private let model: StoreAccess
    private let clocks: [ScenarioClock]
    private let sessions: [ULID]
    private let messages: [ULID]
    private var time: Timestamp

    /// How often the whole state is compared, besides the end.
    private static let comparisons = 10

    /// - Parameters:
    ///   - store: The store, without sessions.
    ///   - seed: The seed of ids and times. Runs on the same store have different ones.
    init(_ store: any SessionStore, layer: Layer, profile: RandomProfile, seed: UInt64, start: Timestamp) {
        var random = SeededRandom(seed: seed)
        let clocks = [ScenarioClock(start: start), ScenarioClock(start: start)]
        tested = StoreAccess(store, layer: layer, clock: clocks[0], random: random)
        model = StoreAccess(MemorySessionStore(), layer: layer, clock: clocks[1], random: random)
        self.clocks = clocks
        sessions = (0..<profile.sessions).map { _ in ULID(high: random.next() >> 1, low: random.next()) }
        messages = (0..<profile.messages).map { _ in ULID(high: random.next() >> 1, low: random.next()) }
        time = start
    }

    /// Runs the steps, and removes what they left.
    ///
    /// - Returns: The first difference, and after how many steps it showed; `nil` where there is none.
    mutating func difference(in steps: [RandomStep]) async -> (steps: Int, what: String)? {
        let found = await firstDifference(in: steps)
        for id in sessions { _ = try? await tested.store.delete(id) }
        return found
    }

    private mutating func firstDifference(in steps: [RandomStep]) async -> (steps: Int, what: String)? {
        for (index, step) in steps.enumerated() {
            time = time.advanced(by: step.tick)
            for clock in clocks { clock.set(time, step: 0) }
            // What depends on the state is taken from the model, so that both are asked the same.
            guard let call = await resolved(step.call) else { continue }
            let expected = await answer(to: call, of: model)
            let found = await answer(to: call, of: tested)
            if found != expected { return (index + 1, "expected \(expected), found \(found)") }
            if index % Self.comparisons == Self.comparisons - 1, let difference = await stateDifference() {
                return (index + 1, difference)
            }
        }
        return await stateDifference().map { (steps.count, $0) }
    }

    /// Compares everything that reads can tell.
    private func stateDifference() async -> String? {
        let calls: [ResolvedCall] =
            [.list(SessionFilter(), after: nil, offset: 0, limit: 1000)]
            + sessions.flatMap { [.get($0), .page($0, .after(0), limit: 1000)] }
        for call in calls {
            let expected = await answer(to: call, of: model)
            let found = await answer(to: call, of: tested)
            if found != expected { return "afterwards, \(call.what): expected \(expected), found \(found)" }
        }
        return nil
    }
}

// MARK: - Calls

extension RandomRun {
    /// A call with ids, times and revisions in place of numbers.
    private enum ResolvedCall {
        case create(ULID, actorName: String, metadata: JSONObject)
        case get(ULID)
        case list(SessionFilter, after: SessionPosition?, offset: Int, limit: Int)
        case update(ULID, actorName: String?, metadata: JSONObject?, expected: Timestamp?)
        case addUsage(ULID, TokenUsage)
        case delete(ULID)
        case append(ULID, [NewMessage], usage: TokenUsage?, expectedSequence: Int?)
        case page(ULID, MessageRange, limit: Int)
        case rewind(ULID, to: Int, expectedSequence: Int?, expected: Timestamp?)
        case restore(Session, [SessionMessage])

        var what: String {
            switch self {
            case .list: "the list"
            case .page(let id, _, _): "the messages of session \(id)"
            default: "a session"
            }
        }
    }

    private func resolved(_ call: RandomStep.Call) async -> ResolvedCall? {
        switch call {
        case .create(let session, let actorName, let metadata):
            return .create(sessions[session], actorName: actorName, metadata: metadata)
        case .get(let session):
            return .get(sessions[session])
        case .list(let filter, let after, let offset, let limit):
            let resolved = SessionFilter(
                actorName: filter.actorName, createdFrom: await found(filter.createdFrom)?.createdAt,
                createdBefore: await found(filter.createdBefore)?.createdAt,
                updatedFrom: await found(filter.updatedFrom)?.updatedAt,
                updatedBefore: await found(filter.updatedBefore)?.updatedAt)
            return .list(resolved, after: await found(after)?.position, offset: offset, limit: limit)
        case .update(let session, let actorName, let metadata, let expected):
            return .update(
                sessions[session], actorName: actorName, metadata: metadata,
                expected: await revision(expected, of: session))
        case .addUsage(let session, let usage):
            return .addUsage(sessions[session], usage)
        case .delete(let session):
            return .delete(sessions[session])
        case .append(let session, let batch, let usage, let expected):
            let new = batch.map {
                NewMessage(
                    $0.role, $0.content, toolCallID: $0.toolCallID, metadata: $0.metadata, id: messages[$0.id])
            }
            return .append(sessions[session], new, usage: usage, expectedSequence: expected)
        case .page(let session, let range, let limit):
            return .page(sessions[session], range, limit: limit)
        case .rewind(let session, let sequence, let expectedSequence, let expected):
            return .rewind(
                sessions[session], to: sequence, expectedSequence: expectedSequence,
                expected: await revision(expected, of: session))
        case .restore(let session, let new):
            guard let source = try? await model.snapshot(of: sessions[session]) else { return nil }
            let id = sessions[new]
            return .restore(source.session.moved(to: id), source.messages.map { $0.moved(to: id) })
        }
    }

    private func found(_ session: Int?) async -> Session? {
        guard let session else { return nil }
        return try? await model.get(sessions[session])
    }

    private func revision(_ revision: RandomStep.Revision, of session: Int) async -> Timestamp? {
        guard case .current(let off) = revision else { return nil }
        return await found(session)?.revision.advanced(by: off)
    }

    private func answer(to call: ResolvedCall, of access: StoreAccess) async -> RandomAnswer {
        do throws(StoreError) {
            switch call {
            case .create(let id, let actorName, let metadata):
                return .session(try await access.create(actorName, metadata: metadata, id: id))
            case .get(let id):
                return .session(try await access.get(id))
            case .list(let filter, let after, let offset, let limit):
                return .sessions(try await access.list(filter, after: after, offset: offset, limit: limit))
            case .update(let id, let actorName, let metadata, let expected):
                return .session(
                    try await access.update(
                        id, actorName: actorName, metadata: metadata, expectedRevision: expected))
            case .addUsage(let id, let usage):
                return .session(try await access.addUsage(usage, to: id))
            case .delete(let id):
                return .flag(try await access.delete(id))
            case .append(let id, let messages, let usage, let expected):
                return .messages(
                    try await access.append(messages, to: id, usage: usage, expectedSequence: expected))
            case .page(let id, let range, let limit):
                let page = try await access.page(id, range, limit: limit)
                return .page(page.map { SessionSnapshot(session: $0.session, messages: $0.messages) })
            case .rewind(let id, let sequence, let expectedSequence, let expected):
                return .session(
                    try await access.rewind(
                        id, to: sequence, expectedRevision: expected, expectedSequence: expectedSequence))
            case .restore(let session, let messages):
                try await access.store.restore(session, messages: ListedMessages(messages))
                return .done
            }
        } catch {
            return .refused(error.code)
        }
    }
}

extension Session {
    fileprivate func moved(to id: ULID) -> Session {
        Session(
            id: id, actorName: actorName, messageCount: messageCount, usage: usage, metadata: metadata,
            createdAt: createdAt, updatedAt: updatedAt)
    }
}

extension SessionMessage {
    fileprivate func moved(to session: ULID) -> SessionMessage {
        SessionMessage(
            id: id, sessionID: session, sequence: sequence, role: role, content: content, toolCallID: toolCallID,
            metadata: metadata, createdAt: createdAt)
    }
}
