import AgentSessions
import AgentSessionsConformance
import AgentSessionsMemory

extension Mutant {
    static let paging: [Mutant] = [
        asking(
            "page.after-inclusive", "A page after a sequence begins with it.",
            caughtBy: ["page.offset", "page.session-of-one-moment", "page.after"]
        ) { request in
            if case .after(let sequence) = request.range, sequence > 0 { request.range = .after(sequence - 1) }
        },
        asking(
            "page.after-skips", "A page after a sequence leaves the next one out.",
            caughtBy: ["page.offset", "page.session-of-one-moment", "page.after"]
        ) { request in
            if case .after(let sequence) = request.range, sequence > 0 { request.range = .after(sequence.plus(1)) }
        },
        asking(
            "page.before-inclusive", "A page before a sequence ends with it.",
            caughtBy: ["page.before", "page.session-of-one-moment", "page.walk"]
        ) { request in
            if case .before(let sequence) = request.range { request.range = .before(sequence.plus(1)) }
        },
        asking(
            "page.before-from-start", "A page before a sequence begins at the first message.",
            caughtBy: ["page.before", "page.extreme-ranges", "page.walk"]
        ) { request in
            if case .before(let sequence) = request.range {
                request.range = .after(0)
                request.limit = min(request.limit, max(sequence, 2) - 1)
            }
        },
        asking(
            "page.before-beyond-end", "Before a sequence beyond the end there is nothing.",
            caughtBy: ["page.extreme-ranges"]
        ) { request in
            if case .before(let sequence) = request.range, sequence > 1_000 { request.range = .before(1) }
        },
        asking(
            "page.limit-off-by-one", "A page has one message too many.",
            caughtBy: ["page.offset", "page.before", "page.extreme-ranges"]
        ) { $0.limit = $0.limit.plus(1) },
        asking(
            "page.limit-short-by-one", "A page of more than one message has one too few.",
            caughtBy: ["page.offset", "page.before", "page.extreme-ranges"]
        ) {
            if $0.limit > 1 { $0.limit -= 1 }
        },
        asking(
            "page.limit-capped", "A page has at most 100 messages, whatever the limit.",
            caughtBy: ["page.more-than-a-thousand"]
        ) {
            $0.limit = min($0.limit, 100)
        },
        asking(
            "page.limit-capped-at-1000", "A page has at most 1,000 messages, whatever the limit.",
            caughtBy: ["page.more-than-a-thousand"]
        ) {
            $0.limit = min($0.limit, 1000)
        },
        asking("page.offset-capped", "A page after sequence 100 begins there.", caughtBy: ["page.byte-boundaries"]) {
            request in
            if case .after(let sequence) = request.range { request.range = .after(min(sequence, 100)) }
        },
        asking(
            "page.last-is-first", "The last messages are the first ones.",
            caughtBy: ["page.last", "page.session-of-one-moment", "page.byte-limit"]
        ) { request in
            if request.range == .last { request.range = .after(0) }
        },
        asking("page.bytes-ignored", "The bound on bytes is ignored.", caughtBy: ["page.byte-limit"]) {
            $0.byteLimit = .max
        },
        answering(
            "page.last-backwards", "The last messages come newest first.",
            caughtBy: ["page.last", "page.session-of-one-moment", "page.whole-messages"]
        ) { request, messages in
            request.range == .last ? messages.reversed() : messages
        },
        answering(
            "page.before-backwards", "The messages before a sequence come newest first.",
            caughtBy: ["page.before", "page.extreme-ranges", "page.whole-messages"]
        ) { request, messages in
            if case .before = request.range { messages.reversed() } else { messages }
        },
        answering(
            "page.last-needs-all", "The last N of a session with fewer are none.",
            caughtBy: ["page.last", "page.byte-limit", "page.walk"]
        ) { request, messages in
            request.range == .last && messages.count < request.limit && request.limit < 1000 ? [] : messages
        },
        answering(
            "page.bytes-exclusive", "A page ends before the message that reaches the bound on bytes.",
            caughtBy: ["page.byte-limit"]
        ) {
            request, messages in
            var bytes = 0
            return messages.filter { message in
                bytes += message.payloadBytes
                return bytes < request.byteLimit || message.sequence == messages[0].sequence
            }
        },
        answering(
            "page.bytes-never-first", "A first message that is longer than the bound on bytes is left out.",
            caughtBy: ["page.byte-limit"]
        ) {
            request, messages in
            messages.first.map { $0.payloadBytes > request.byteLimit } == true ? [] : messages
        },
        Mutant(
            "page.bytes-without-metadata", "The bound on bytes does not count metadata.", caughtBy: ["page.byte-limit"]
        ) { store in
            store.messages = { [store] request in
                var whole = request
                whole.byteLimit = .max
                guard let page = try await store.messages(whole) else { return nil }
                guard case .after = request.range else { return try await store.messages(request) }
                var bytes = 0
                let messages = page.messages.prefix { message in
                    defer { bytes += message.content.utf8.count }
                    return bytes < request.byteLimit
                }
                return MessagePage(session: page.session, messages: Array(messages))
            }
        },
        answering(
            "page.skips-long", "Messages of more than 64 KiB are left out of pages of several.",
            caughtBy: ["page.long-among-short"]
        ) { _, messages in
            messages.count > 1 ? messages.filter { $0.content.utf8.count <= 64 << 10 } : messages
        },
        answering(
            "page.deduplicates", "A page leaves out messages that say what the one before says.",
            caughtBy: ["append.repeated-content", "append.sequences"]
        ) { _, messages in
            zip(messages, [nil] + messages.map(Optional.some)).filter { $0.content != $1?.content }.map(\.0)
        },
        answering(
            "page.drops-tool-messages", "Pages leave out tool results without a tool call id.",
            caughtBy: ["record.role-tool", "record.tool-call-id"]
        ) { _, messages in
            messages.filter { $0.role != .tool || $0.toolCallID != nil }
        },
        Mutant("page.absent-is-empty", "The page of an absent session is empty.", caughtBy: ["page.absent"]) {
            store in
            store.messages = { [store] request in
                if let page = try await store.messages(request) { return page }
                let time = Timestamp(microseconds: 0) ?? .earliest
                return MessagePage(
                    session: Session(id: request.sessionID, actorName: "none", createdAt: time, updatedAt: time),
                    messages: [])
            }
        },
        Mutant("page.empty-is-absent", "The page of a session without messages is absent.", caughtBy: ["page.empty"]) {
            store in
            store.messages = { [store] request in
                let page = try await store.messages(request)
                return page?.session.messageCount == 0 ? nil : page
            }
        },
        Mutant(
            "page.two-moments", "A page shows a session and messages of different moments.",
            caughtBy: ["history.clients"]
        ) { store in
            store.messages = { [store] request in
                guard let session = try await store.get(request.sessionID) else { return nil }
                await roundTrip()
                let page = try await store.messages(request)
                return MessagePage(session: session, messages: page?.messages ?? [])
            }
        },
        Mutant(
            "page.session-of-creation", "A page shows the session without its usage.",
            caughtBy: ["page.session-of-one-moment"]
        ) { store in
            store.messages = { [store] request in
                guard let page = try await store.messages(request) else { return nil }
                var session = page.session
                session.usage = .zero
                return MessagePage(session: session, messages: page.messages)
            }
        },
    ]

