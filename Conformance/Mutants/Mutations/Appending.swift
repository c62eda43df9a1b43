import AgentSessions
import AgentSessionsConformance
import AgentSessionsMemory

extension Mutant {
    static let appending: [Mutant] = [
        Mutant(
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
        Mutant(
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
        Mutant(
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
        Mutant(
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
        Mutant(
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
        Mutant("append.makes-session", "An append to an absent session makes it.", caughtBy: ["append.absent"]) {
            store in
            store.append = { [store] request in
                if try await store.get(request.sessionID) == nil {
                    _ = try await store.create(
                        NewSession(id: request.sessionID, actorName: "unknown", createdAt: request.time))
                }
                return try await store.append(request)
            }
        },
        Mutant(
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
        Mutant(
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
        Mutant("append.count-of-session-one", "A session counts at most 100 messages.", caughtBy: ["batch.largest"]) {
            store in
            store.alterSessions { session in
                var session = session
                session.messageCount = min(session.messageCount, 100)
                return session
            }
        },
        Mutant(
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
        Mutant(
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
        Mutant(
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
        Mutant(
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
        Mutant(
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
        Mutant(
            "append.unordered", "A page is given without an order.",
            caughtBy: ["append.interleaved", "append.ids-of-sessions", "append.sequences"]
        ) { store in
            store.messages = { [store] request in
                guard let page = try await store.messages(request) else { return nil }
                return MessagePage(session: page.session, messages: page.messages.sorted { $0.id < $1.id })
            }
        },
        Mutant(
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

    /// An append whose messages are stored right and given back wrong, now and on every read.
    private static func appending(
        _ id: String, _ mistake: String, caughtBy: [String] = [],
        _ alter: @escaping @Sendable (SessionMessage) -> SessionMessage
    ) -> Mutant {
        Mutant(id, mistake, caughtBy: caughtBy) { store in
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
    ) -> Mutant {
        Mutant(id, mistake, caughtBy: caughtBy) { store in
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
    ) -> Mutant {
        Mutant(id, mistake, caughtBy: caughtBy) { store in
            store.append = { [data = store.data] request in
                try await data.change { tables in
                    try request.carryOut(&tables) { before, grown, _ in alter(before, &grown, request) }
                }
            }
        }
    }
}

/// What came out of step with the sequences of a store.
private struct Gaps: Sendable {
    var used: [ULID: Int] = [:]
    var shifts: [MessageKey: Int] = [:]
    var total = 0
}

extension SessionMessage {
    fileprivate func shifted(by gaps: Memory<Gaps>) -> SessionMessage {
        with(sequence: sequence + gaps { $0.shifts[key] ?? 0 })
    }
}
