import AgentSessions
import AgentSessionsConformance
import AgentSessionsMemory

extension Mutant {
    static let limits: [Mutant] = [
        refusing(
            "limits.content", "A content of the largest size that is declared is refused.", caughtBy: ["limits.content"]
        ) { store, message in
            message.content.utf8.count >= store.capabilities.limits.contentBytes
        },
        refusing("limits.1-mib", "A content of more than 1 MiB is refused.", caughtBy: ["limits.content"]) {
            _, message in
            message.content.utf8.count > 1 << 20
        },
        refusing("limits.metadata", "Metadata of more than 64 KiB is refused.", caughtBy: ["limits.metadata"]) {
            _, message in
            message.metadata.reduce(0) { $0 + "\($1.value)".utf8.count } > 64 << 10
        },
        refusing("limits.depth", "Metadata deeper than 32 levels is refused.", caughtBy: ["limits.depth"]) {
            _, message in
            message.metadata.contains { $0.value.depth >= 32 }
        },
        refusing("limits.call", "A tool call id of more than 64 bytes is refused.", caughtBy: ["limits.tool-call-id"]) {
            _, message in
            (message.toolCallID?.utf8.count ?? 0) > 64
        },
        Mutant("limits.actor", "An actor's name of more than 128 bytes is refused.", caughtBy: ["limits.actor"]) {
            store in
            store.create = { [store] new in
                guard new.actorName.utf8.count <= 128 else {
                    throw StoreError(.limitExceeded, "The actor name has more than 128 bytes.")
                }
                return try await store.create(new)
            }
        },
        Mutant("limits.batch", "A batch of more than 999 messages is refused.", caughtBy: ["batch.largest"]) {
            store in
            store.append = { [store] request in
                guard request.messages.count <= 999 else {
                    throw StoreError(.internalFailure, "too many SQL variables")
                }
                return try await store.append(request)
            }
        },
        Mutant(
            "limits.session", "A session takes no more than 1,000 messages.", caughtBy: ["page.more-than-a-thousand"]
        ) { store in
            store.append = { [store] request in
                if let session = try await store.get(request.sessionID), session.messageCount >= 1000 {
                    throw StoreError(.limitExceeded, "The session is full.")
                }
                return try await store.append(request)
            }
        },
        Mutant(
            "limits.usage-in-53-bits", "A total above 2^53 is refused.",
            caughtBy: ["usage.overflow-input", "usage.64-bits"]
        ) { store in
            store.update = { [store] id, change in
                if let usage = change.usage, usage.inputTokens > 1 << 53 {
                    throw StoreError(.limitExceeded, "The total is too large.")
                }
                return try await store.update(id, change)
            }
        },
        Mutant("limits.raises", "The store declares larger limits than it takes.", caughtBy: ["limits.content"]) {
            store in
            store.capabilities.limits.contentBytes = 32 << 20
            store.append = { [store] request in
                guard !request.messages.contains(where: { $0.content.utf8.count > 16 << 20 }) else {
                    throw StoreError(.limitExceeded, "The content has more than 16 MiB.")
                }
                return try await store.append(request)
            }
        },
        Mutant("limits.nonsense", "A declared limit is zero.", caughtBy: ["limits.lowered"]) { store in
            store.capabilities.limits.toolCallIDBytes = 0
        },
    ]

