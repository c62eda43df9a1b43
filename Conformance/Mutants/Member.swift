import AgentSessions

/// A call of a store, an increment of usage apart from other changes.
enum Member: String, CaseIterable, Sendable {
    case create, get, list, update, usage, delete, restore, replace, append, messages, rewind
    case settings, migrations, identity, checks

    /// Those that change sessions.
    static let changes: [Member] = [.create, .update, .usage, .delete, .restore, .replace, .append, .rewind]
    /// Those that say something of the store.
    static let statements: [Member] = [.settings, .migrations, .identity, .checks]
}

extension StoreMethods {
    /// What is done after a call, which threw that error, or none. What it throws takes the place of the answer.
    typealias After = @Sendable (Member, (any Error)?) async throws -> Void

    /// Does something before and after each call of some members.
    mutating func around(
        _ members: [Member] = Member.allCases, before: @escaping @Sendable (Member) async throws -> Void = { _ in },
        after: @escaping After = { _, _ in }
    ) {
        let members = Set(members)
        @Sendable func run<Result: Sendable>(
            _ member: Member, _ call: @Sendable () async throws -> Result
        ) async throws -> Result {
            guard members.contains(member) else { return try await call() }
            try await before(member)
            do {
                let result = try await call()
                try await after(member, nil)
                return result
            } catch {
                try await after(member, error)
                throw error
            }
        }
        create = { [create] new in try await run(.create) { try await create(new) } }
        get = { [get] id in try await run(.get) { try await get(id) } }
        list = { [list] request in try await run(.list) { try await list(request) } }
        update = { [update] id, change in
            try await run(change.usage == nil ? .update : .usage) { try await update(id, change) }
        }
        delete = { [delete] id, time in try await run(.delete) { try await delete(id, time) } }
        restore = { [restore] session, source in try await run(.restore) { try await restore(session, source) } }
        replace = { [replace] session, source, expected in
            try await run(.replace) { try await replace(session, source, expected) }
        }
        append = { [append] request in try await run(.append) { try await append(request) } }
        messages = { [messages] request in try await run(.messages) { try await messages(request) } }
        rewind = { [rewind] id, request in try await run(.rewind) { try await rewind(id, request) } }
        effectiveSettings = { [effectiveSettings] in try await run(.settings) { try await effectiveSettings() } }
        migrations = { [migrations] in try await run(.migrations) { try await migrations() } }
        identity = { [identity] in try await run(.identity) { try await identity() } }
        engineChecks = { [engineChecks] in try await run(.checks) { try await engineChecks() } }
    }
}

// MARK: - Sources

/// The messages of a source, each as `alter` makes it.
struct AlteredMessages: MessageSource {
    let base: any MessageSource
    let alter: @Sendable (SessionMessage) throws -> SessionMessage?

    var isReady: Bool { base.isReady }
    var copiedFrom: ULID? { base.copiedFrom }

    func makeReader() throws(StoreError) -> any MessageReader { Reader(base: try base.makeReader(), alter: alter) }

    private struct Reader: MessageReader {
        var base: any MessageReader
        let alter: @Sendable (SessionMessage) throws -> SessionMessage?

        mutating func next() throws(StoreError) -> SessionMessage? {
            while let next = try base.next() {
                do {
                    if let altered = try alter(next) { return altered }
                } catch {
                    throw error as? StoreError ?? StoreError(.internalFailure, "Unexpected \(type(of: error)).")
                }
            }
            return nil
        }
    }
}
