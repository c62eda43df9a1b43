/// A step of a store's schema, with the step that it builds on.
///
/// `Target` is what the backend lets a step work on: a connection inside the migration's transaction.
public struct Migration<Target>: Sendable {
    /// The name, which never changes once released.
    public let name: String
    /// The step before this one; `nil` for the first.
    public let parent: String?
    /// Who wrote the step.
    public let origin: MigrationOrigin
    /// Makes the step's tables or databases. It runs in the transaction that records it.
    public let apply: @Sendable (inout Target) throws(StoreError) -> Void

    /// A step of an application's own, to follow `parent`.
    public init(
        name: String, parent: String, apply: @escaping @Sendable (inout Target) throws(StoreError) -> Void
    ) {
        self.init(name: name, parent: parent, origin: .application, apply: apply)
    }

    package init(
        name: String, parent: String?, origin: MigrationOrigin,
        apply: @escaping @Sendable (inout Target) throws(StoreError) -> Void
    ) {
        self.name = name
        self.parent = parent
        self.origin = origin
        self.apply = apply
    }
}

/// Who wrote a step of the chain.
public enum MigrationOrigin: String, Sendable, Hashable, Codable {
    /// This package. A build that does not know such a step is too old for the store.
    case core
    /// An application. Builds without the step leave what it made alone.
    case application
}

/// A step that a store has, as the store records it.
public struct AppliedMigration: Sendable, Hashable {
    /// The name of the step.
    public let name: String
    /// Who wrote it.
    public let origin: MigrationOrigin
    /// When it was applied.
    public let appliedAt: Timestamp
    /// The build that applied it.
    public let build: String

    /// A step that a store has.
    public init(name: String, origin: MigrationOrigin, appliedAt: Timestamp, build: String) {
        self.name = name
        self.origin = origin
        self.appliedAt = appliedAt
        self.build = build
    }
}

/// A step of the chain, and whether a store has it.
public struct MigrationStatus: Sendable, Hashable {
    /// The name of the step.
    public let name: String
    /// The step before it; `nil` for the first, and for a step that this build does not know.
    public let parent: String?
    /// Who wrote it.
    public let origin: MigrationOrigin
    /// When it was applied; `nil` where the store lacks it.
    public let appliedAt: Timestamp?
    /// The build that applied it.
    public let build: String?

    /// A step of the chain.
    public init(name: String, parent: String?, origin: MigrationOrigin, appliedAt: Timestamp?, build: String?) {
        self.name = name
        self.parent = parent
        self.origin = origin
        self.appliedAt = appliedAt
        self.build = build
    }
}

extension MigrationStatus {
    /// The steps of this package, none of them applied: what a new store would be made with.
    public static let ofNewStore = [
        MigrationStatus(
            name: StoreFormat.Step.resourceRegistry, parent: nil, origin: .core, appliedAt: nil, build: nil),
        MigrationStatus(
            name: StoreFormat.Step.sessionPersistence, parent: StoreFormat.Step.resourceRegistry, origin: .core,
            appliedAt: nil, build: nil),
    ]
}

/// The steps that make a store what this build expects, each after its parent: first those of this package, then
/// those of the application.
public struct MigrationChain<Target>: Sendable {
    /// The steps in the order in which they are applied.
    public let steps: [Migration<Target>]

    /// A chain.
    ///
    /// - Throws: ``StoreError/Code/invalidArgument`` where a name comes twice, a parent does not stand before its
    ///   step, or two steps of one origin follow the same parent.
    public init(_ steps: [Migration<Target>]) throws(StoreError) {
        var previous: [MigrationOrigin: String] = [:]
        var known: Set<String> = []
        for step in steps {
            guard !known.contains(step.name) else {
                throw StoreError(.invalidArgument, "The migration \(quoted(step.name)) stands in the chain twice.")
            }
            guard step.origin == .application || previous[.application] == nil else {
                throw StoreError(
                    .invalidArgument, "The migration \(quoted(step.name)) stands after an application's steps.")
            }
            let expected = previous[step.origin] ?? (step.origin == .application ? step.parent : nil)
            guard step.parent == expected, step.parent.map(known.contains) ?? true else {
                throw StoreError(
                    .invalidArgument,
                    "The migration \(quoted(step.name)) names the parent \(quoted(step.parent ?? "none")), "
                        + "where \(quoted(expected ?? "none")) stands before it.")
            }
            known.insert(step.name)
            previous[step.origin] = step.name
        }
        self.steps = steps
    }

