import AgentSessions
import AgentSessionsConformance
import AgentSessionsMemory

extension Mutant {
    /// Off by one byte, one microsecond, one field; and what a store says of itself.
    static let exactness: [Mutant] =
        sizes.map { name, mistake, bytes in
            Mutant("page.\(name)", mistake, caughtBy: ["page.byte-limit-exact"]) { store in
                store.messages = { [store] request in
                    var whole = request
                    whole.byteLimit = .max
                    guard let page = try await store.messages(whole) else { return nil }
                    let isFromTheBack = request.range.isFromTheBack
                    var taken: [SessionMessage] = []
                    var sum = 0
                    for message in isFromTheBack ? page.messages.reversed() : page.messages {
                        taken.append(message)
                        sum += bytes(message)
                        if sum >= request.byteLimit { break }
                    }
                    return MessagePage(session: page.session, messages: isFromTheBack ? taken.reversed() : taken)
                }
            }
        } + [
            Mutant(
                "page.bytes-beyond", "A page ends after the message that brings its bytes beyond the limit.",
                caughtBy: ["page.byte-limit-exact"]
            ) { store in
                store.messages = { [store] request in
                    var request = request
                    if request.byteLimit > 0, request.byteLimit < .max { request.byteLimit += 1 }
                    return try await store.messages(request)
                }
            },
            Mutant(
                "page.nothing-within-nothing", "Within no byte there is no message.",
                caughtBy: ["page.byte-limit-exact"]
            ) { store in
                store.messages = { [store] request in
                    guard let page = try await store.messages(request) else { return nil }
                    return MessagePage(session: page.session, messages: request.byteLimit < 1 ? [] : page.messages)
                }
            },
            Mutant(
                "page.two-bytes", "A page after a sequence that two bytes do not hold begins elsewhere.",
                caughtBy: ["page.beyond-two-bytes"]
            ) { store in
                store.messages = { [store] request in
                    var request = request
                    if case .after(let sequence) = request.range, sequence > 0, sequence < .max - 1 {
                        request.range = .after(sequence & 0xFFFF)
                    }
                    return try await store.messages(request)
                }
            },
            Mutant(
                "page.count-of-two-bytes", "A session counts no more messages than two bytes hold.",
                caughtBy: ["page.beyond-two-bytes"]
            ) { store in
                store.alterSessions { session in
                    var session = session
                    session.messageCount &= 0xFFFF
                    return session
                }
            },
            Mutant(
                "append.millisecond-time", "The time of an append is cut to milliseconds.",
                caughtBy: ["identity.revision-of-each-change"]
            ) { store in
                store.append = { [store] request in
                    var request = request
                    request.time = request.time.milliseconds
                    return try await store.append(request)
                }
            },
            Mutant(
                "usage.millisecond-time", "The time of an increment is cut to milliseconds.",
                caughtBy: ["identity.revision-of-each-change"]
            ) { store in
                store.update = { [store] id, change in
                    var change = change
                    if change.usage != nil { change.time = change.time.milliseconds }
                    return try await store.update(id, change)
                }
            },
            Mutant(
                "rewind.millisecond-time", "The time of a rewind is cut to milliseconds.",
                caughtBy: ["identity.revision-of-each-change"]
            ) { store in
                store.rewind = { [store] id, request in
                    var request = request
                    request.time = request.time.milliseconds
                    return try await store.rewind(id, request)
                }
            },
            changed("list.from-changed", "The lower bound of creation is one of the last change.") {
                $0.updatedFrom = $0.createdFrom
                $0.createdFrom = nil
            },
            changed("list.before-changed", "The upper bound of creation is one of the last change.") {
                $0.updatedBefore = $0.createdBefore
                $0.createdBefore = nil
            },
            forgetting("update.forgets-output", "output tokens") { $0.outputTokens = $1.outputTokens },
            forgetting("update.forgets-input", "input tokens") { $0.inputTokens = $1.inputTokens },
            forgetting("update.forgets-cost", "cost") { $0.estimatedCost = $1.estimatedCost },
            Mutant(
                "usage.absent-first", "A negative increment of an absent session says that it is absent.",
                caughtBy: ["usage.negative-first"]
            ) { store in
                store.update = { [store] id, change in
                    guard try await store.get(id) != nil else { throw StoreError.sessionNotFound(id) }
                    return try await store.update(id, change)
                }
                store.append = { [store] request in
                    guard try await store.get(request.sessionID) != nil else {
                        throw StoreError.sessionNotFound(request.sessionID)
                    }
                    return try await store.append(request)
                }
            },
            Mutant(
                "usage.replay-first", "A replay is answered before its usage is looked at.",
                caughtBy: ["usage.negative-first"]
            ) { store in
                store.append = { [store] request in
                    let ids = Set(try await store.data.everyMessage(of: request.sessionID).map(\.id))
                    var request = request
                    if request.messages.allSatisfy({ ids.contains($0.id) }) { request.usage = nil }
                    return try await store.append(request)
                }
            },
        ] + ofItself

