import AgentSessions
import AgentSessionsConformance
import AgentSessionsMemory
import AgentSessionsThreads

extension Mutant {
    /// Calls that go wrong one by one: after `close`, on their caller's thread, after a cancelled one; and what a store
    /// says of itself.
    static let statements: [Mutant] =
        closedMembers + blockingMembers + changingStatements + changingCapabilities + wrongSettings + wrongChecks
        + afterCancelled

    // MARK: After close

    private static let closedMembers: [Mutant] = Member.allCases.flatMap { member in
        let scenario = [Member.identity, .checks].contains(member) ? "checks" : member.rawValue
        let wrongs: [(String, String, StoreError?)] = [
            ("answers", "answers", nil),
            ("internal", "says that something went wrong inside", StoreError(.internalFailure, "No connection.")),
            ("absent", "says that nothing is there", StoreError(.notFound, "There is nothing.")),
        ]
        return wrongs.map { name, what, error in
            Mutant(
                "lifecycle.closed-\(member.rawValue)-\(name)", "After close, \(member.rawValue) \(what).",
                caughtBy: ["lifecycle.closed-\(scenario)"]
            ) { store in
                let isClosed = Memory(false)
                store.errorWhenClosed = nil
                store.close = { isClosed { $0 = true } }
                store.around(before: { called in
                    guard isClosed({ $0 }) else { return }
                    if called != member { throw StoreError.storeClosed(backend: MutantStore.name) }
                    if let error { throw error }
                })
            }
        }
    }

    // MARK: The caller's thread

    private static let blockingMembers: [Mutant] =
        Member.allCases.map { member in
            Mutant(
                "concurrency.blocks-in-\(member.rawValue)",
                "In \(member.rawValue) the caller's thread is kept waiting.",
                caughtBy: [
                    Member.statements.contains(member) ? "concurrency.threads-of-members" : "concurrency.threads"
                ]
            ) { store in
                store.around([member], before: { _ in WorkerThread.pause(.milliseconds(1)) })
            }
        } + [
            Mutant(
                "concurrency.blocks-in-open", "Opening keeps its caller's thread waiting.",
                caughtBy: ["concurrency.threads-of-members"]
            ) { store in
                store.open = { WorkerThread.pause(.milliseconds(1)) }
            },
            Mutant(
                "concurrency.blocks-in-close", "Closing keeps its caller's thread waiting.",
                caughtBy: ["concurrency.threads-of-members"]
            ) { store in
                store.close = { WorkerThread.pause(.milliseconds(1)) }
            },
        ]

    // MARK: What must stay

    private static let changingStatements: [Mutant] = (Member.changes + [.get, .list, .messages]).flatMap { member in
        ["identity", "settings", "migrations"].map { statement in
            Mutant(
                "capabilities.\(statement)-after-\(member.rawValue)",
                "After \(member.rawValue) the \(statement) of the store are others.",
                caughtBy: ["capabilities.steady-after-each"], remembering: Memory(0)
            ) { store, count in
                store.around([member], after: { _, _ in count { $0 += 1 } })
                switch statement {
                case "identity":
                    store.identity = { [data = store.data] in
                        StoreIdentity(
                            backend: MutantStore.name, place: "\(ObjectIdentifier(data)) \(count { min($0, 1) })")
                    }
                case "settings":
                    store.effectiveSettings = { [settings = store.effectiveSettings] in
                        try await settings() + (count { $0 } == 0 ? [] : [StoreSetting("changes", "many")])
                    }
                default:
                    store.migrations = { [migrations = store.migrations] in
                        count { $0 } == 0 ? try await migrations() : try await migrations().dropLast()
                    }
                }
            }
        }
    }

