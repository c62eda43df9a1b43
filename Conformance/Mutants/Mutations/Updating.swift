import AgentSessions
import AgentSessionsConformance
import AgentSessionsMemory

extension Mutant {
    static let updating: [Mutant] = [
        Mutant(
            "update.lost-update", "An update writes the row that it read before, over what came since.",
            caughtBy: ["update.no-lost-update", "update.race"]
        ) { store in
            store.update = { [store] id, change in
                guard let before = try await store.get(id) else { throw StoreError.sessionNotFound(id) }
                await roundTrip()
                return try await store.data.change { tables in
                    guard let now = try tables.session(id) else { throw StoreError.sessionNotFound(id) }
                    var changed = try change.apply(to: before)
                    changed.messageCount = now.messageCount
                    changed.updatedAt = try now.nextRevision(at: changed.updatedAt)
                    try tables.replace(now, with: changed)
                    return changed
                }
            }
        },
        Mutant(
            "update.expected-ignored", "The expected revision is ignored.",
            caughtBy: ["update.stale-after-append", "update.stale-after-usage", "update.stale"]
        ) { store in
            store.update = { [store] id, change in
                var change = change
                change.expectedRevision = nil
                return try await store.update(id, change)
            }
        },
        Mutant(
            "update.newer-accepted", "An expected revision newer than the session's is accepted.",
            caughtBy: ["update.stale"]
        ) {
            store in
            store.update = { [store] id, change in
                var change = change
                if let expected = change.expectedRevision, let found = try await store.get(id) {
                    change.expectedRevision = min(expected, found.revision)
                }
                return try await store.update(id, change)
            }
        },
        Mutant(
            "update.millisecond-revisions", "Revisions are compared by their milliseconds.", caughtBy: ["update.stale"]
        ) { store in
            store.update = { [store] id, change in
                var change = change
                if let expected = change.expectedRevision, let found = try await store.get(id),
                    expected.microseconds / 1000 == found.revision.microseconds / 1000
                {
                    change.expectedRevision = found.revision
                }
                return try await store.update(id, change)
            }
        },
        Mutant(
            "update.expected-outside", "The expected revision is compared before the transaction.",
            caughtBy: ["update.no-lost-update", "update.race"]
        ) {
            store in
            store.update = { [store] id, change in
                if let expected = change.expectedRevision, let found = try await store.get(id),
                    expected != found.revision
                {
                    return try await store.update(id, change)
                }
                await roundTrip()
                var change = change
                change.expectedRevision = nil
                return try await store.update(id, change)
            }
        },
        Mutant(
            "update.writes-then-refuses", "A stale update is refused after it was written.",
            caughtBy: ["update.stale-after-append", "update.stale-after-usage", "update.stale"]
        ) { store in
            store.update = { [store] id, change in
                do {
                    return try await store.update(id, change)
                } catch let error as StoreError where error.code == .conflict {
                    var forced = change
                    forced.expectedRevision = nil
                    _ = try await store.update(id, forced)
                    throw error
                }
            }
        },
        Mutant("update.makes-session", "An update of an absent session makes it.", caughtBy: ["update.absent"]) {
            store in
            store.update = { [store] id, change in
                if try await store.get(id) == nil {
                    _ = try await store.create(NewSession(id: id, actorName: "unknown", createdAt: change.time))
                }
                return try await store.update(id, change)
            }
        },
        changing(
            "update.clears-metadata", "An update of the actor alone clears the metadata.", caughtBy: ["update.actor"]
        ) { _, changed, change in
            if change.metadata == nil, change.actorName != nil { changed.metadata = JSONObject() }
        },
        changing(
            "update.merges-metadata", "New metadata is merged into the old.",
            caughtBy: ["update.metadata-emptied", "update.metadata", "update.all-in-one"]
        ) { before, changed, change in
            guard let metadata = change.metadata else { return }
            changed.metadata = before.metadata
            for (key, value) in metadata { changed.metadata[key] = value }
        },
        changing("update.empty-metadata-ignored", "Metadata cannot be emptied.", caughtBy: ["update.metadata-emptied"])
        { before, changed, change in
            if change.metadata?.isEmpty == true { changed.metadata = before.metadata }
        },
        changing(
            "update.metadata-ignored", "An update of actor and metadata forgets the metadata.",
            caughtBy: ["update.both", "update.all-in-one"]
        ) {
            before, changed, change in
            if change.actorName != nil { changed.metadata = before.metadata }
        },
        changing(
            "update.actor-ignored", "An update cannot change the actor.",
            caughtBy: ["update.actor", "update.both", "update.all-in-one"]
        ) { before, changed, _ in
            changed.actorName = before.actorName
        },
        changing(
            "update.usage-alone", "An update that adds usage changes nothing else.", caughtBy: ["update.all-in-one"]
        ) { before, changed, change in
            if change.usage != nil {
                changed.actorName = before.actorName
                changed.metadata = before.metadata
            }
        },
        changing(
            "update.resets-usage", "An update of the metadata sets usage to zero.", caughtBy: ["update.all-in-one"]
        ) { _, changed, change in
            if change.metadata != nil { changed.usage = .zero }
        },
        changing(
            "update.revision-stands", "An update does not move updated_at.",
            caughtBy: ["update.same-values", "update.stale", "update.stale-after-update"]
        ) { before, changed, change in
            if change.usage == nil { changed.updatedAt = before.updatedAt }
        },
        changing(
            "update.same-values-stand", "An update to the values that are there does not move updated_at.",
            caughtBy: ["update.same-values", "update.stale-after-update"]
        ) {
            before, changed, change in
            if change.usage == nil, changed.actorName == before.actorName, changed.metadata == before.metadata {
                changed.updatedAt = before.updatedAt
            }
        },
        changing(
            "update.usage-keeps-revision", "Adding usage does not move updated_at.",
            caughtBy: ["update.stale-after-usage"]
        ) { before, changed, change in
            if change.usage != nil { changed.updatedAt = before.updatedAt }
        },
        Mutant(
            "update.answers-old", "An update gives the session as it was.",
            caughtBy: ["update.expected", "update.metadata", "update.same-values"]
        ) { store in
            store.update = { [store] id, change in
                let before = try await store.get(id)
                let changed = try await store.update(id, change)
                return before ?? changed
            }
        },
        Mutant(
            "update.renames-all", "An update of the actor renames all sessions of the old name.",
            caughtBy: ["create.apart"]
        ) {
            store in
            store.update = { [store] id, change in
                let before = try await store.get(id)
                let changed = try await store.update(id, change)
                if let before, let name = change.actorName {
                    for other in try await store.data.everySession() where other.actorName == before.actorName {
                        try await store.data.changeSession(other.id) { $0.actorName = name }
                    }
                }
                return changed
            }
        },
    ]