    static let rewinding: [Mutant] = [
        Mutant(
            "rewind.keeps-ids", "The id of a removed message still counts as stored.",
            caughtBy: ["rewind.ids-again", "rewind.long"],
            remembering: Memory<[MessageKey: SessionMessage]>([:])
        ) { store, removed in
            store.rewind = { [store] id, request in
                let messages = try await store.data.everyMessage(of: id)
                let session = try await store.rewind(id, request)
                removed { removed in
                    for message in messages where message.sequence > request.sequence { removed[message.key] = message }
                }
                return session
            }
            store.append = { [store] request in
                let found = removed { removed in
                    request.messages.compactMap { removed[MessageKey(session: request.sessionID, id: $0.id)] }
                }
                guard found.count < request.messages.count else { return AppendResult(messages: found, isReplay: true) }
                return try await store.append(request)
            }
        },
        Mutant(
            "rewind.refuses-removed-ids", "The id of a removed message is refused.",
            caughtBy: ["rewind.ids-again", "rewind.long"],
            remembering: Memory<Set<MessageKey>>([])
        ) { store, removed in
            store.rewind = { [store] id, request in
                let messages = try await store.data.everyMessage(of: id)
                let session = try await store.rewind(id, request)
                removed { $0.formUnion(messages.filter { $0.sequence > request.sequence }.map(\.key)) }
                return session
            }
            store.append = { [store] request in
                for message in request.messages
                where removed({ $0.contains(MessageKey(session: request.sessionID, id: message.id)) }) {
                    throw StoreError(.conflict, "The message id \(message.id) was used.")
                }
                return try await store.append(request)
            }
        },
        Mutant(
            "rewind.keeps-counter", "The sequences that a rewind frees are not given out again.",
            caughtBy: ["rewind.sequences-again", "rewind.again-and-again", "rewind.ids-again"],
            remembering: Memory<[ULID: Int]>([:])
        ) { store, shifts in
            store.rewind = { [store] id, request in
                let before = try await store.get(id)?.messageCount ?? 0
                let session = try await store.rewind(id, request)
                shifts { $0[id, default: 0] += before - request.sequence }
                return session
            }
            store.append = { [store] request in
                let result = try await store.append(request)
                guard !result.isReplay, let shift = shifts({ $0[request.sessionID] }) else { return result }
                return AppendResult(
                    messages: result.messages.map { $0.with(sequence: $0.sequence + shift) }, isReplay: false)
            }
        },
        rewinding("rewind.resets-usage", "A rewind sets usage to zero.", caughtBy: ["rewind.other-fields"]) {
            _, session, _ in session.usage = .zero
        },
        rewinding(
            "rewind.to-zero-resets-usage", "Clearing a session clears its usage.",
            caughtBy: ["rewind.to-zero-keeps-session"]
        ) { _, session, request in
            if request.sequence == 0 { session.usage = .zero }
        },
        rewinding(
            "rewind.revision-stands", "A rewind does not move updated_at.",
            caughtBy: ["rewind.revision", "rewind.expected"]
        ) { before, session, _ in
            session.updatedAt = before.updatedAt
        },
        rewinding(
            "rewind.nothing-to-do", "A rewind that removes nothing does not move updated_at.",
            caughtBy: ["rewind.revision"]
        ) {
            before, session, request in
            if request.sequence == before.messageCount { session.updatedAt = before.updatedAt }
        },
        rewinding(
            "rewind.revision-goes-back", "A rewind takes updated_at back to that of the last message.",
            caughtBy: ["rewind.revision", "rewind.expected"]
        ) {
            before, session, request in session.updatedAt = before.createdAt.advanced(by: Int64(request.sequence))
        },
        rewinding(
            "rewind.clears-metadata", "A rewind to 0 clears the metadata.", caughtBy: ["rewind.to-zero-keeps-session"]
        ) { _, session, request in
            if request.sequence == 0 { session.metadata = JSONObject() }
        },
        asking(
            "rewind.off-by-one", "A rewind removes the message that it is to end with.",
            caughtBy: ["rewind.count", "rewind.beyond", "rewind.other-fields"]
        ) { request, session in
            RewindRequest(
                to: max(request.sequence, 1) - 1, expectedRevision: request.expectedRevision,
                expectedSequence: request.expectedSequence, time: request.time)
        },
        asking(
            "rewind.leaves-one", "A rewind to 0 leaves the first message.",
            caughtBy: ["rewind.again-and-again", "rewind.removes-the-end"]
        ) { request, session in
            RewindRequest(
                to: request.sequence == 0 ? min(1, session.messageCount) : request.sequence,
                expectedRevision: request.expectedRevision, expectedSequence: request.expectedSequence,
                time: request.time)
        },
        asking(
            "rewind.ignores-revision", "The revision that a rewind expects is ignored.",
            caughtBy: ["rewind.stale-revision"]
        ) { request, _ in
            RewindRequest(to: request.sequence, expectedSequence: request.expectedSequence, time: request.time)
        },
        asking(
            "rewind.ignores-sequence", "The last sequence that a rewind expects is ignored.",
            caughtBy: ["rewind.stale-sequence"]
        ) { request, _ in
            RewindRequest(to: request.sequence, expectedRevision: request.expectedRevision, time: request.time)
        },
        asking(
            "rewind.clamps", "A rewind beyond the end, or below 0, is taken for one to the end.",
            caughtBy: ["rewind.beyond"]
        ) { request, session in
            RewindRequest(
                to: min(max(request.sequence, 0), session.messageCount), expectedRevision: request.expectedRevision,
                expectedSequence: request.expectedSequence, time: request.time)
        },
        Mutant("rewind.absent-made", "A rewind of an absent session makes it.", caughtBy: ["rewind.absent"]) {
            store in
            store.rewind = { [store] id, request in
                if try await store.get(id) == nil {
                    _ = try await store.create(NewSession(id: id, actorName: "unknown", createdAt: request.time))
                }
                return try await store.rewind(id, request)
            }
        },
        Mutant(
            "rewind.hides", "A rewind hides messages, and the next append brings the old ones back.",
            caughtBy: ["rewind.sequences-again", "rewind.ids-again"],
            remembering: Memory<[ULID: [SessionMessage]]>([:])
        ) { store, hidden in
            store.rewind = { [store] id, request in
                let messages = try await store.data.everyMessage(of: id)
                let session = try await store.rewind(id, request)
                hidden { $0[id] = messages.filter { $0.sequence > request.sequence } }
                return session
            }
            store.alterMessages { message in
                hidden { $0[message.sessionID]?.first { $0.sequence == message.sequence } } ?? message
            }
        },
        Mutant(
            "rewind.removes-first", "A rewind removes from the beginning.",
            caughtBy: ["rewind.sequences-again", "rewind.again-and-again", "rewind.ids-again"]
        ) { store in
            store.rewind = { [data = store.data] id, request in
                try await data.change { tables in
                    guard let session = try tables.session(id) else { throw StoreError.sessionNotFound(id) }
                    let rewound = try request.apply(to: session)
                    let all = try tables.messages(
                        MessageRequest(sessionID: id, range: .after(0), limit: .max), of: session)
                    try tables.removeMessages(of: session, after: 0)
                    try tables.replace(session, with: rewound)
                    let kept = all.suffix(request.sequence).enumerated().map { $1.with(sequence: $0 + 1) }
                    try tables.insert(kept)
                    return rewound
                }
            }
        },
        Mutant(
            "rewind.torn", "A rewind is refused after it removed the messages.",
            caughtBy: ["rewind.stale-sequence", "rewind.stale-revision"]
        ) { store in
            store.rewind = { [store] id, request in
                do {
                    return try await store.rewind(id, request)
                } catch let error as StoreError where error.code == .conflict {
                    _ = try? await store.rewind(id, RewindRequest(to: request.sequence, time: request.time))
                    throw error
                }
            }
        },
    ]

