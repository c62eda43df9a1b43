import AgentSessions
import AgentSessionsMemory

/// A way of a value through the store: what an alteration of it does there. The answer to a change is right, so that only
/// reads show what became of it.
struct Way<Value>: Sendable {
    typealias Alter = @Sendable (Value) -> Value

    let name: String
    /// The scenarios of values on that way, without the kind of value.
    let scenario: String
    let install: @Sendable (inout StoreMethods, @escaping Alter) -> Void

    init(
        _ name: String, caughtBy scenario: String,
        _ install: @escaping @Sendable (inout StoreMethods, @escaping Alter) -> Void
    ) {
        self.name = name
        self.scenario = scenario
        self.install = install
    }
}

extension Way<SessionMessage> {
    static let append = Way("on-append", caughtBy: "appended") { store, alter in
        store.append = { [append = store.append] request in
            let sent = request.messages.enumerated().map {
                $1.stored(in: request.sessionID, sequence: $0, at: request.time)
            }
            let result = try await append(request.with(messages: sent.map { alter($0).pending }))
            return AppendResult(
                messages: zip(result.messages, sent).map { stored, sent in
                    stored.with(content: sent.content, toolCallID: .some(sent.toolCallID), metadata: sent.metadata)
                }, isReplay: result.isReplay)
        }
    }

    static let replay = Way("in-replay", caughtBy: "appended") { store, alter in
        store.append = { [append = store.append] request in
            let result = try await append(request)
            return result.isReplay ? AppendResult(messages: result.messages.map(alter), isReplay: true) : result
        }
    }

    static let restore = Way("on-restore", caughtBy: "restored") { store, alter in
        store.restore = { [restore = store.restore] session, source in
            try await restore(session, AlteredMessages(base: source, alter: alter))
        }
    }

    static let replace = Way("on-replace", caughtBy: "replaced") { store, alter in
        store.replace = { [replace = store.replace] session, source, expected in
            try await replace(session, AlteredMessages(base: source, alter: alter), expected)
        }
    }

    static let reopened = Way("after-reopen", caughtBy: "reopened") { store, alter in store.alterMessages(alter) }

    static let after = page("in-page-after") { if case .after = $0 { true } else { false } }
    static let before = page("in-page-before") { if case .before = $0 { true } else { false } }
    static let last = page("in-last-page") { $0 == .last }

    private static func page(_ name: String, _ isMeant: @escaping @Sendable (MessageRange) -> Bool) -> Way {
        Way(name, caughtBy: "appended") { store, alter in
            store.messages = { [messages = store.messages] request in
                guard let page = try await messages(request), isMeant(request.range) else {
                    return try await messages(request)
                }
                return MessagePage(session: page.session, messages: page.messages.map(alter))
            }
        }
    }

    static let all = [append, replay, restore, replace, reopened, after, before, last]
}

extension Way<Session> {
    static let create = Way("on-create", caughtBy: "created") { store, alter in
        store.create = { [create = store.create] new in
            let altered = alter(new.session)
            _ = try await create(
                NewSession(
                    id: altered.id, actorName: altered.actorName, metadata: altered.metadata,
                    createdAt: altered.createdAt))
            return new.session
        }
    }

    static let update = Way("on-update", caughtBy: "updated") { store, alter in
        store.update = { [store] id, change in
            let changed = try await store.update(id, change)
            try await store.data.changeSession(id) { $0 = alter($0) }
            return changed
        }
    }

    static let restore = Way("on-restore", caughtBy: "restored") { store, alter in
        store.restore = { [restore = store.restore] session, source in try await restore(alter(session), source) }
    }

    static let replace = Way("on-replace", caughtBy: "replaced") { store, alter in
        store.replace = { [replace = store.replace] session, source, expected in
            try await replace(alter(session), source, expected)
        }
    }

    static let reopened = Way("after-reopen", caughtBy: "reopened") { store, alter in store.alterSessions(alter) }

    static let get = Way("in-get", caughtBy: "created") { store, alter in
        store.get = { [get = store.get] in try await get($0).map(alter) }
    }

    static let list = Way("in-list", caughtBy: "created") { store, alter in
        store.list = { [list = store.list] in try await list($0).map(alter) }
    }

    static let page = Way("in-page", caughtBy: "created") { store, alter in
        store.messages = { [messages = store.messages] in
            try await messages($0).map { MessagePage(session: alter($0.session), messages: $0.messages) }
        }
    }

    static let all = [create, update, restore, replace, reopened, get, list, page]
}

/// A part of a record that can be altered by itself.
struct Part<Record, Value>: Sendable {
    let name: String
    let what: String
    let alter: @Sendable (Record, (Value) -> Value) -> Record

    init(_ name: String, _ what: String, _ alter: @escaping @Sendable (Record, (Value) -> Value) -> Record) {
        self.name = name
        self.what = what
        self.alter = alter
    }
}

extension SessionMessage {
    /// The message as a repository takes it.
    var pending: PendingMessage {
        PendingMessage(id: id, role: role, content: content, toolCallID: toolCallID, metadata: metadata)
    }
}

extension Mutant {
    /// A mutant for each part, narrowing and way.
    ///
    /// - Parameter kind: The kind of value, after which the scenarios are named: `record.KIND-appended`.
    static func table<Record: Sendable, Value>(
        _ kind: String, _ parts: [Part<Record, Value>], _ narrowings: [Narrowing<Value>], _ ways: [Way<Record>]
    ) -> [Mutant] where Value: Sendable {
        parts.flatMap { part in
            narrowings.flatMap { narrowing in
                ways.map { way in
                    let alter: @Sendable (Record) -> Record = { part.alter($0, narrowing.narrow) }
                    return Mutant(
                        "\(part.name).\(narrowing.name).\(way.name)",
                        "\(part.what) \(narrowing.what) (\(way.name.replacing("-", with: " "))).",
                        caughtBy: ["record.\(kind)-\(way.scenario)"], remembering: Memory(0)
                    ) { store, openings in
                        // The first instance of a place is right where the mistake is one of what was opened again.
                        let isFirst = openings { openings in
                            openings += 1
                            return openings == 1
                        }
                        if way.scenario != "reopened" || !isFirst { way.install(&store, alter) }
                    }
                }
            }
        }
    }
}
