import AgentSessions
import AgentSessionsConformance
import AgentSessionsMemory

extension Saboteur {
    static let appending: [Saboteur] = [
        Saboteur(
            "append.lost-update", "Of two appends at once, the second takes the place of the first.",
            caughtBy: ["batch.race"]
        ) { store in
            store.append = { [store] request in
                let before = try await store.get(request.sessionID)
                await roundTrip()
                return try await store.data.change { tables in
                    if let before, let now = try tables.session(request.sessionID) {
                        try tables.removeMessages(of: now, after: min(before.messageCount, now.messageCount))
                        var old = now
                        old.messageCount = min(before.messageCount, now.messageCount)
                        try tables.replace(now, with: old)
                    }
                    return try request.carryOut(&tables)
                }
            }
        },
        Saboteur(
            "append.acknowledged-early", "An append is acknowledged before it is stored.",
            caughtBy: ["append.count", "append.repeated-content", "append.created-at-is-revision"],
            remembering: Memory<[AppendRequest]>([])
        ) { store, queue in
            store.append = { [store] request in
                let earlier = queue { $0 }
                for one in earlier { _ = try? await store.append(one) }
                queue { $0.removeAll { one in earlier.contains { $0.messages[0].id == one.messages[0].id } } }
                let session = try await store.get(request.sessionID)
                let plan = try request.plan(
                    session: session,
                    stored: try await store.data.everyMessage(of: request.sessionID).filter { message in
                        request.messages.contains { $0.id == message.id }
                    })
                switch plan {
                case .replay(let messages): return AppendResult(messages: messages, isReplay: true)
                case .write(_, let messages):
                    queue { $0.append(request) }
                    return AppendResult(messages: messages, isReplay: false)
                }
            }
        },
        appending(
            "append.from-zero", "Sequences begin at 0.",
            caughtBy: ["append.repeated-content", "append.first-write", "append.fields"]
        ) { $0.with(sequence: $0.sequence - 1) },
        appending(
            "append.time-of-request", "A message has the time of its request, not the revision that it made.",
            caughtBy: ["batch.one-revision"]
        ) {
            message, request in message.with(createdAt: request.time)
        },
        appending(
            "append.own-message-id", "A message gets an id of the store's making.",
            caughtBy: ["append.minted-ids", "append.fields", "append.idempotent-replay"]
        ) { message in
            var bytes = message.id.bytes
            bytes[15] ^= 1
            return message.with(id: try? ULID(bytes: bytes))
        },
        Saboteur(
            "append.gap-after-refusal", "An append that is refused uses up its sequences.",
            caughtBy: ["append.sequences-after-refusal"],
            remembering: Memory(Gaps())
        ) { store, gaps in
            store.append = { [store] request in
                do {
                    let result = try await store.append(request)
                    gaps { gaps in
                        for message in result.messages where !result.isReplay {
                            gaps.shifts[message.key] = gaps.used[message.sessionID]
                        }
                    }
                    return AppendResult(
                        messages: result.messages.map { $0.shifted(by: gaps) }, isReplay: result.isReplay)
                } catch {
                    gaps { $0.used[request.sessionID, default: 0] += request.messages.count }
                    throw error
                }
            }
            store.alterMessages { $0.shifted(by: gaps) }
        },
        Saboteur(
            "append.gap-after-replay", "A replay uses up sequences.", caughtBy: ["append.sequences-after-replay"],
            remembering: Memory(Gaps())
        ) { store, gaps in
            store.append = { [store] request in
                let result = try await store.append(request)
                gaps { gaps in
                    if result.isReplay {
                        gaps.used[request.sessionID, default: 0] += 1
                    } else {
                        for message in result.messages { gaps.shifts[message.key] = gaps.used[message.sessionID] }
                    }
                }
                return AppendResult(messages: result.messages.map { $0.shifted(by: gaps) }, isReplay: result.isReplay)
            }
            store.alterMessages { $0.shifted(by: gaps) }
        },
        Saboteur(
            "append.one-counter", "All sessions share one counter of sequences.",
            caughtBy: ["append.ids-per-session", "append.interleaved"],
            remembering: Memory(Gaps())
        ) { store, gaps in
            store.append = { [store] request in
                let result = try await store.append(request)
                gaps { gaps in
                    for message in result.messages where !result.isReplay {
                        gaps.total += 1
                        gaps.shifts[message.key] = gaps.total - message.sequence
                    }
                }
                return AppendResult(messages: result.messages.map { $0.shifted(by: gaps) }, isReplay: result.isReplay)
            }
            store.alterMessages { $0.shifted(by: gaps) }
        },
        Saboteur("append.makes-session", "An append to an absent session makes it.", caughtBy: ["append.absent"]) {
            store in
            store.append = { [store] request in
                if try await store.get(request.sessionID) == nil {
                    _ = try await store.create(
                        NewSession(id: request.sessionID, actorName: "unknown", createdAt: request.time))
                }
                return try await store.append(request)
            }
        },
        Saboteur(
            "append.absent-is-empty", "An append to an absent session is a success without messages.",
            caughtBy: ["append.absent"]
        ) { store in
            store.append = { [store] request in
                guard try await store.get(request.sessionID) != nil else {
                    return AppendResult(messages: [], isReplay: false)
                }
                return try await store.append(request)
            }
        },
        changing(
            "append.revision-stands", "An append does not move updated_at.",
            caughtBy: ["append.created-at-is-revision", "append.touches-session-once"]
        ) { before, grown, _ in
            grown.updatedAt = before.updatedAt
        },
        changing(
            "append.loses-metadata", "An append loses the session's metadata.",
            caughtBy: ["append.touches-session-once"]
        ) { _, grown, _ in
            grown.metadata = JSONObject()
        },
        changing(
            "append.resets-usage", "An append without usage sets the session's usage to zero.",
            caughtBy: ["append.touches-session-once"]
        ) {
            _, grown, request in
            if request.usage == nil { grown.usage = .zero }
        },
        changing("append.loses-usage", "The usage that an append carries is lost.", caughtBy: ["usage.with-append"]) {
            before, grown, _ in
            grown.usage = before.usage
        },
        changing(
            "append.revision-a-message", "An append moves updated_at once for each message.",
            caughtBy: ["append.created-at-is-revision", "append.touches-session-once"]
        ) {
            _, grown, request in
            grown.updatedAt = grown.updatedAt.advanced(by: Int64(request.messages.count - 1))
        },
        Saboteur(
            "append.loses-rename", "An append brings back the actor's first name.", caughtBy: ["append.keeps-changes"],
            remembering: Memory<[ULID: Session]>([:])
        ) { store, first in
            store.rememberCreations(in: first)
            store.append = { [data = store.data] request in
                let name = first { $0[request.sessionID]?.actorName }
                return try await data.change { tables in
                    try request.carryOut(&tables) { _, grown, _ in grown.actorName = name ?? grown.actorName }
                }
            }
        },
        Saboteur("append.count-of-session-one", "A session counts at most 100 messages.", caughtBy: ["batch.largest"]) {
            store in
            store.alterSessions { session in
                var session = session
                session.messageCount = min(session.messageCount, 100)
                return session
            }
        },
        Saboteur(
            "append.count-stale", "The count of a session counts appends, not messages.",
            caughtBy: ["append.count", "append.touches-session-once"],
            remembering: Memory<[ULID: Int]>([:])
        ) { store, appends in
            store.append = { [store] request in
                let result = try await store.append(request)
                if !result.isReplay { appends { $0[request.sessionID, default: 0] += 1 } }
                return result
            }
            store.get = { [store] id in
                var session = try await store.get(id)
                session?.messageCount = appends { $0[id] ?? 0 }
                return session
            }
        },
        Saboteur(
            "append.same-content-once", "A message that says what the last one says is taken for it.",
            caughtBy: ["append.repeated-content", "append.sequences"]
        ) { store in
            store.append = { [store] request in
                let last = try await store.messages(
                    MessageRequest(sessionID: request.sessionID, range: .last, limit: 1))
                if let last = last?.messages.last, request.messages.count == 1,
                    request.messages[0].content == last.content, request.messages[0].role == last.role
                {
                    return AppendResult(messages: [last], isReplay: true)
                }
                return try await store.append(request)
            }
        },
        Saboteur(
            "append.ids-of-the-store", "A message id is a key of the whole store.", caughtBy: ["append.ids-per-session"]
        ) { store in
            store.append = { [store] request in
                for session in try await store.data.everySession() where session.id != request.sessionID {
                    let taken = Set(try await store.data.everyMessage(of: session.id).map(\.id))
                    for message in request.messages where taken.contains(message.id) {
                        throw StoreError(.conflict, "The message id \(message.id) is taken.")
                    }
                }
                return try await store.append(request)
            }
        },
        Saboteur(
            "append.only-newer-ids", "A message whose id is smaller than the last one's is put before it.",
            caughtBy: ["append.interleaved", "append.ids-of-sessions", "append.sequences"]
        ) { store in
            store.messages = { [store] request in
                guard let page = try await store.messages(request) else { return nil }
                let byID = page.messages.sorted { $0.id < $1.id }
                return MessagePage(
                    session: page.session,
                    messages: zip(byID, page.messages).map { $0.with(sequence: $1.sequence) })
            }
        },
        Saboteur(
            "append.by-clock", "Messages come in the order of the clock at their requests.",
            caughtBy: ["append.order-not-by-clock"],
            remembering: Memory<[MessageKey: Timestamp]>([:])
        ) { store, times in
            store.append = { [store] request in
                let result = try await store.append(request)
                times { times in
                    for message in result.messages where !result.isReplay { times[message.key] = request.time }
                }
                return result
            }
            store.messages = { [store] request in
                guard let page = try await store.messages(request) else { return nil }
                let times = times { $0 }
                let byTime = page.messages.enumerated().sorted {
                    let (left, right) = (times[$0.element.key], times[$1.element.key])
                    guard let left, let right, left != right else { return $0.offset < $1.offset }
                    return left < right
                }.map(\.element)
                return MessagePage(session: page.session, messages: byTime)
            }
        },
        Saboteur(
            "append.unordered", "A page is given without an order.",
            caughtBy: ["append.interleaved", "append.ids-of-sessions", "append.sequences"]
        ) { store in
            store.messages = { [store] request in
                guard let page = try await store.messages(request) else { return nil }
                return MessagePage(session: page.session, messages: page.messages.sorted { $0.id < $1.id })
            }
        },
        Saboteur(
            "append.neighbour", "Every tenth message lands in another session of the actor.",
            caughtBy: ["append.interleaved"]
        ) {
            store in
            store.append = { [store] request in
                let session = try await store.get(request.sessionID)
                let other = try await store.data.everySession().last { $0.id != request.sessionID }
                guard let session, let other, session.messageCount >= 4, request.messages.count == 1 else {
                    return try await store.append(request)
                }
                return try await store.append(
                    AppendRequest(
                        sessionID: other.id, messages: request.messages, usage: request.usage, time: request.time))
            }
        },
    ]

