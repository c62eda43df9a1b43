import AgentSessions
import AgentSessionsConformance
import AgentSessionsMemory

/// How texts that differ come out as one.
private struct Fold: Sendable {
    let name: String
    let what: String
    /// Whether actor names can differ in what it passes over.
    let concernsNames: Bool
    let fold: @Sendable (String) -> String

    func isSame(_ left: String, _ right: String) -> Bool { fold(left).utf8.elementsEqual(fold(right).utf8) }

    static let all = [
        Fold(name: "case", what: "whatever their case", concernsNames: true) { $0.lowercased() },
        Fold(name: "blanks", what: "without the blanks at their ends", concernsNames: true) { text in
            let start = text.unicodeScalars.drop { $0.properties.isWhitespace }
            return String(String.UnicodeScalarView(start.reversed().drop { $0.properties.isWhitespace }.reversed()))
        },
        Fold(name: "end", what: "up to the two hundredth byte", concernsNames: true) {
            String(decoding: $0.utf8.prefix(200), as: UTF8.self)
        },
        Fold(name: "nul", what: "up to the first U+0000", concernsNames: false) {
            String(String.UnicodeScalarView($0.unicodeScalars.prefix { $0 != "\0" }))
        },
        Fold(name: "line-ends", what: "with line ends of one kind", concernsNames: false) { text in
            String(text.map { $0 == "\r" || $0 == "\r\n" ? "\n" : $0 })
        },
        Fold(name: "mark", what: "without U+FEFF", concernsNames: false) {
            String(String.UnicodeScalarView($0.unicodeScalars.filter { $0 != "\u{FEFF}" }))
        },
    ]
}

extension Mutant {
    /// What is taken for the same and is another, or the other way round.
    static let lookalikes: [Mutant] =
        Fold.all.flatMap { fold in
            [
                comparing(
                    "replay.contents-\(fold.name)", "Of a replay the contents are compared \(fold.what).",
                    caughtBy: ["replay.contents-alike"]
                ) {
                    $0.role == $1.role && fold.isSame($0.content, $1.content) && $0.toolCallID == $1.toolCallID
                        && $0.metadata == $1.metadata
                },
                comparing(
                    "replay.tool-call-ids-\(fold.name)", "Of a replay the tool call ids are compared \(fold.what).",
                    caughtBy: ["replay.tool-call-ids-alike"]
                ) {
                    $0.role == $1.role && $0.content.utf8.elementsEqual($1.content.utf8)
                        && fold.isSame($0.toolCallID ?? "", $1.toolCallID ?? "") && $0.metadata == $1.metadata
                },
            ]
        }
        + Fold.all.filter(\.concernsNames).flatMap { fold in
            [
                Mutant(
                    "update.actor-\(fold.name)", "A new actor name that is the old one \(fold.what) is passed over.",
                    caughtBy: ["update.actor-alike"]
                ) { store in
                    store.update = { [store] id, change in
                        var change = change
                        if let new = change.actorName, let old = try await store.get(id)?.actorName,
                            fold.isSame(new, old)
                        {
                            change.actorName = nil
                        }
                        return try await store.update(id, change)
                    }
                },
                Mutant(
                    "list.actor-\(fold.name)", "A list of an actor has those whose names are the same \(fold.what).",
                    caughtBy: ["list.actor-alike"]
                ) { store in
                    store.list = { [data = store.data] request in
                        guard let name = request.filter.actorName else { return try await data.list(request) }
                        var request = request
                        request.filter.actorName = nil
                        return try await data.everySession().newestFirst()
                            .filter { fold.isSame($0.actorName, name) }.after(request).page(request)
                    }
                },
            ]
        } + [
            Mutant(
                "list.actor-empty", "A filter by the empty name is no filter.", caughtBy: ["list.actor-alike"]
            ) { store in
                store.list = { [store] request in
                    var request = request
                    if request.filter.actorName == "" { request.filter.actorName = nil }
                    return try await store.list(request)
                }
            },
            replaying(
                "replay.long-content", "A replay of a content of more than 4,096 bytes is taken for another payload.",
                caughtBy: ["replay.contents-alike"]
            ) { stored, _ in
                guard stored.contains(where: { $0.content.utf8.count > 4096 }) else { return nil }
                throw StoreError(.conflict, "The message is stored with another payload.")
            },
            replaying(
                "replay.order-of-ends", "Of a replay the first and the last message must be in their places.",
                caughtBy: ["replay.order-inside"]
            ) { stored, sent in
                stored.first?.id == sent.first?.id && stored.last?.id == sent.last?.id ? stored : nil
            },
            replaying(
                "replay.payloads-by-place", "Of a replay the payloads must be those at their places, whatever the ids.",
                caughtBy: ["replay.ids-exchanged"]
            ) { stored, sent in
                zip(stored, sent).allSatisfy { $0.role == $1.role && $0.content == $1.content } ? stored : nil
            },
        ]

    /// A store with an answer of its own to a batch all of whose ids it has.
    private static func replaying(
        _ id: String, _ mistake: String, caughtBy: [String],
        _ answer: @escaping @Sendable (_ stored: [SessionMessage], _ sent: [PendingMessage]) throws -> [SessionMessage]?
    ) -> Mutant {
        Mutant(id, mistake, caughtBy: caughtBy) { store in
            store.append = { [store] request in
                let ids = Set(request.messages.map(\.id))
                let stored = try await store.data.everyMessage(of: request.sessionID).filter { ids.contains($0.id) }
                if stored.count == request.messages.count, let messages = try answer(stored, request.messages) {
                    return AppendResult(messages: messages, isReplay: true)
                }
                return try await store.append(request)
            }
        }
    }
}
