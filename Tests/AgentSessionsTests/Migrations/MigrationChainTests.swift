import Testing

@testable import AgentSessions

@Suite("Migration chain")
struct MigrationChainTests {
    private static let first = StoreFormat.Step.resourceRegistry
    private static let second = StoreFormat.Step.sessionPersistence

    private func core(_ name: String, _ parent: String?) -> Migration<[String]> {
        Migration(name: name, parent: parent, origin: .core) { target in target.append(name) }
    }

    private func own(_ name: String, _ parent: String) -> Migration<[String]> {
        Migration(name: name, parent: parent) { (target) throws(StoreError) in target.append(name) }
    }

    private var two: [Migration<[String]>] { [core(Self.first, nil), core(Self.second, Self.first)] }

    private func applied(_ name: String, _ origin: MigrationOrigin = .core) -> AppliedMigration {
        AppliedMigration(name: name, origin: origin, appliedAt: time(), build: "agent-sessions/9.9.9")
    }

    @Test("Pending migrations come in order and do their work")
    func pending() throws {
        let chain = try MigrationChain(two + [own("x1", Self.second), own("x2", "x1")])
        var done: [String] = []
        for step in try chain.pending(after: []) { try step.apply(&done) }
        #expect(done == [Self.first, Self.second, "x1", "x2"])
        #expect(try chain.pending(after: [applied(Self.first)]).map(\.name) == [Self.second, "x1", "x2"])
        let all = [applied(Self.first), applied(Self.second), applied("x1", .application), applied("x2", .application)]
        #expect(try chain.pending(after: all).isEmpty)
    }

    @Test("Migrations of an application may follow any of ours, and later ones of ours are still applied")
    func interleaved() throws {
        let chain = try MigrationChain(two + [core("c3", Self.second), own("x1", Self.second)])
        let records = [applied(Self.first), applied(Self.second), applied("x1", .application)]
        #expect(try chain.pending(after: records).map(\.name) == ["c3"])
    }

    @Test("A chain that is not connected is refused")
    func badChains() throws {
        let chains: [[Migration<[String]>]] = [
            two + [core(Self.second, Self.second)],
            [core(Self.first, "nowhere")],
            [core(Self.first, nil), core(Self.second, nil)],
            [core(Self.first, nil), core(Self.second, "nowhere")],
            [core(Self.second, Self.first), core(Self.first, nil)],
            two + [own("x1", "nowhere")],
            two + [own("x1", "x1")],
            two + [own("x1", Self.second), own("x2", Self.second)],
            two + [own("x2", "x1"), own("x1", Self.second)],
            two + [own("x1", Self.second), core("c3", Self.second)],
        ]
        for steps in chains {
            let error = try syncError { () throws(StoreError) in try MigrationChain(steps) }
            #expect(error.code == .invalidArgument, "\(steps.map(\.name))")
        }
        #expect(try MigrationChain<[String]>([]).steps.isEmpty)
    }

    @Test("A core migration that the build does not know makes the store too new")
    func newer() throws {
        let chain = try MigrationChain(two)
        let error = try syncError { () throws(StoreError) in
            try chain.pending(after: [applied(Self.first), applied(Self.second), applied("c9")])
        }
        #expect(error.code == .newerStore)
        #expect(error.message.contains("c9"))
        #expect(error.message.contains("9.9.9"))
        #expect(try syncError { () throws(StoreError) in try StoreFormat.check(2) }.code == .newerStore)
        try StoreFormat.check(1)
        try StoreFormat.check(0)
    }

    @Test("An unknown migration of an application is left alone")
    func foreignStep() throws {
        let chain = try MigrationChain(two)
        let records = [applied(Self.first), applied(Self.second), applied("x1", .application)]
        #expect(try chain.pending(after: records).isEmpty)
        let status = chain.status(applied: records)
        #expect(status.map(\.name) == [Self.first, Self.second, "x1"])
        #expect(status.map(\.origin) == [.core, .core, .application])
        #expect(status.map(\.parent) == [nil, Self.first, nil])
        #expect(status.allSatisfy { $0.appliedAt == time() && $0.build == "agent-sessions/9.9.9" })
    }

    @Test("A migration without its predecessor is corrupt")
    func gap() throws {
        let chain = try MigrationChain(two + [core("c3", Self.second), own("x1", "c3")])
        for records in [
            [applied(Self.second)], [applied(Self.first), applied("c3")], [applied("c3")],
            [applied(Self.first), applied(Self.second), applied("x1", .application)],
        ] {
            #expect(try syncError { () throws(StoreError) in try chain.pending(after: records) }.code == .corrupt)
        }
    }

    @Test("A migration whose name another origin has recorded does not count as applied")
    func takenName() throws {
        let chain = try MigrationChain(two + [core("c3", Self.second)])
        let error = try syncError { () throws(StoreError) in
            try chain.pending(after: [applied(Self.first), applied(Self.second), applied("c3", .application)])
        }
        #expect(error.code == .conflict)
        #expect(error.message.contains("c3"))
    }

    @Test("The policy decides whether pending migrations may be applied")
    func policy() throws {
        let chain = try MigrationChain(two)
        let half = [applied(Self.first)]
        #expect(try chain.pending(after: half, policy: .apply).map(\.name) == [Self.second])
        let error = try syncError { () throws(StoreError) in try chain.pending(after: half, policy: .require) }
        #expect(error.code == .migrationRequired)
        #expect(error.message.contains(Self.second))
        #expect(try chain.pending(after: half + [applied(Self.second)], policy: .require).isEmpty)
        #expect(chain.status(applied: half).map(\.appliedAt) == [time(), nil])
    }
}