    /// Pages of a request that is misread.
    private static func asking(
        _ id: String, _ mistake: String, caughtBy: [String] = [],
        _ alter: @escaping @Sendable (inout MessageRequest) -> Void
    ) -> Mutant {
        Mutant(id, mistake, caughtBy: caughtBy) { store in
            store.messages = { [store] request in
                var request = request
                alter(&request)
                return try await store.messages(request)
            }
        }
    }

    /// Pages that come out wrong.
    private static func answering(
        _ id: String, _ mistake: String, caughtBy: [String] = [],
        _ alter: @escaping @Sendable (MessageRequest, [SessionMessage]) -> [SessionMessage]
    ) -> Mutant {
        Mutant(id, mistake, caughtBy: caughtBy) { store in
            store.messages = { [store] request in
                try await store.messages(request).map { page in
                    MessagePage(session: page.session, messages: alter(request, page.messages))
                }
            }
        }
    }

    /// A rewind that leaves the session otherwise than it should.
    private static func rewinding(
        _ id: String, _ mistake: String, caughtBy: [String] = [],
        _ alter: @escaping @Sendable (_ before: Session, _ rewound: inout Session, RewindRequest) -> Void
    ) -> Mutant {
        Mutant(id, mistake, caughtBy: caughtBy) { store in
            store.rewind = { [data = store.data] id, request in
                try await data.change { tables in
                    guard let session = try tables.session(id) else { throw StoreError.sessionNotFound(id) }
                    var rewound = try request.apply(to: session)
                    alter(session, &rewound, request)
                    try tables.removeMessages(of: session, after: request.sequence)
                    try tables.replace(session, with: rewound)
                    return rewound
                }
            }
        }
    }

    /// A rewind of a request that is misread.
    private static func asking(
        _ id: String, _ mistake: String, caughtBy: [String] = [],
        _ alter: @escaping @Sendable (RewindRequest, Session) -> RewindRequest
    ) -> Mutant {
        Mutant(id, mistake, caughtBy: caughtBy) { store in
            store.rewind = { [store] id, request in
                guard let session = try await store.get(id) else { return try await store.rewind(id, request) }
                return try await store.rewind(id, alter(request, session))
            }
        }
    }
}