    private static let changingCapabilities: [Mutant] = {
        let changes: [(String, @Sendable (inout StoreCapabilities) -> Void)] = [
            ("content-bytes", { $0.limits.contentBytes -= 1 }), ("metadata-bytes", { $0.limits.metadataBytes -= 1 }),
            ("metadata-depth", { $0.limits.metadataDepth -= 1 }),
            ("tool-call-id-bytes", { $0.limits.toolCallIDBytes -= 1 }),
            ("actor-name-bytes", { $0.limits.actorNameBytes -= 1 }),
            ("batch-messages", { $0.limits.batchMessages -= 1 }), ("page-items", { $0.limits.pageItems -= 1 }),
            ("scope", { $0.scope = .many }), ("abilities", { $0.abilities.insert(StoreAbility("other")) }),
        ]
        return changes.flatMap { name, change in
            [
                Mutant(
                    "capabilities.\(name)-after-reopen", "When the store is opened again, \(name) are others.",
                    caughtBy: ["capabilities.same-after-reopen"], remembering: Memory(0)
                ) { store, openings in
                    if openings.next() > 1 { change(&store.capabilities) }
                },
                Mutant(
                    "capabilities.\(name)-of-instances", "The instances of a store declare different \(name).",
                    caughtBy: ["capabilities.statements-of-instances"], remembering: Memory(0)
                ) { store, openings in
                    if openings.next() > 1 { change(&store.capabilities) }
                },
            ]
                + (Member.changes + [.get]).prefix(name == "page-items" ? 9 : 2).map { member in
                    Mutant(
                        "capabilities.\(name)-after-\(member.rawValue)",
                        "After \(member.rawValue) the store declares other \(name).",
                        caughtBy: ["capabilities.steady-after-each"], remembering: Memory(false)
                    ) { store, isChanged in
                        store.around([member], after: { _, _ in isChanged { $0 = true } })
                        store.alterCapabilities = { if isChanged({ $0 }) { change(&$0) } }
                    }
                }
        }
    }()

    // MARK: Settings

    private static let wrongSettings: [Mutant] = {
        let more: [(String, StoreSetting)] = [
            ("password", StoreSetting("password", "hunter2")), ("passphrase", StoreSetting("Passphrase", "hunter2")),
            ("secret", StoreSetting("client_secret", "hunter2")), ("token", StoreSetting("auth-token", "hunter2")),
            ("url", StoreSetting("url", "postgres://user:hunter2@host/database")),
            ("url-parameter", StoreSetting("url", "postgres://host/database?user=a&password=hunter2")),
            ("words", StoreSetting("connection", "host=/tmp user=me password=hunter2")),
            ("quoted", StoreSetting("connection", "user = 'me' PASSWORD = 'hunter 2'")),
            ("environment", StoreSetting("environment", "PGUSER=me PGPASSWORD=hunter2")),
        ]
        let shapes: [(String, String, @Sendable ([StoreSetting]) -> [StoreSetting])] = [
            ("without-engine", "do not name the engine", { $0.filter { $0.name != "engine" } }),
            ("without-version", "have no version of the engine", { _ in [StoreSetting("engine", "memory")] }),
            ("engine-twice", "name the engine twice", { $0 + $0 }),
            ("twice", "have a name twice", { $0 + [StoreSetting("a", "1"), StoreSetting("a", "2")] }),
            ("nameless", "have one without a name", { $0 + [StoreSetting("", "1")] }),
            ("none", "are none", { _ in [] }),
        ]
        return more.map { name, setting in
            Mutant(
                "capabilities.settings-\(name)", "A setting shows a secret (\(name)).",
                caughtBy: ["capabilities.settings-no-secret"]
            ) { store in
                store.effectiveSettings = { [settings = store.effectiveSettings] in try await settings() + [setting] }
            }
        }
            + shapes.map { name, what, shape in
                Mutant("capabilities.settings-\(name)", "The settings \(what).", caughtBy: ["capabilities.settings"]) {
                    store in
                    store.effectiveSettings = { [settings = store.effectiveSettings] in shape(try await settings()) }
                }
            }
    }()

    // MARK: Checks

