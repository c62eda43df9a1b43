import AgentSessions
import AgentSessionsConformance
import AgentSessionsMemory

extension Mutant {
    /// What is another, and taken for the same; what is known up to a number, a length or a time.
    static let boundaries: [Mutant] = alikeIDs + alikePayloads + replayBounds + listBounds + pageCaps + restoreLengths

    // MARK: Ids

    /// Ids of which a byte or a half is not looked at.
    private static let alikeIDs: [Mutant] =
        ((0..<16).map { ("byte-\($0)", [$0]) } + [("high-half", Array(0..<8)), ("low-half", Array(8..<16))])
        .flatMap { name, bytes -> [Mutant] in
            @Sendable func isTaken(_ id: ULID, for other: ULID) -> Bool {
                id != other && (0..<16).allSatisfy { bytes.contains($0) || id.bytes[$0] == other.bytes[$0] }
            }
            return [
                Mutant(
                    "create.ids-\(name)", "An id is taken where another differs from it in its \(name) alone.",
                    caughtBy: ["identity.ids-alike"]
                ) { store in
                    store.create = { [store] new in
                        if try await store.data.everySession().contains(where: { isTaken($0.id, for: new.id) }) {
                            throw StoreError(.alreadyExists, "Session \(new.id) is there.")
                        }
                        return try await store.create(new)
                    }
                },
                Mutant(
                    "get.ids-\(name)", "A session is found under an id that differs from its own in its \(name).",
                    caughtBy: ["identity.ids-alike"]
                ) { store in
                    store.get = { [data = store.data] id in
                        if let found = try await data.get(id) { return found }
                        return try await data.everySession().first { isTaken($0.id, for: id) }
                    }
                },
                Mutant(
                    "replay.ids-\(name)", "A message is taken for one whose id differs in its \(name).",
                    caughtBy: ["replay.ids-alike"]
                ) { store in
                    store.append = { [store] request in
                        let stored = try await store.data.everyMessage(of: request.sessionID)
                        for message in request.messages where !stored.contains(where: { $0.id == message.id }) {
                            guard !stored.contains(where: { isTaken($0.id, for: message.id) }) else {
                                throw StoreError(.conflict, "Message \(message.id) is stored with another payload.")
                            }
                        }
                        return try await store.append(request)
                    }
                },
                Mutant(
                    "restore.ids-\(name)", "Of a restore two ids that differ in their \(name) are the same.",
                    caughtBy: ["restore.ids-alike"]
                ) { store in
                    store.restore = { [store] session, source in
                        let seen = Memory<[ULID]>([])
                        let checked = AlteredMessages(base: source) { message in
                            try seen { seen in
                                guard !seen.contains(where: { isTaken($0, for: message.id) }) else {
                                    throw StoreError(.invalidArgument, "Message \(message.id) is there twice.")
                                }
                                seen.append(message.id)
                            }
                            return message
                        }
                        try await store.restore(session, checked)
                    }
                },
            ]
        }

    // MARK: Payloads

