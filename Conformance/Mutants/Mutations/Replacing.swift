import AgentSessions
import AgentSessionsConformance
import AgentSessionsMemory

extension Mutant {
    static let replacing: [Mutant] = [
        Mutant(
            "replace.ignores-revision", "A session is replaced whatever its revision is.",
            caughtBy: ["replace.stale", "replace.race"]
        ) { store in
            store.replace = { [store] session, source, _ in
                // Again where another came between, or the data underneath would keep the rule in its place.
                for _ in 0..<100 {
                    guard let there = try await store.get(session.id) else {
                        throw StoreError.sessionNotFound(session.id)
                    }
                    var later = session
                    later.updatedAt = try max(session.updatedAt, there.nextRevision(at: there.updatedAt))
                    do {
                        return try await store.replace(later, source, there.revision)
                    } catch {
                        guard (error as? StoreError)?.code == .conflict else { throw error }
                    }
                }
            }
        },
        Mutant(
            "replace.decides-before", "The revision is compared first, and the session replaced a round trip later.",
            caughtBy: ["replace.race"]
        ) { store in
            store.replace = { [store] session, source, expected in
                guard let there = try await store.get(session.id) else { throw StoreError.sessionNotFound(session.id) }
                try there.requireReplaceable(by: session, expectedRevision: expected)
                await roundTrip()
                try await store.put(session, source)
            }
        },
        Mutant(
            "replace.absent-for-a-moment", "The old session is deleted, and the new one stored a moment later.",
            caughtBy: ["replace.against-appends"]
        ) { store in
            store.replace = { [store] session, source, expected in
                guard let there = try await store.get(session.id) else { throw StoreError.sessionNotFound(session.id) }
                try there.requireReplaceable(by: session, expectedRevision: expected)
                _ = try await store.data.delete(session.id)
                await roundTrip()
                try await store.data.restore(session, messages: source)
            }
        },
        Mutant(
            "replace.gone-on-failure", "A source that fails leaves neither the new session nor the old one.",
            caughtBy: ["replace.whole-or-not"]
        ) { store in
            store.replace = { [store] session, source, expected in
                do {
                    try await store.replace(session, source, expected)
                } catch let error as StoreError where ![.conflict, .notFound].contains(error.code) {
                    _ = try await store.data.delete(session.id)
                    throw error
                }
            }
        },
        Mutant(
            "replace.merges", "The new messages come after those of the old session.",
            caughtBy: ["replace.whole", "replace.ids", "replace.goes-on"]
        ) { store in
            store.replace = { [store] session, source, expected in
                let old = try await store.data.everyMessage(of: session.id)
                try await store.replace(session, source, expected)
                try await store.data.change { tables in
                    guard let there = try tables.session(session.id) else { return }
                    let known = Set(try tables.messages(of: session.id, withIDs: old.map(\.id)).map(\.id))
                    let left = old.filter { !known.contains($0.id) }
                    var longer = there
                    longer.messageCount += left.count
                    try tables.replace(there, with: longer)
                    try tables.insert(
                        left.enumerated().map { $1.with(sequence: there.messageCount + $0 + 1) })
                }
            }
        },
        Mutant(
            "replace.remembers-ids", "The ids of the old messages are known on.", caughtBy: ["replace.ids"],
            remembering: Memory<[MessageKey: SessionMessage]>([:])
        ) { store, left in
            store.replace = { [store] session, source, expected in
                let old = try await store.data.everyMessage(of: session.id)
                try await store.replace(session, source, expected)
                left { left in for message in old { left[message.key] = message } }
            }
            store.append = { [store] request in
                let found = left { left in
                    request.messages.compactMap { left[MessageKey(session: request.sessionID, id: $0.id)] }
                }
                guard found.isEmpty else { return AppendResult(messages: found, isReplay: true) }
                return try await store.append(request)
            }
        },
        Mutant(
            "replace.only-where-they-differ", "Messages whose id was there already are left as they were.",
            caughtBy: ["replace.same-ids"]
        ) { store in
            store.replace = { [store] session, source, expected in
                let old = Dictionary(
                    uniqueKeysWithValues: try await store.data.everyMessage(of: session.id).map { ($0.id, $0) })
                let kept = AlteredSource(source: source) { message in
                    old[message.id].map { $0.with(sequence: message.sequence) } ?? message
                }
                try await store.replace(session, kept, expected)
            }
        },
        Mutant(
            "replace.stays-under-actor", "The replaced session stays in the list of its old actor.",
            caughtBy: ["replace.list"], remembering: Memory<[Session]>([])
        ) { store, left in
            store.replace = { [store] session, source, expected in
                let old = try await store.get(session.id)
                try await store.replace(session, source, expected)
                if let old { left { $0.append(old) } }
            }
            store.list = { [data = store.data] request in
                let stale = request.filter.actorName == nil ? [] : left { $0 }
                return (try await data.everySession() + stale).newestFirst().after(request).page(request)
            }
        },
        Mutant(
            "replace.keeps-usage", "The replaced session keeps the usage of the old one.", caughtBy: ["replace.whole"]
        ) { store in
            store.replace = { [store] session, source, expected in
                var session = session
                session.usage = try await store.get(session.id)?.usage ?? .zero
                try await store.replace(session, source, expected)
            }
        },
        Mutant(
            "replace.fresh-revision", "The replaced session gets a revision of the store's making.",
            caughtBy: ["replace.whole", "replace.list"]
        ) { store in
            store.replace = { [store] session, source, expected in
                var session = session
                session.updatedAt = try session.nextRevision(at: session.updatedAt)
                try await store.replace(session, source, expected)
            }
        },
        Mutant(
            "replace.counts-on", "The next message gets the sequence after the old session's last.",
            caughtBy: ["replace.goes-on"], remembering: Memory<[ULID: Int]>([:])
        ) { store, counts in
            store.replace = { [store] session, source, expected in
                let old = try await store.get(session.id)?.messageCount ?? 0
                try await store.replace(session, source, expected)
                counts { $0[session.id] = max(old, session.messageCount) }
            }
            store.append = { [store] request in
                let result = try await store.append(request)
                guard !result.isReplay, let first = result.messages.first,
                    let count = counts({ $0[request.sessionID] }), count >= first.sequence
                else { return result }
                let shifted = result.messages.enumerated().map { $1.with(sequence: count + $0 + 1) }
                return AppendResult(messages: shifted, isReplay: false)
            }
        },
        Mutant(
            "replace.another-session", "Another session of the same id is put in its place.",
            caughtBy: ["replace.other-session"]
        ) { store in
            store.replace = { [store] session, source, expected in
                guard let there = try await store.get(session.id), there.createdAt != session.createdAt,
                    there.revision == expected
                else { return try await store.replace(session, source, expected) }
                try await store.put(session, source)
            }
        },
        Mutant(
            "replace.earlier", "An earlier state, or one of the same revision, is put in the place of a later.",
            caughtBy: ["replace.not-later"]
        ) { store in
            store.replace = { [store] session, source, expected in
                guard let there = try await store.get(session.id), there.revision == expected,
                    session.revision <= expected, session.createdAt == there.createdAt
                else { return try await store.replace(session, source, expected) }
                try await store.put(session, source)
            }
        },
        Mutant(
            "replace.makes", "Where there is no session to replace, one is made.", caughtBy: ["replace.absent"]
        ) { store in
            store.replace = { [store] session, source, expected in
                guard try await store.get(session.id) == nil else {
                    return try await store.replace(session, source, expected)
                }
                try await store.restore(session, source)
            }
        },
        Mutant(
            "replace.takes-same-ids", "Messages of the old session's ids go from other sessions too.",
            caughtBy: ["replace.others"]
        ) { store in
            store.replace = { [store] session, source, expected in
                let ids = Set(try await store.data.everyMessage(of: session.id).map(\.id))
                try await store.replace(session, source, expected)
                for other in try await store.data.everySession() where other.id != session.id {
                    let messages = try await store.data.everyMessage(of: other.id)
                    guard let first = messages.first(where: { ids.contains($0.id) }) else { continue }
                    try await store.data.change { tables in
                        var cut = other
                        cut.messageCount = first.sequence - 1
                        try tables.removeMessages(of: other, after: cut.messageCount)
                        try tables.replace(other, with: cut)
                    }
                }
            }
        },
        Mutant(
            "replace.first-thousand", "Of the new messages only the first thousand are stored.",
            caughtBy: ["replace.long"]
        ) { store in
            store.replace = { [store] session, source, expected in
                try await store.replace(session, source, expected)
                guard session.messageCount > 1000 else { return }
                try await store.data.change { tables in
                    guard let there = try tables.session(session.id) else { return }
                    var cut = there
                    cut.messageCount = 1000
                    try tables.removeMessages(of: there, after: 1000)
                    try tables.replace(there, with: cut)
                }
            }
        },
        Mutant(
            "replace.loses-append",
            "What was appended while the replacement was under way is gone, and was acknowledged.",
            caughtBy: ["replace.against-appends"]
        ) { store in
            store.replace = { [store] session, source, expected in
                guard let there = try await store.get(session.id) else { throw StoreError.sessionNotFound(session.id) }
                try there.requireReplaceable(by: session, expectedRevision: expected)
                for _ in 0..<3 { await roundTrip() }
                try await store.put(session, source)
            }
        },
        Mutant(
            "replace.forgotten", "After the store was opened again, the old session is there.",
            caughtBy: ["replace.kept"], remembering: Memory<[ULID: (Session, [SessionMessage])]>([:])
        ) { store, old in
            store.replace = { [store] session, source, expected in
                let before = try await store.get(session.id)
                let messages = try await store.data.everyMessage(of: session.id)
                try await store.replace(session, source, expected)
                if let before { old { $0[session.id] = (before, messages) } }
            }
            store.close = { [data = store.data] in
                for (id, (session, messages)) in old({ $0 }) {
                    _ = try? await data.delete(id)
                    try? await data.change { tables in
                        try tables.insert(session)
                        try tables.insert(messages)
                    }
                }
                old { $0 = [:] }
            }
        },
    ]
}

extension StoreMethods {
    /// Stores a session with its messages in the place of whatever is there.
    fileprivate func put(_ session: Session, _ source: any MessageSource) async throws {
        try await data.change { tables in
            if let there = try tables.session(session.id) { try tables.remove(there) }
            try tables.insert(session)
            var batches = RestoreBatches(of: session, from: try source.makeReader())
            while let batch = try batches.next() { try tables.insert(batch) }
        }
    }
}