    private static let wrongChecks: [Mutant] = {
        let suspicions: [(String, String, @Sendable (Session, [SessionMessage]) -> Bool)] = [
            ("usage", "a total", { session, _ in session.usage.inputTokens > 0 }),
            ("largest", "the largest total", { session, _ in session.usage.inputTokens == .max }),
            (
                "revision", "a revision at the time of creation",
                { session, _ in session.createdAt == session.updatedAt }
            ),
            ("old", "a time before 1970", { session, _ in session.createdAt.microseconds < 0 }),
            ("late", "a time beyond 2262", { session, _ in session.updatedAt.microseconds > .max / 1000 }),
            ("name", "a name of the greatest length", { session, _ in session.actorName.utf8.count > 200 }),
            ("metadata", "metadata within metadata", { session, _ in session.metadata["in"] != nil }),
            ("empty", "an empty content", { _, messages in messages.contains { $0.content.isEmpty } }),
            ("nul", "U+0000", { _, messages in messages.contains { $0.content.unicodeScalars.contains("\0") } }),
            (
                "astral", "an astral character",
                { $1.contains { $0.content.unicodeScalars.contains { $0.value > 65_535 } } }
            ),
            ("call", "an empty tool call id", { _, messages in messages.contains { $0.toolCallID == "" } }),
            ("role", "a role of its own", { _, messages in messages.contains { $0.role.name == "critic" } }),
            (
                "order", "times of messages in no order",
                { zip($1, $1.dropFirst()).contains { $0.createdAt > $1.createdAt } }
            ),
            (
                "before", "a message from before its session",
                { $1.contains { [time = $0.createdAt] in $0.createdAt < time } }
            ),
            (
                "after", "a message from after its session",
                { $1.contains { [time = $0.updatedAt] in $0.createdAt > time } }
            ),
            ("id", "a message with the id of its session", { $1.contains { [id = $0.id] in $0.id == id } }),
        ]
        let perSession = suspicions.map { name, what, isSuspect in
            Mutant(
                "capabilities.checks-take-\(name)", "The checks take \(what) for damage.",
                caughtBy: ["capabilities.engine-checks-of-values"]
            ) { store in
                store.engineChecks = { [data = store.data] in
                    var check = VerificationCheck("own", "what a wrong store looks at")
                    for session in try await data.everySession() {
                        if isSuspect(session, try await data.everyMessage(of: session.id)) {
                            check.record(VerificationProblem(.messageCount, "It looks odd.", sessionID: session.id))
                        }
                    }
                    return [check]
                }
            }
        }
        let acrossSessions = Mutant(
            "capabilities.checks-take-shared-ids", "The checks take an id that two sessions have for damage.",
            caughtBy: ["capabilities.engine-checks-of-values"]
        ) { store in
            store.engineChecks = { [data = store.data] in
                var check = VerificationCheck("own", "what a wrong store looks at")
                var seen: Set<ULID> = []
                for session in try await data.everySession() {
                    for message in try await data.everyMessage(of: session.id) where !seen.insert(message.id).inserted {
                        check.record(VerificationProblem(.messageCount, "It is there twice.", sessionID: session.id))
                    }
                }
                return [check]
            }
        }
        return perSession + [acrossSessions]
    }()

    // MARK: Cancellation

    private static let afterCancelled: [Mutant] = Member.changes.flatMap { member in
        ["cancelled", "internal"].map { error in
            Mutant(
                "concurrency.after-cancelled-\(member.rawValue)-\(error)",
                "The call after a cancelled \(member.rawValue) fails (\(error)).",
                caughtBy: ["concurrency.after-cancelled-\(member.rawValue)"], remembering: Memory(false)
            ) { store, wasCancelled in
                store.around(
                    before: { _ in
                        guard wasCancelled({ $0 }) else { return }
                        wasCancelled { $0 = false }
                        throw StoreError(error == "cancelled" ? .cancelled : .internalFailure, "It was interrupted.")
                    },
                    after: { called, _ in
                        if called == member, Task.isCancelled { wasCancelled { $0 = true } }
                    })
            }
        }
    }
}

extension Memory<Int> {
    /// Counts on, and gives the number.
    func next() -> Int {
        self { number in
            number += 1
            return number
        }
    }
}