    static let usage: [Mutant] = [
        changing("usage.replaced", "Usage is set, not added.", caughtBy: ["usage.apart", "usage.sum", "usage.adds"]) {
            _, changed, change in
            if let usage = change.usage { changed.usage = usage }
        },
        changing(
            "usage.swapped", "Input and output tokens are mixed up.",
            caughtBy: ["usage.apart", "usage.sum", "usage.adds"]
        ) { before, changed, change in
            if let usage = change.usage {
                changed.usage.inputTokens = before.usage.inputTokens &+ usage.outputTokens
                changed.usage.outputTokens = before.usage.outputTokens &+ usage.inputTokens
            }
        },
        changing(
            "usage.cost-lost", "The cost of an increment is lost.",
            caughtBy: ["usage.apart", "usage.sum", "usage.adds"]
        ) { before, changed, _ in
            changed.usage.estimatedCost = before.usage.estimatedCost
        },
        changing("usage.cost-in-dollars", "The cost is kept as a double of dollars.", caughtBy: ["usage.64-bits"]) {
            before, changed, change in
            if let usage = change.usage {
                let dollars = Double(before.usage.estimatedCost) / 1e6 + Double(usage.estimatedCost) / 1e6
                changed.usage.estimatedCost = Int64(clamping: dollars * 1e6)
            }
        },
        changing(
            "usage.cost-in-cents", "The cost is rounded to cents.",
            caughtBy: ["usage.apart", "usage.sum", "usage.adds"]
        ) { _, changed, change in
            if change.usage != nil { changed.usage.estimatedCost = changed.usage.estimatedCost / 10_000 * 10_000 }
        },
        changing("usage.doubles", "Totals are kept as doubles.", caughtBy: ["usage.64-bits"]) { _, changed, change in
            guard change.usage != nil else { return }
            changed.usage.inputTokens = Int64(clamping: Double(changed.usage.inputTokens))
            changed.usage.outputTokens = Int64(clamping: Double(changed.usage.outputTokens))
        },
        changing(
            "usage.32-bits", "Totals wrap at 32 bits.",
            caughtBy: ["usage.append-overflow", "usage.overflow-input", "usage.overflow-output"]
        ) { _, changed, _ in
            changed.usage.inputTokens = Int64(UInt32(truncatingIfNeeded: changed.usage.inputTokens))
            changed.usage.outputTokens = Int64(UInt32(truncatingIfNeeded: changed.usage.outputTokens))
        },
        adding(
            "usage.wraps", "A total that overflows wraps.",
            caughtBy: ["usage.overflow-cost", "usage.overflow-input", "usage.overflow-output"]
        ) { $0 &+ $1 },
        adding(
            "usage.saturates", "A total that overflows stays at the largest number.",
            caughtBy: ["usage.overflow-cost", "usage.overflow-input", "usage.overflow-output"]
        ) {
            let (sum, overflow) = $0.addingReportingOverflow($1)
            return overflow ? .max : sum
        },
        Mutant(
            "usage.negative", "Negative increments are taken.",
            caughtBy: ["usage.negative-cost", "usage.negative-input", "usage.negative-output"]
        ) { store in
            store.update = { [store] id, change in
                var change = change
                guard let usage = change.usage, usage.isNegative else { return try await store.update(id, change) }
                change.usage = nil
                _ = try await store.update(id, change)
                try await store.data.changeSession(id) { $0.usage = $0.usage &+ usage }
                guard let found = try await store.get(id) else { throw StoreError.sessionNotFound(id) }
                return found
            }
        },
        Mutant("usage.negative-in-append", "An append takes negative usage.", caughtBy: ["usage.append-negative"]) {
            store in
            store.append = { [store] request in
                guard let usage = request.usage, usage.isNegative else { return try await store.append(request) }
                var bare = request
                bare.usage = nil
                let result = try await store.append(bare)
                if !result.isReplay {
                    try await store.data.changeSession(request.sessionID) { $0.usage = $0.usage &+ usage }
                }
                return result
            }
        },
        Mutant(
            "usage.negative-ignored", "A negative increment is counted as zero.",
            caughtBy: ["usage.negative-cost", "usage.negative-input", "usage.negative-output"]
        ) { store in
            store.update = { [store] id, change in
                var change = change
                if change.usage?.isNegative == true { change.usage = .zero }
                return try await store.update(id, change)
            }
        },
        Mutant(
            "usage.partly", "Where one total overflows, those before it are added.",
            caughtBy: ["usage.overflow-cost", "usage.overflow-output", "usage.overflow-partly"]
        ) { store in
            store.update = { [store] id, change in
                do {
                    return try await store.update(id, change)
                } catch let error as StoreError where error.code == .limitExceeded {
                    if let usage = change.usage {
                        try await store.data.changeSession(id) { session in
                            let (sum, overflow) = session.usage.inputTokens.addingReportingOverflow(usage.inputTokens)
                            if !overflow { session.usage.inputTokens = sum }
                        }
                    }
                    throw error
                }
            }
        },
        Mutant(
            "usage.refusal-moves-revision", "An increment that is refused moves updated_at.",
            caughtBy: ["usage.negative-cost", "usage.negative-input", "usage.negative-output"]
        ) { store in
            store.update = { [store] id, change in
                do {
                    return try await store.update(id, change)
                } catch let error as StoreError where change.usage != nil && error.code != .notFound {
                    try await store.data.changeSession(id) { $0.updatedAt = $0.updatedAt.advanced(by: 1) }
                    throw error
                }
            }
        },
        Mutant(
            "usage.lost-update", "Of two increments at once, one is lost.",
            caughtBy: ["concurrency.usage", "concurrency.usage-and-appends"]
        ) { store in
            store.update = { [store] id, change in
                guard let usage = change.usage, let before = try await store.get(id) else {
                    return try await store.update(id, change)
                }
                await roundTrip()
                var bare = change
                bare.usage = nil
                let total = try before.usage.adding(usage)
                _ = try await store.update(id, bare)
                try await store.data.changeSession(id) { $0.usage = total }
                guard let found = try await store.get(id) else { throw StoreError.sessionNotFound(id) }
                return found
            }
        },
        Mutant(
            "usage.twice-in-append", "The usage of an append is added once for each of its messages.",
            caughtBy: ["usage.with-append"]
        ) { store in
            store.append = { [data = store.data] request in
                try await data.change { tables in
                    try request.carryOut(&tables) { _, grown, messages in
                        guard let usage = request.usage else { return }
                        for _ in messages.dropFirst() { grown.usage = try grown.usage.adding(usage) }
                    }
                }
            }
        },
        Mutant("usage.append-wraps", "Usage of an append that overflows wraps.", caughtBy: ["usage.append-overflow"]) {
            store in
            store.append = { [data = store.data] request in
                try await data.change { tables in
                    var bare = request
                    bare.usage = nil
                    return try bare.carryOut(&tables) { before, grown, _ in
                        if let usage = request.usage {
                            try usage.validateIncrement()
                            grown.usage = before.usage &+ usage
                        }
                    }
                }
            }
        },
    ]

