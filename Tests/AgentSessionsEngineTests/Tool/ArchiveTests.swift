#if SQLite && LMDB && Postgres
import AgentSessions
import AgentSessionsBackends
import AgentSessionsMemory
import Foundation
import AgentSessionsPostgresServer
import Synchronization
import AgentSessionsTestSupport
import Testing

/// Where the tool writes an archive.
enum ArchivePlace: String, CaseIterable, Sendable {
    /// `--output FILE`.
    case file
    /// Standard output, which is a file.
    case redirected
    /// Standard output, which is a pipe.
    case pipe
}

@Suite("Archives of a busy store", .timeLimit(.minutes(5)))
struct ArchiveTests {
    private let shop: Workshop

    init() throws { shop = try Workshop() }

    @Test(
        "An archive that is written during changes holds every remaining session whole and can be imported",
        arguments: Engine.available, ArchivePlace.allCases)
    func writtenDuringChanges(engine: Engine, place: ArchivePlace) async throws {
        let url = try shop.url(engine)
        try await shop.withStore(url) { store in
            let crowd = try await Crowd(store.makeService(), deletesLong: place != .pipe)
            let before = try await documents(of: store)
            let archives = try await crowd.working {
                var archives: [String] = []
                for _ in 0..<2 { archives.append(try await export(url, to: place)) }
                return archives
            }
            for archive in archives {
                let sessions = try await MemorySessionStore().makeService().importSessions(
                    .file(path: archive), format: .native, options: ImportOptions())
                let lines = Set(
                    try String(contentsOfFile: archive, encoding: .utf8).split(separator: "\n").map(withoutExportTime))
                #expect(sessions.ids.count == lines.count)
                // Unchanged sessions are in the archive as they were, and each changed session is in it too.
                for id in crowd.still { #expect(lines.contains(try #require(before["\(id)"]?.dropLast()))) }
                for id in crowd.busy { #expect(lines.contains { $0.contains(#""id":"\#(id)""#) }) }
            }
        }
    }

    /// Exports every session with the built tool, and gives the file of the archive.
    private func export(_ url: String, to place: ArchivePlace) async throws -> String {
        let path = "\(shop.path)/\(UUID().uuidString).jsonl"
        let command = "'\(try BuiltTool.program.path)' --store '\(url)' export --all --output"
        let script =
            switch place {
            case .file: "\(command) \(path)"
            case .redirected: "\(command) - >\(path)"
            case .pipe: "{ \(command) -; echo $? >\(path).status; } | cat >\(path); exit $(cat \(path).status)"
            }
        let outcome = try await Shell.outcome(["/bin/sh", "-c", script])
        try #require(outcome.status == 0, "\(outcome.errors)")
        return path
    }
}

/// Tasks that append to sessions, rewind, delete and create them during an export.
private struct Crowd {
    let service: any SessionService
    /// Sessions that no task changes.
    let still: [ULID]
    /// Sessions that are appended to and rewound.
    let busy: [ULID]
    private let doomed: Mutexed<[ULID]>
    private let deletesLong: Bool

    /// A class, so that the tasks share it.
    private final class Mutexed<Value: Sendable>: Sendable {
        let value: Mutex<Value>
        init(_ value: Value) { self.value = Mutex(value) }
    }

    /// Several pages of messages.
    private static let messages = 450

    init(_ service: any SessionService, deletesLong: Bool) async throws {
        self.service = service
        self.deletesLong = deletesLong
        var made: [ULID] = []
        for _ in 0..<14 { made.append(try await service.filled(Self.messages).id) }
        still = Array(made[..<4])
        busy = Array(made[4..<10])
        doomed = Mutexed(Array(made[10...]) + (deletesLong ? [try await Self.long(service)] : []))
    }

    /// A session that is longer than what an export keeps in memory.
    private static func long(_ service: any SessionService) async throws -> ULID {
        let session = try await service.create(actorName: "long")
        let text = String(repeating: "x", count: 1 << 20)
        for _ in 0..<6 { try await service.appendMessage(NewMessage(.user, text), to: session.id) }
        return session.id
    }

    /// Runs `body` while the crowd works.
    func working<Result: Sendable>(_ body: () async throws -> Result) async throws -> Result {
        try await withThrowingTaskGroup(of: Void.self) { group in
            for work in [append, rewind, replace] {
                group.addTask {
                    while !Task.isCancelled { try await work() }
                }
            }
            do {
                let result = try await body()
                group.cancelAll()
                while let ended = await group.nextResult() {
                    if case .failure(let error as StoreError) = ended, error.code != .cancelled { throw error }
                }
                return result
            } catch {
                group.cancelAll()
                throw error
            }
        }
    }

    private func append() async throws {
        guard let id = busy.randomElement() else { return }
        try await service.appendMessage(NewMessage(.user, "more"), to: id)
        try? await Task.sleep(for: .milliseconds(5))
    }

    private func rewind() async throws {
        guard let id = busy.randomElement() else { return }
        let count = try await service.count(id)
        try await service.rewind(id, to: .random(in: max(0, count - 20)...count))
        try? await Task.sleep(for: .milliseconds(25))
    }

    private func replace() async throws {
        guard let id = doomed.value.withLock({ $0.popFirst() }) else { return }
        let isLong = try await service.get(id).actorName == "long"
        try await service.delete(id)
        let next = isLong ? try await Self.long(service) : try await service.filled(Self.messages).id
        doomed.value.withLock { $0.append(next) }
        try? await Task.sleep(for: .milliseconds(10))
    }
}

extension Array {
    fileprivate mutating func popFirst() -> Element? { isEmpty ? nil : removeFirst() }
}

/// A document without the time of its export.
private func withoutExportTime(_ line: Substring) -> Substring {
    Substring(line.replacing(/"exported_at":"[^"]*",/, with: "", maxReplacements: 1))
}
#endif