    static let batches: [Saboteur] = [
        Saboteur(
            "batch.torn-by-usage", "A batch whose usage is refused is stored all the same.",
            caughtBy: ["usage.append-overflow", "usage.append-negative"]
        ) {
            store in
            store.append = { [store] request in
                var bare = request
                bare.usage = nil
                let result = try await store.append(bare)
                if let usage = request.usage, !result.isReplay {
                    try await store.data.change { tables in
                        guard let session = try tables.session(request.sessionID) else { return }
                        var grown = session
                        grown.usage = try session.usage.adding(usage)
                        try tables.replace(session, with: grown)
                    }
                }
                return result
            }
        },
        Saboteur(
            "batch.usage-before-refusal", "An append that is refused adds its usage all the same.",
            caughtBy: ["batch.all-or-nothing", "batch.stale"]
        ) {
            store in
            store.append = { [store] request in
                do {
                    return try await store.append(request)
                } catch {
                    if let usage = request.usage {
                        try await store.data.changeSession(request.sessionID) { session in
                            session.usage = (try? session.usage.adding(usage)) ?? session.usage
                        }
                    }
                    throw error
                }
            }
        },
        Saboteur(
            "batch.torn-by-conflict", "Of a batch with an id that is taken, the messages before it are stored.",
            caughtBy: ["batch.all-or-nothing"]
        ) { store in
            store.append = { [store] request in
                do {
                    return try await store.append(request)
                } catch {
                    let ids = Set(try await store.data.everyMessage(of: request.sessionID).map(\.id))
                    let new = Array(request.messages.prefix { !ids.contains($0.id) })
                    if !new.isEmpty, new.count < request.messages.count {
                        _ = try await store.append(
                            AppendRequest(sessionID: request.sessionID, messages: new, time: request.time))
                    }
                    throw error
                }
            }
        },
        Saboteur(
            "batch.one-by-one", "A batch is stored in a transaction a message.",
            caughtBy: ["batch.one-revision"]
        ) { store in
            store.append = { [store] request in
                guard request.messages.count > 1 else { return try await store.append(request) }
                let ids = Set(request.messages.map(\.id))
                let stored = try await store.data.everyMessage(of: request.sessionID).filter { ids.contains($0.id) }
                guard stored.isEmpty else { return try await store.append(request) }
                var messages: [SessionMessage] = []
                for message in request.messages {
                    let part = AppendRequest(
                        sessionID: request.sessionID, messages: [message],
                        usage: messages.isEmpty ? request.usage : nil,
                        expectedSequence: messages.isEmpty ? request.expectedSequence : nil, time: request.time)
                    messages += try await store.append(part).messages
                    await roundTrip()
                }
                return AppendResult(messages: messages, isReplay: false)
            }
        },
        Saboteur("batch.in-halves", "A long batch is stored in two transactions.", caughtBy: ["replay.race"]) { store in
            store.append = { [store] request in
                let ids = Set(request.messages.map(\.id))
                let stored = try await store.data.everyMessage(of: request.sessionID).filter { ids.contains($0.id) }
                guard request.messages.count > 1, stored.isEmpty else { return try await store.append(request) }
                let half = request.messages.count / 2
                let first = try await store.append(
                    AppendRequest(
                        sessionID: request.sessionID, messages: Array(request.messages[..<half]), usage: request.usage,
                        expectedSequence: request.expectedSequence, time: request.time))
                await roundTrip()
                let time = first.messages[0].createdAt
                return try await store.data.change { tables in
                    guard let session = try tables.session(request.sessionID) else {
                        throw StoreError.sessionNotFound(request.sessionID)
                    }
                    var grown = session
                    grown.messageCount += request.messages.count - half
                    let rest = request.messages[half...].enumerated().map { offset, message in
                        message.stored(
                            in: request.sessionID, sequence: session.messageCount + offset + 1, at: time)
                    }
                    try tables.replace(session, with: grown)
                    try tables.insert(rest)
                    return AppendResult(messages: first.messages + rest, isReplay: false)
                }
            }
        },
        Saboteur(
            "batch.backwards", "A batch is stored in reverse.", caughtBy: ["batch.contiguous", "batch.mixed-sizes"]
        ) { store in
            store.append = { [store] request in
                try await store.append(request.with(messages: request.messages.reversed()))
            }
        },
        Saboteur(
            "batch.by-id", "A batch is stored in the order of its ids.",
            caughtBy: ["batch.contiguous", "batch.mixed-sizes"]
        ) { store in
            store.append = { [store] request in
                try await store.append(request.with(messages: request.messages.sorted { $0.id < $1.id }))
            }
        },
        Saboteur(
            "batch.first-only", "A batch gives back its last message alone.",
            caughtBy: ["batch.expected", "batch.contiguous", "batch.mixed-sizes"]
        ) { store in
            store.append = { [store] request in
                let result = try await store.append(request)
                return AppendResult(messages: Array(result.messages.suffix(1)), isReplay: result.isReplay)
            }
        },
        Saboteur("batch.cut", "Of a batch, 500 messages are stored.", caughtBy: ["batch.largest"]) { store in
            store.append = { [store] request in
                let result = try await store.append(request.with(messages: Array(request.messages.prefix(500))))
                return result
            }
        },
        Saboteur("batch.a-hundred", "A batch of more than 100 messages is refused.", caughtBy: ["batch.largest"]) {
            store in
            store.append = { [store] request in
                guard request.messages.count <= 100 else {
                    throw StoreError(.limitExceeded, "A batch has at most 100 messages.")
                }
                return try await store.append(request)
            }
        },
        Saboteur(
            "batch.expected-ignored", "The expected sequence is ignored.",
            caughtBy: ["batch.stale-names-actual", "batch.stale", "batch.race"]
        ) { store in
            store.append = { [store] request in
                var request = request
                request.expectedSequence = nil
                return try await store.append(request)
            }
        },
        Saboteur(
            "batch.expected-zero-ignored", "An expected sequence of 0 is taken for none.", caughtBy: ["batch.stale"]
        ) { store in
            store.append = { [store] request in
                var request = request
                if request.expectedSequence == 0 { request.expectedSequence = nil }
                return try await store.append(request)
            }
        },
        Saboteur(
            "batch.expected-at-least", "The expected sequence may be smaller than the last.",
            caughtBy: ["batch.stale-names-actual", "batch.stale", "batch.race"]
        ) {
            store in
            store.append = { [store] request in
                var request = request
                if let expected = request.expectedSequence, let session = try await store.get(request.sessionID) {
                    request.expectedSequence = max(expected, session.messageCount)
                }
                return try await store.append(request)
            }
        },
        Saboteur(
            "batch.expected-at-most", "The expected sequence may be larger than the last.", caughtBy: ["batch.stale"]
        ) {
            store in
            store.append = { [store] request in
                var request = request
                if let expected = request.expectedSequence, let session = try await store.get(request.sessionID) {
                    request.expectedSequence = min(expected, session.messageCount)
                }
                return try await store.append(request)
            }
        },
        Saboteur(
            "batch.expected-is-next", "The expected sequence is compared with the next one.",
            caughtBy: ["batch.expected", "batch.stale", "batch.race"]
        ) {
            store in
            store.append = { [store] request in
                var request = request
                request.expectedSequence = request.expectedSequence.map { $0 &- 1 }
                return try await store.append(request)
            }
        },
        Saboteur(
            "batch.expected-outside", "The expected sequence is compared before the transaction.",
            caughtBy: ["batch.race"]
        ) {
            store in
            store.append = { [store] request in
                if let expected = request.expectedSequence, let session = try await store.get(request.sessionID),
                    expected != session.messageCount
                {
                    return try await store.append(request)
                }
                await roundTrip()
                var request = request
                request.expectedSequence = nil
                return try await store.append(request)
            }
        },
        Saboteur(
            "batch.conflict-without-actual", "A conflict does not say what the last sequence is.",
            caughtBy: ["batch.stale-names-actual"]
        ) {
            store in
            store.append = { [store] request in
                do {
                    return try await store.append(request)
                } catch let error as StoreError where error.code == .conflict {
                    throw StoreError(.conflict, "The session was changed. Read it again.")
                }
            }
        },
    ]