    /// Replays whose texts and numbers are compared as something narrower. Texts that are different before something in them
    /// is doubled are different after it.
    private static let alikePayloads: [Mutant] =
        (Narrowing.names + Narrowing.controls).filter { !$0.name.hasPrefix("doubles") }.flatMap { text -> [Mutant] in
            ["content", "tool-call-id", "metadata", "metadata-key"].map { field in
                comparing(
                    "replay.\(field)-\(text.name)", "Of a replay the \(field) counts as what \(text.what).",
                    caughtBy: ["replay.pairs-alike"]
                ) { stored, sent in
                    let stored = stored.pending
                    func isSame(_ left: String, _ right: String, _ name: String) -> Bool {
                        let narrow = field == name ? text.narrow : { $0 }
                        return narrow(left).utf8.elementsEqual(narrow(right).utf8)
                    }
                    func metadata(_ message: PendingMessage) -> JSONObject {
                        switch field {
                        case "metadata": message.metadata.alteredTexts(text.narrow)
                        case "metadata-key": message.metadata.alteredKeys(text.narrow)
                        default: message.metadata
                        }
                    }
                    return stored.role == sent.role && isSame(stored.content, sent.content, "content")
                        && (stored.toolCallID == nil) == (sent.toolCallID == nil)
                        && isSame(stored.toolCallID ?? "", sent.toolCallID ?? "", "tool-call-id")
                        && metadata(stored) == metadata(sent)
                }
            }
        }
        + Narrowing<String>.lengths.map { text in
            comparing(
                "replay.content-far-\(text.name)", "Of a replay the content counts as what \(text.what).",
                caughtBy: ["replay.pairs-alike"]
            ) { stored, sent in
                stored.role == sent.role && stored.toolCallID == sent.toolCallID && stored.metadata == sent.metadata
                    && text.narrow(stored.content).utf8.elementsEqual(text.narrow(sent.content).utf8)
            }
        }
        + Narrowing<String>.lengths.map { text in
            comparingMetadata(text.name, "texts", text.what) { $0.alteredTexts(text.narrow) }
        }
        + (Narrowing.integers + Narrowing.signed).map { number in
            comparingMetadata(number.name, "integers", number.what) { $0.alteredIntegers(number.narrow) }
        }
        + Narrowing.doubles.map { number in
            comparingMetadata(number.name, "doubles", number.what) { $0.alteredDoubles(number.narrow) }
        }

    private static func comparingMetadata(
        _ name: String, _ kind: String, _ what: String, _ narrow: @escaping @Sendable (JSONObject) -> JSONObject
    ) -> Mutant {
        comparing(
            "replay.metadata-\(kind)-\(name)", "Of a replay each of the \(kind) in metadata counts as what \(what).",
            caughtBy: ["replay.pairs-alike"]
        ) { stored, sent in
            stored.role == sent.role && stored.pending.content.utf8.elementsEqual(sent.content.utf8)
                && stored.toolCallID == sent.toolCallID && narrow(stored.metadata) == narrow(sent.metadata)
        }
    }

    // MARK: What is forgotten

    private static let replayBounds: [Mutant] =
        [50, 99, 100, 128, 255, 256, 390, 500, 512, 999, 1000, 1024, 2000, 2048, 4096].map { count in
            refusingReplays(
                "replay.last-\(count)", "A message is known among the last \(count) of its session alone.",
                caughtBy: count < 398 ? "replay.later" : "replay.much-later"
            ) { $0.last?.sequence ?? 0 <= $2.messageCount - count }
        }
        + [1, 2, 10, 100, 255, 256, 499, 500, 999, 1000, 1024, 4096, 9999].map { count in
            refusingReplays(
                "replay.batches-of-\(count)", "A batch of more than \(count) is no replay.", caughtBy: "replay.largest"
            ) { messages, _, _ in messages.count > count }
        }
        + [1, 24, 7 * 24, 30 * 24, 365 * 24, 10 * 365 * 24].map { (hours: Int64) in
            refusingReplays(
                "replay.hours-\(hours)", "A message is known for \(hours) hours.", caughtBy: "replay.days-later"
            ) { messages, request, _ in
                messages.contains { $0.createdAt.advanced(by: hours * 3_600_000_000) < request.time }
            }
        }

    private static func refusingReplays(
        _ id: String, _ mistake: String, caughtBy scenario: String,
        where isForgotten: @escaping @Sendable ([SessionMessage], AppendRequest, Session) -> Bool
    ) -> Mutant {
        Mutant(id, mistake, caughtBy: [scenario]) { store in
            store.append = { [store] request in
                let result = try await store.append(request)
                if result.isReplay, let session = try await store.data.get(request.sessionID),
                    isForgotten(result.messages, request, session)
                {
                    throw StoreError(.conflict, "The ids of these messages are taken.")
                }
                return result
            }
        }
    }

    // MARK: Lists

