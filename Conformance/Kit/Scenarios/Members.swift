import AgentSessions
import Synchronization

extension Scenario {
    /// What a store says of itself.
    static let members: [Scenario] =
        statements.map { name, call in
            Scenario("lifecycle.closed-\(name)", .lifecycle, "3", "After close, \(name) throws closed.") { test in
                _ = try await test.session(messages: 2)
                let store = test.store
                await store.close()
                await test.expect(.closed, name) { () throws(StoreError) in try await call(store) }
            }
        } + [
            Scenario(
                "lifecycle.closed-checks", .lifecycle, "3",
                "After close, a store that tells where its data is, or has checks of its own, throws closed instead."
            ) { test in
                let store = test.store
                let hasIdentity = try await store.identity() != nil
                let hasChecks = try await !store.engineChecks().isEmpty
                await store.close()
                if hasIdentity {
                    await test.expect(.closed, "identity") { () throws(StoreError) in try await store.identity() }
                }
                if hasChecks {
                    await test.expect(.closed, "engineChecks") { () throws(StoreError) in
                        try await store.engineChecks()
                    }
                }
            },
            Scenario(
                "capabilities.identity", .capabilities, "3",
                "A store that tells where its data is tells the same each time, and another place than any other store."
            ) { test in
                let place = try await test.store.identity()
                let session = try await test.session(messages: 2)
                test.expect(try await test.store.identity(), equals: place, "the identity after changes")
                _ = try await test.access.delete(session.id)
                test.expect(try await test.store.identity(), equals: place, "the identity of the emptied store")
                guard let place else { return }
                var places: Set = [place]
                for _ in 0..<2 {
                    let other = try test.require(
                        await test.openElsewhere().store.identity(), "the identity of a store elsewhere")
                    test.expect(places.insert(other).inserted, "two stores at different places have one identity")
                }
            },
            Scenario(
                "capabilities.identity-of-instances", .capabilities, "3",
                "Two instances at one place have one identity.", requires: [.ability(.multipleInstances)]
            ) { test in
                let second = try await test.secondInstance()
                test.expect(
                    try await second.store.identity(), equals: try await test.store.identity(),
                    "the identity of the second instance")
            },
            Scenario(
                "capabilities.engine-checks", .capabilities, "3",
                "The checks of a store that is in order find nothing, whatever was done to it, and change nothing."
            ) { test in
                try await test.expectSound("an empty store")
                // Of one time of creation too, and in an order that is not that of their making.
                test.clock.setStep(0)
                let kept = try await test.session(messages: 5)
                let same = try await test.session(messages: 1)
                test.clock.setStep(-1000)
                let shortened = try await test.session(messages: 7)
                let emptied = try await test.session(messages: 3)
                let deleted = try await test.session(messages: 2)
                try await test.expectSound("after appends")
                test.clock.setStep(1000)
                _ = try await test.access.rewind(shortened.id, to: 4)
                _ = try await test.access.append([turn(8), turn(9)], to: shortened.id)
                _ = try await test.access.rewind(emptied.id, to: 0)
                _ = try await test.access.delete(deleted.id)
                _ = try await test.access.update(kept.id, actorName: "renamed", metadata: ["a": 1])
                _ = try await test.access.addUsage(TokenUsage(inputTokens: 1), to: same.id)
                try await test.expectSound("after rewinds and a deletion")
                let restored = try test.restorable(messages: 620)
                try? await test.store.restore(
                    restored.session, messages: ListedMessages(restored.messages.dropLast()))
                _ = try? await test.access.append(turn(1), to: kept.id, expectedSequence: 99)
                try await test.expectSound("after refusals")
                try await test.store.restore(restored.session, messages: ListedMessages(restored.messages))
                _ = try await test.access.rewind(restored.session.id, to: 3)
                try await test.expectSound("after a restore")
            },
            Scenario(
                "capabilities.engine-checks-of-values", .capabilities, "3",
                "The checks of a store take no value for damage that a session or a message may have.",
                layers: [.repository]
            ) { test in
                let contents = ["", "a\u{0}b", "𝕏", "plain"]
                let longest = String(repeating: "n", count: test.store.capabilities.limits.actorNameBytes)
                let moments: [Timestamp] = [.latest, .earliest, test.clock.next(), .earliest.advanced(by: 1)]
                for (name, time) in [(longest, Timestamp.earliest), ("a", test.clock.next()), ("b", .latest)] {
                    let id = test.newID()
                    let session = Session(
                        id: id, actorName: name, messageCount: 4,
                        usage: TokenUsage(inputTokens: .max, outputTokens: 1, estimatedCost: .max),
                        metadata: ["in": ["in": [nil, -0.0, ""]]], createdAt: time,
                        updatedAt: time == .latest ? .latest : time.advanced(by: 1))
                    // Ids that are those of the session, the smallest, the largest, and the same in each session.
                    let ids = [id, ULID(high: 0, low: 0), ULID(high: .max, low: .max), ULID(high: 1, low: 1)]
                    var messages: [SessionMessage] = []
                    for (index, content) in contents.enumerated() {
                        messages.append(
                            SessionMessage(
                                id: ids[index], sessionID: id, sequence: index + 1, role: try MessageRole("critic"),
                                content: content, toolCallID: content, createdAt: moments[index]))
                    }
                    try await test.store.restore(session, messages: ListedMessages(messages))
                }
                _ = try await test.access.create("new")
                try await test.expectSound("with every kind of value")
            },
            Scenario(
                "capabilities.steady-after-each", .capabilities, "3",
                "What a store says of itself is the same after any call, one that was refused too.",
                layers: [.repository]
            ) { test in
                let first = try await test.store.allStatements()
                let id = try await test.session(messages: 2).id
                for (name, call) in operations where name != "delete" {
                    try await call(test.access, id)
                    test.expect(try await test.store.allStatements(), equals: first, "what is said after \(name)")
                }
                _ = try? await test.access.append(turn(1), to: id, expectedSequence: 99)
                _ = try? await test.access.rewind(id, to: 99)
                _ = try? await test.access.create(id: id)
                test.expect(try await test.store.allStatements(), equals: first, "what is said after refusals")
                _ = try await test.access.delete(id)
                test.expect(try await test.store.allStatements(), equals: first, "what is said after a deletion")
            },
            Scenario(
                "capabilities.statements-of-instances", .capabilities, "3",
                "Two instances at one place say the same of it.", requires: [.ability(.multipleInstances)],
                layers: [.repository]
            ) { test in
                _ = try await test.session(messages: 2)
                let second = try await test.secondInstance()
                test.expect(
                    try await second.store.allStatements(), equals: try await test.store.allStatements(),
                    "what the second instance says")
            },
            Scenario(
                "capabilities.settings-no-secret", .capabilities, "3",
                "No setting is a password, and none has one in a URL or among words of a connection."
            ) { test in
                for setting in try await test.store.effectiveSettings() {
                    test.expect(!setting.showsSecret, "the setting \(setting.name) shows a secret")
                }
            },
            Scenario(
                "capabilities.engine-checks-while-busy", .capabilities, "3",
                "The checks of a store take nothing for damage that is only being changed."
            ) { test in
                let access = test.access
                let ids = try await test.sessions(3).map(\.id)
                let isChecked = Atomic<Bool>(false)
                _ = try await atOnce(4) { task in
                    if task == 3 {
                        defer { isChecked.store(true, ordering: .relaxed) }
                        for _ in 0..<5 { try await test.expectSound("while others write", alone: false) }
                        return
                    }
                    for round in 1...400 where round < 10 || !isChecked.load(ordering: .relaxed) {
                        _ = try await access.append([turn(round), turn(round)], to: ids[task])
                        if round.isMultiple(of: 4) { _ = try await access.rewind(ids[task], to: round) }
                        _ = try await access.delete(try await access.create().id)
                    }
                }
            },
        ]