    /// An append whose messages are stored right and given back wrong, now and on every read.
    private static func appending(
        _ id: String, _ mistake: String, caughtBy: [String] = [],
        _ alter: @escaping @Sendable (SessionMessage) -> SessionMessage
    ) -> Saboteur {
        Saboteur(id, mistake, caughtBy: caughtBy) { store in
            store.append = { [store] request in
                let result = try await store.append(request)
                return AppendResult(messages: result.messages.map(alter), isReplay: result.isReplay)
            }
            store.alterMessages(alter)
        }
    }

    /// An append whose messages come out wrong by what the request was.
    private static func appending(
        _ id: String, _ mistake: String, caughtBy: [String] = [],
        _ alter: @escaping @Sendable (SessionMessage, AppendRequest) -> SessionMessage
    ) -> Saboteur {
        Saboteur(id, mistake, caughtBy: caughtBy) { store in
            store.append = { [data = store.data] request in
                try await data.change { tables in
                    try request.carryOut(&tables) { _, _, messages in
                        messages = messages.map { alter($0, request) }
                    }
                }
            }
        }
    }

    /// An append that leaves the session otherwise than it should.
    private static func changing(
        _ id: String, _ mistake: String, caughtBy: [String] = [],
        _ alter: @escaping @Sendable (_ before: Session, _ grown: inout Session, AppendRequest) -> Void
    ) -> Saboteur {
        Saboteur(id, mistake, caughtBy: caughtBy) { store in
            store.append = { [data = store.data] request in
                try await data.change { tables in
                    try request.carryOut(&tables) { before, grown, _ in alter(before, &grown, request) }
                }
            }
        }
    }
}