    /// The steps that a store lacks, in order.
    ///
    /// - Throws: ``StoreError/Code/newerStore`` where the store has a step of this package that this build does not
    ///   know; ``StoreError/Code/corrupt`` where it has a step without the one before;
    ///   ``StoreError/Code/conflict`` where a step of an application has the name of one of this package.
    public func pending(after applied: [AppliedMigration]) throws(StoreError) -> [Migration<Target>] {
        let known = Set(steps.map(\.name))
        if let unknown = applied.first(where: { $0.origin == .core && !known.contains($0.name) }) {
            throw .newerStore(
                "it has the migration \(quoted(unknown.name)), applied by \(quoted(unknown.build))")
        }
        let origins = Dictionary(steps.map { ($0.name, $0.origin) }) { first, _ in first }
        for record in applied {
            guard let origin = origins[record.name], origin != record.origin else { continue }
            throw StoreError(
                .conflict,
                "The store has a migration \(quoted(record.name)) of origin \(record.origin.rawValue), and this build "
                    + "another one of that name, of origin \(origin.rawValue). It was left untouched. Give the "
                    + "application's step a name of its own.")
        }
        let present = Set(applied.map(\.name))
        let pending = steps.filter { !present.contains($0.name) }
        for step in steps where present.contains(step.name) {
            if let gap = pending.first(where: { $0.name == step.parent }) {
                throw .corrupt(
                    "The record of migrations", "it has \(quoted(step.name)) without \(quoted(gap.name)) before it")
            }
        }
        return pending
    }

    /// The steps that a store must have applied for it, under a policy. Under ``MigrationPolicy/inspect`` there are none.
    ///
    /// - Throws: ``StoreError/Code/migrationRequired`` where steps are pending and the policy forbids to apply them;
    ///   what ``pending(after:)`` throws.
    public func pending(
        after applied: [AppliedMigration], policy: MigrationPolicy
    ) throws(StoreError) -> [Migration<Target>] {
        let pending = try pending(after: applied)
        if policy == .inspect { return [] }
        if policy == .require, let first = pending.first {
            throw StoreError(
                .migrationRequired,
                "The store lacks \(pending.count) steps of the migration chain, the first \(first.name), and "
                    + "migrate=require forbids to apply them on opening. Run `agent-sessions migrate`.")
        }
        return pending
    }

    /// Every step, known or applied, and whether the store has it.
    public func status(applied: [AppliedMigration]) -> [MigrationStatus] {
        let records = Dictionary(applied.map { ($0.name, $0) }) { first, _ in first }
        let known = steps.map { step in
            MigrationStatus(
                name: step.name, parent: step.parent, origin: step.origin,
                appliedAt: records[step.name]?.appliedAt, build: records[step.name]?.build)
        }
        let names = Set(steps.map(\.name))
        let foreign = applied.filter { !names.contains($0.name) }.map { record in
            MigrationStatus(
                name: record.name, parent: nil, origin: record.origin, appliedAt: record.appliedAt,
                build: record.build)
        }
        return known + foreign
    }
}

extension StoreError {
    /// The store was written by a newer build.
    ///
    /// - Parameter how: What shows it.
    public static func newerStore(_ how: String) -> StoreError {
        StoreError(
            .newerStore,
            "The store is newer than this build, \(BuildInfo.writer): \(how). It was left untouched. Use a newer "
                + "build, or another store.")
    }
}