    /// An update that leaves the session otherwise than it should.
    private static func changing(
        _ id: String, _ mistake: String, caughtBy: [String] = [],
        _ alter: @escaping @Sendable (_ before: Session, _ changed: inout Session, SessionChange) -> Void
    ) -> Mutant {
        Mutant(id, mistake, caughtBy: caughtBy) { store in
            store.update = { [data = store.data] id, change in
                try await data.change { tables in
                    guard let session = try tables.session(id) else { throw StoreError.sessionNotFound(id) }
                    var changed = try change.apply(to: session)
                    alter(session, &changed, change)
                    try tables.replace(session, with: changed)
                    return changed
                }
            }
        }
    }

    /// An update that adds in a way of its own.
    private static func adding(
        _ id: String, _ mistake: String, caughtBy: [String] = [],
        _ sum: @escaping @Sendable (Int64, Int64) -> Int64
    ) -> Mutant {
        Mutant(id, mistake, caughtBy: caughtBy) { store in
            store.update = { [data = store.data] id, change in
                try await data.change { tables in
                    guard let session = try tables.session(id) else { throw StoreError.sessionNotFound(id) }
                    try change.usage?.validateIncrement()
                    var bare = change
                    bare.usage = nil
                    var changed = try bare.apply(to: session)
                    if let usage = change.usage {
                        changed.usage = TokenUsage(
                            inputTokens: sum(session.usage.inputTokens, usage.inputTokens),
                            outputTokens: sum(session.usage.outputTokens, usage.outputTokens),
                            estimatedCost: sum(session.usage.estimatedCost, usage.estimatedCost))
                    }
                    try tables.replace(session, with: changed)
                    return changed
                }
            }
        }
    }
}

extension Int64 {
    fileprivate init(clamping value: Double) {
        self = value >= 9.2e18 ? .max : Int64(value)
    }
}

extension TokenUsage {
    fileprivate var isNegative: Bool { inputTokens < 0 || outputTokens < 0 || estimatedCost < 0 }

    fileprivate static func &+ (left: TokenUsage, right: TokenUsage) -> TokenUsage {
        TokenUsage(
            inputTokens: left.inputTokens &+ right.inputTokens, outputTokens: left.outputTokens &+ right.outputTokens,
            estimatedCost: left.estimatedCost &+ right.estimatedCost)
    }
}