    static let errors: [Mutant] = [
        refused(
            "errors.conflict-is-busy", "A conflict is told as busy, so that it is tried again.", .conflict,
            caughtBy: [
                "errors.no-content-conflict-revision", "errors.no-content-conflict-sequence",
                "errors.no-content-conflict-replay",
            ]
        ) {
            StoreError(.busy, $0.message)
        },
        refused(
            "errors.conflict-is-internal", "A conflict is told as an internal failure.", .conflict,
            caughtBy: [
                "errors.no-content-conflict-revision", "errors.no-content-conflict-sequence",
                "errors.no-content-conflict-replay",
            ]
        ) {
            StoreError(.internalFailure, $0.message)
        },
        refused(
            "errors.taken-is-conflict", "An id that is taken is told as a conflict.", .alreadyExists,
            caughtBy: ["errors.no-content-already-exists", "errors.after-refusal", "errors.name-the-session"]
        ) {
            StoreError(.conflict, $0.message)
        },
        refused(
            "errors.absent-is-argument", "An absent session is told as an invalid argument.", .notFound,
            caughtBy: ["errors.no-content-not-found", "errors.name-the-session", "errors.not-transient"]
        ) {
            StoreError(.invalidArgument, $0.message)
        },
        refused(
            "errors.absent-is-internal", "An absent session is told as an internal failure.", .notFound,
            caughtBy: ["errors.no-content-not-found", "errors.name-the-session", "errors.not-transient"]
        ) {
            StoreError(.internalFailure, $0.message)
        },
        refused(
            "errors.overflow-is-internal", "A total that overflows is told as an internal failure.", .limitExceeded,
            caughtBy: ["usage.overflow-input", "usage.append-overflow"]
        ) { StoreError(.internalFailure, $0.message) },
        refused(
            "errors.overflow-is-argument", "A total that overflows is told as an invalid argument.", .limitExceeded,
            caughtBy: ["usage.overflow-input", "usage.append-overflow"]
        ) { StoreError(.invalidArgument, $0.message) },
        refused(
            "errors.argument-is-limit", "A negative increment is told as a limit.", .invalidArgument,
            caughtBy: ["errors.after-refusal"]
        ) {
            StoreError(.limitExceeded, $0.message)
        },
        refused("errors.no-message", "Errors have no message.", nil, caughtBy: ["errors.name-the-session"]) {
            StoreError($0.code, "")
        },
        refused("errors.no-id", "Errors do not name the session.", nil, caughtBy: ["errors.name-the-session"]) {
            StoreError($0.code, "The operation could not be completed. Check the session.")
        },
        Mutant(
            "errors.content", "The error of a refused append shows the content.",
            caughtBy: [
                "errors.no-content-not-found", "errors.no-content-conflict-sequence",
                "errors.no-content-conflict-replay",
            ]
        ) { store in
            store.append = { [store] request in
                do {
                    return try await store.append(request)
                } catch let error as StoreError {
                    throw StoreError(
                        error.code,
                        "\(error.message) VALUES ('\(request.messages.map(\.content).joined(separator: "', '"))')")
                }
            }
        },
        Mutant(
            "errors.content-in-cause", "The cause of a refused append shows the content.",
            caughtBy: [
                "errors.no-content-not-found", "errors.no-content-conflict-sequence",
                "errors.no-content-conflict-replay",
            ]
        ) { store in
            store.append = { [store] request in
                do {
                    return try await store.append(request)
                } catch let error as StoreError {
                    throw StoreError(
                        error.code, error.message, cause: StatementFailed(parameters: request.messages.map(\.content)))
                }
            }
        },
        Mutant(
            "errors.metadata", "The error of a refused update shows the metadata.",
            caughtBy: ["errors.no-content-conflict-revision"]
        ) { store in
            store.update = { [store] id, change in
                do {
                    return try await store.update(id, change)
                } catch let error as StoreError {
                    throw StoreError(
                        error.code, "\(error.message) SET metadata = \(change.metadata.map { "\($0)" } ?? "")")
                }
            }
        },
    ]

    private static func refusing(
        _ id: String, _ mistake: String, caughtBy: [String] = [],
        _ refuses: @escaping @Sendable (StoreMethods, PendingMessage) -> Bool
    ) -> Mutant {
        Mutant(id, mistake, caughtBy: caughtBy) { store in
            store.append = { [store] request in
                for message in request.messages where refuses(store, message) {
                    throw StoreError(.limitExceeded, "Message \(message.id) is too large.")
                }
                return try await store.append(request)
            }
        }
    }

    /// A store whose errors of a code, or of any, are told in another way.
    private static func refused(
        _ id: String, _ mistake: String, _ code: StoreError.Code?, caughtBy: [String] = [],
        _ alter: @escaping @Sendable (StoreError) -> StoreError
    ) -> Mutant {
        Mutant(id, mistake, caughtBy: caughtBy) { store in
            @Sendable func told<Result>(_ body: () async throws -> Result) async throws -> Result {
                do {
                    return try await body()
                } catch let error as StoreError where code == nil || error.code == code {
                    throw alter(error)
                }
            }
            store.create = { [store] new in try await told { try await store.create(new) } }
            store.update = { [store] id, change in try await told { try await store.update(id, change) } }
            store.append = { [store] request in try await told { try await store.append(request) } }
            store.rewind = { [store] id, request in try await told { try await store.rewind(id, request) } }
            store.restore = { [store] session, source in try await told { try await store.restore(session, source) } }
        }
    }
}

private struct StatementFailed: Error {
    let parameters: [String]
}

extension JSONValue {
    fileprivate var depth: Int {
        switch self {
        case .array(let elements): 1 + (elements.map(\.depth).max() ?? 0)
        case .object(let object): 1 + (object.map(\.value.depth).max() ?? 0)
        default: 0
        }
    }
}