    /// Bounds that are taken for none where they are zero, or the first or last time. The first time as a lower bound, and
    /// none, give the same.
    private static let listBounds: [Mutant] = {
        let bounds: [(String, any WritableKeyPath<SessionFilter, Timestamp?> & Sendable, isUpper: Bool)] = [
            ("created-from", \.createdFrom, false), ("created-before", \.createdBefore, true),
            ("updated-from", \.updatedFrom, false), ("updated-before", \.updatedBefore, true),
        ]
        let times: [(String, Timestamp?)] = [
            ("zero", Timestamp(microseconds: 0)), ("earliest", .earliest), ("latest", .latest),
        ]
        return bounds.flatMap { name, path, isUpper in
            times.filter { isUpper || $0.0 != "earliest" }.map { what, time in
                Mutant(
                    "list.\(name)-\(what)", "A bound \(name) that is \(what) is none.",
                    caughtBy: ["list.bounds-as-given"]
                ) { store in
                    store.list = { [list = store.list] request in
                        var request = request
                        if request.filter[keyPath: path] == time { request.filter[keyPath: path] = nil }
                        return try await list(request)
                    }
                }
            }
        }
            + [("starts-over", false), ("skips-ties", true)].map { name, skips in
                Mutant(
                    "cursor.\(name)-where-deleted", "A cursor whose session was deleted \(name).",
                    caughtBy: ["cursor.deleted-ties"]
                ) { store in
                    store.list = { [list = store.list, get = store.get] request in
                        guard let place = request.after, try await get(place.id) == nil else {
                            return try await list(request)
                        }
                        var request = request
                        request.after = skips ? SessionPosition(createdAt: place.createdAt, id: .smallest) : nil
                        return try await list(request)
                    }
                }
            }
            + [
                Mutant(
                    "cursor.repeats-ties-where-deleted",
                    "A cursor whose session was deleted repeats those of its time.",
                    caughtBy: ["cursor.deleted-ties"]
                ) { store in
                    store.list = { [list = store.list, get = store.get] request in
                        guard let place = request.after, try await get(place.id) == nil else {
                            return try await list(request)
                        }
                        var request = request
                        request.after = SessionPosition(createdAt: place.createdAt.advanced(by: 1), id: .smallest)
                        return try await list(request)
                    }
                }
            ]
    }()

    private static let pageCaps: [Mutant] = [50, 128, 200, 255, 256, 500, 512, 999, 1001].flatMap { most in
        [
            Mutant(
                "list.at-most-\(most)", "A list has \(most) sessions at most.",
                caughtBy: ["list.more-than-a-thousand"]
            ) { store in
                store.list = { [list = store.list] request in
                    var request = request
                    request.limit = min(request.limit, most)
                    return try await list(request)
                }
            },
            Mutant(
                "page.at-most-\(most)", "A page has \(most) messages at most.", caughtBy: ["page.more-than-a-thousand"]
            ) { store in
                store.messages = { [messages = store.messages] request in
                    var request = request
                    request.limit = min(request.limit, most)
                    return try await messages(request)
                }
            },
        ]
    }

    // MARK: Restores

    private static let restoreLengths: [Mutant] = [0, 1, 2, 255, 256, 499, 500, 501, 999, 1000, 1001, 1024].flatMap {
        count in
        [
            Mutant(
                "restore.refuses-\(count)", "A restore of \(count) messages is refused.", caughtBy: ["restore.lengths"]
            ) { store in
                store.restore = { [restore = store.restore] session, source in
                    guard session.messageCount != count else { throw StoreError(.invalidArgument, "It is too long.") }
                    try await restore(session, source)
                }
            },
            Mutant(
                "restore.stops-at-\(count)", "A restore of more than \(count) messages keeps \(count).",
                caughtBy: ["restore.lengths"]
            ) { store in
                store.restore = { [restore = store.restore] session, source in
                    var part = session
                    part.messageCount = min(session.messageCount, count)
                    try await restore(part, AlteredMessages(base: source) { $0.sequence > count ? nil : $0 })
                }
            },
        ]
    }
}

extension ULID {
    fileprivate static let smallest = ULID(high: 0, low: 0)
}
