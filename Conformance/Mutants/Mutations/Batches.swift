import AgentSessions
import AgentSessionsConformance
import AgentSessionsMemory

extension Mutant {
    static let batches: [Mutant] = [
        Mutant(
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
        Mutant(
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
        Mutant(
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
        Mutant(
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
        Mutant("batch.in-halves", "A long batch is stored in two transactions.", caughtBy: ["replay.race"]) { store in
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
        Mutant(
            "batch.backwards", "A batch is stored in reverse.", caughtBy: ["batch.contiguous", "batch.mixed-sizes"]
        ) { store in
            store.append = { [store] request in
                try await store.append(request.with(messages: request.messages.reversed()))
            }
        },
        Mutant(
            "batch.by-id", "A batch is stored in the order of its ids.",
            caughtBy: ["batch.contiguous", "batch.mixed-sizes"]
        ) { store in
            store.append = { [store] request in
                try await store.append(request.with(messages: request.messages.sorted { $0.id < $1.id }))
            }
        },
        Mutant(
            "batch.first-only", "A batch gives back its last message alone.",
            caughtBy: ["batch.expected", "batch.contiguous", "batch.mixed-sizes"]
        ) { store in
            store.append = { [store] request in
                let result = try await store.append(request)
                return AppendResult(messages: Array(result.messages.suffix(1)), isReplay: result.isReplay)
            }
        },
        Mutant("batch.cut", "Of a batch, 500 messages are stored.", caughtBy: ["batch.largest"]) { store in
            store.append = { [store] request in
                try await store.append(request.with(messages: Array(request.messages.prefix(500))))
            }
        },
        Mutant("batch.a-hundred", "A batch of more than 100 messages is refused.", caughtBy: ["batch.largest"]) {
            store in
            store.append = { [store] request in
                guard request.messages.count <= 100 else {
                    throw StoreError(.limitExceeded, "A batch has at most 100 messages.")
                }
                return try await store.append(request)
            }
        },
        Mutant(
            "batch.expected-ignored", "The expected sequence is ignored.",
            caughtBy: ["batch.stale-names-actual", "batch.stale", "batch.race"]
        ) { store in
            store.alterExpectedSequence { _, _ in nil }
        },
        Mutant(
            "batch.expected-zero-ignored", "An expected sequence of 0 is taken for none.", caughtBy: ["batch.stale"]
        ) { store in
            store.alterExpectedSequence { expected, _ in expected == 0 ? nil : expected }
        },
        Mutant(
            "batch.expected-at-least", "The expected sequence may be smaller than the last.",
            caughtBy: ["batch.stale-names-actual", "batch.stale", "batch.race"]
        ) { store in
            store.alterExpectedSequence { expected, last in max(expected, last) }
        },
        Mutant(
            "batch.expected-at-most", "The expected sequence may be larger than the last.", caughtBy: ["batch.stale"]
        ) { store in
            store.alterExpectedSequence { expected, last in min(expected, last) }
        },
        Mutant(
            "batch.expected-is-next", "The expected sequence is compared with the next one.",
            caughtBy: ["batch.expected", "batch.stale", "batch.race"]
        ) { store in
            store.alterExpectedSequence { expected, _ in expected &- 1 }
        },
        Mutant(
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
        Mutant(
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
}

extension StoreMethods {
    /// An append that expects a sequence expects what `alter` makes of it and of the last one.
    fileprivate mutating func alterExpectedSequence(
        _ alter: @escaping @Sendable (_ expected: Int, _ last: Int) -> Int?
    ) {
        append = { [append, get] request in
            var request = request
            if let expected = request.expectedSequence, let session = try await get(request.sessionID) {
                request.expectedSequence = alter(expected, session.messageCount)
            }
            return try await append(request)
        }
    }
}