    /// What a store says of itself, wrongly.
    private static let ofItself: [Mutant] = [
        Mutant(
            "capabilities.one-identity", "All stores have one identity.", caughtBy: ["capabilities.identity"]
        ) { store in
            store.identity = { StoreIdentity(backend: MutantStore.name, place: "here") }
        },
        Mutant(
            "capabilities.identity-grows", "The identity changes with what is stored.",
            caughtBy: ["capabilities.identity"]
        ) { store in
            store.identity = { [data = store.data] in
                StoreIdentity(
                    backend: MutantStore.name,
                    place: "\(ObjectIdentifier(data)) \(try await data.everySession().count)")
            }
        },
        Mutant(
            "capabilities.identity-of-opening", "Each opening of a store has an identity of its own.",
            caughtBy: ["capabilities.identity-of-instances"], remembering: Memory(0)
        ) { store, openings in
            let number = openings { openings in
                openings += 1
                return openings
            }
            store.identity = { [data = store.data] in
                StoreIdentity(backend: MutantStore.name, place: "\(ObjectIdentifier(data)) \(number)")
            }
        },
        checking(
            "capabilities.checks-take-emptied", "The checks take a session without messages for damage.",
            caughtBy: ["capabilities.engine-checks"]
        ) { data, check in
            for session in try await data.everySession() where session.messageCount == 0 {
                check.record(VerificationProblem(.messageCount, "It has no messages.", sessionID: session.id))
            }
        },
        checking(
            "capabilities.checks-take-restored", "The checks take times that are older than the session for damage.",
            caughtBy: ["capabilities.engine-checks"]
        ) { data, check in
            let sessions = try await data.everySession()
            for (older, newer) in zip(sessions, sessions.dropFirst()) where older.createdAt == newer.createdAt {
                check.record(VerificationProblem(.danglingIndexEntry, "Two of one time.", sessionID: newer.id))
            }
        },
        checking(
            "capabilities.checks-mend", "The checks change what they look at.",
            caughtBy: ["capabilities.engine-checks"]
        ) { data, _ in
            for session in try await data.everySession() {
                _ = try await data.update(session.id, SessionChange(time: session.updatedAt))
            }
        },
        checking(
            "capabilities.checks-not-of-one-moment", "The checks read sessions and messages at different moments.",
            caughtBy: ["capabilities.engine-checks-while-busy"]
        ) { data, check in
            for session in try await data.everySession() {
                await roundTrip()
                if try await data.everyMessage(of: session.id).count != session.messageCount {
                    check.record(VerificationProblem(.messageCount, "It counts others.", sessionID: session.id))
                }
            }
        },
        checking(
            "capabilities.checks-count-backwards", "The checks tell a negative number of things that they looked at.",
            caughtBy: ["capabilities.engine-checks"]
        ) { _, check in
            check.examined -= 1
        },
    ]

    /// What a message counts for, wrongly.
    private static let sizes: [(String, String, @Sendable (SessionMessage) -> Int)] = [
        ("bytes-of-content", "The bytes of metadata do not count.", { $0.content.utf8.count }),
        (
            "bytes-of-metadata", "The bytes of content do not count.",
            { $0.payloadBytes - $0.content.utf8.count }
        ),
        (
            "bytes-are-characters", "Characters are counted in place of bytes.",
            { $0.content.count + $0.payloadBytes - $0.content.utf8.count }
        ),
        (
            "bytes-are-scalars", "Scalars are counted in place of bytes.",
            { $0.content.unicodeScalars.count + $0.payloadBytes - $0.content.utf8.count }
        ),
        (
            "bytes-are-utf-16", "Units of UTF-16 are counted in place of bytes.",
            { $0.content.utf16.count + $0.payloadBytes - $0.content.utf8.count }
        ),
        (
            "bytes-without-empty-metadata", "Empty metadata counts for nothing.",
            { $0.metadata.isEmpty ? $0.content.utf8.count : $0.payloadBytes }
        ),
        (
            "bytes-with-tool-call-id", "The tool call id counts too.",
            { $0.payloadBytes + ($0.toolCallID?.utf8.count ?? 0) }
        ),
        ("bytes-and-one", "Each message counts for a byte more.", { $0.payloadBytes + 1 }),
    ]

    private static func changed(
        _ id: String, _ mistake: String, _ alter: @escaping @Sendable (inout SessionFilter) -> Void
    ) -> Mutant {
        Mutant(id, mistake, caughtBy: ["list.created-not-changed"]) { store in
            store.list = { [store] request in
                var request = request
                alter(&request.filter)
                return try await store.list(request)
            }
        }
    }

    /// A change of the actor that leaves one of the totals as it was.
    private static func forgetting(
        _ id: String, _ what: String, _ forget: @escaping @Sendable (inout TokenUsage, TokenUsage) -> Void
    ) -> Mutant {
        Mutant(id, "A change that names an actor adds no \(what).", caughtBy: ["update.all-totals"]) { store in
            store.update = { [data = store.data] id, change in
                try await data.change { tables in
                    guard let session = try tables.session(id) else { throw StoreError.sessionNotFound(id) }
                    var changed = try change.apply(to: session)
                    if change.actorName != nil { forget(&changed.usage, session.usage) }
                    try tables.replace(session, with: changed)
                    return changed
                }
            }
        }
    }

    /// Checks of the store's own.
    private static func checking(
        _ id: String, _ mistake: String, caughtBy: [String],
        _ look: @escaping @Sendable (MemorySessionStore, inout VerificationCheck) async throws -> Void
    ) -> Mutant {
        Mutant(id, mistake, caughtBy: caughtBy) { store in
            store.engineChecks = { [data = store.data] in
                var check = VerificationCheck("own", "what a wrong store looks at")
                try await look(data, &check)
                return [check]
            }
        }
    }
}

extension Timestamp {
    fileprivate var milliseconds: Timestamp { Timestamp(microseconds: microseconds / 1000 * 1000) ?? self }
}