    /// A call about the store and not about sessions.
    private typealias Statement = @Sendable (any SessionStore) async throws(StoreError) -> Void

    private static let statements: [(String, Statement)] = [
        ("settings", { store throws(StoreError) in _ = try await store.effectiveSettings() }),
        ("migrations", { store throws(StoreError) in _ = try await store.migrations() }),
    ]
}

/// What a store says of itself that no call changes. Of the settings the names, and the engine: others may be counts.
private struct AllStatements: Hashable {
    let capabilities: StoreCapabilities
    let identity: StoreIdentity?
    let settings: [String]
    let engine: String?
    let migrations: [MigrationStatus]
}

extension SessionStore {
    fileprivate func allStatements() async throws(StoreError) -> AllStatements {
        let settings = try await effectiveSettings()
        return AllStatements(
            capabilities: capabilities, identity: try await identity(), settings: settings.map(\.name),
            engine: settings.first { $0.name == "engine" }?.value, migrations: try await migrations())
    }
}

extension StoreSetting {
    private static let secretNames = ["password", "passwd", "passphrase", "secret", "token", "credential"]

    /// Whether the value is a secret by its name, or has one in it: `password=…`, `scheme://user:…@host`. What is put in
    /// the place of a secret has no letter and no digit.
    fileprivate var showsSecret: Bool {
        func isShown(_ text: some StringProtocol) -> Bool { text.contains { $0.isLetter || $0.isNumber } }
        let (name, value) = (name.lowercased(), value.lowercased())
        if Self.secretNames.contains(where: name.contains), isShown(value) { return true }
        for word in Self.secretNames {
            for place in value.ranges(of: word) {
                let rest = value[place.upperBound...].drop { $0 == " " }
                guard rest.first == "=" else { continue }
                let shown = rest.dropFirst().drop { $0 == " " || $0 == "'" || $0 == "\"" }
                if isShown(shown.prefix { $0 != "&" && $0 != " " && $0 != "'" && $0 != "\"" }) { return true }
            }
        }
        guard let scheme = value.firstRange(of: "://") else { return false }
        let authority = value[scheme.upperBound...].prefix { $0 != "/" && $0 != "?" }
        guard let end = authority.lastIndex(of: "@"), let colon = authority[..<end].firstIndex(of: ":") else {
            return false
        }
        return isShown(authority[colon..<end])
    }
}

extension ScenarioContext {
    /// Notes a failure where the store's own checks find damage, or change what they look at.
    ///
    /// - Parameter alone: Whether nobody changes the store meanwhile.
    fileprivate func expectSound(_ when: String, alone: Bool = true) async throws {
        let before = alone ? try await everything() : []
        let checks = try await store.engineChecks()
        for check in checks {
            expect(check.problemCount, equals: 0, "problems of \(check.name), \(when): \(check.problems)")
            expect(check.problems.isEmpty, "\(check.name) counts no problem and shows some, \(when)")
            expect(check.examined >= 0, "\(check.name) examined \(check.examined), \(when)")
            expect(!check.name.isEmpty && !check.summary.isEmpty, "a check without a name or a summary")
        }
        expect(Set(checks.map(\.name)).count, equals: checks.count, "different names of checks")
        if alone { expect(try await everything() == before, "the checks changed the store, \(when)") }
    }

    private func everything() async throws -> [SessionSnapshot] {
        var all: [SessionSnapshot] = []
        for session in try await access.list() {
            all.append(try require(await access.snapshot(of: session.id), "a session of the list is absent"))
        }
        return all
    }
}