/// A message of the store, whatever its place.
struct MessageKey: Hashable {
    let session: ULID
    let id: ULID
}

extension SessionMessage {
    var key: MessageKey { MessageKey(session: sessionID, id: id) }

    fileprivate func shifted(by gaps: Memory<Gaps>) -> SessionMessage {
        with(sequence: sequence + gaps { $0.shifts[key] ?? 0 })
    }
}

private struct Gaps: Sendable {
    var used: [ULID: Int] = [:]
    var shifts: [MessageKey: Int] = [:]
    var total = 0
}

extension PendingMessage {
    /// The message at its place in a session.
    func stored(in session: ULID, sequence: Int, at time: Timestamp) -> SessionMessage {
        SessionMessage(
            id: id, sessionID: session, sequence: sequence, role: role, content: content, toolCallID: toolCallID,
            metadata: metadata, createdAt: time)
    }
}

extension AppendRequest {
    /// The request with other messages.
    func with(messages: [PendingMessage]) -> AppendRequest {
        AppendRequest(
            sessionID: sessionID, messages: messages, usage: usage, expectedSequence: expectedSequence, time: time)
    }

    /// The append as it should be, save for what `alter` does to the session and the messages before they are stored.
    func carryOut(
        _ tables: inout MemoryTables,
        alter: (_ before: Session, _ grown: inout Session, _ messages: inout [SessionMessage]) throws -> Void = {
            _, _, _ in
        }
    ) throws -> AppendResult {
        let session = try tables.session(sessionID)
        let stored = try tables.messages(of: sessionID, withIDs: messages.map(\.id))
        switch try plan(session: session, stored: stored) {
        case .replay(let messages):
            return AppendResult(messages: messages, isReplay: true)
        case .write(var grown, var messages):
            if let session {
                try alter(session, &grown, &messages)
                try tables.replace(session, with: grown)
            }
            try tables.insert(messages)
            return AppendResult(messages: messages, isReplay: false)
        }
    }
}
