#if SQLite
import AgentSessions
import Foundation
import Synchronization
import Testing

@testable import AgentSessionsSQLite

@Suite("Write-ahead log", .timeLimit(.minutes(2)))
struct LogTests {
    private func logSize(_ folder: TemporaryFolder) throws -> Int {
        let attributes = try FileManager.default.attributesOfItem(atPath: folder.path() + "-wal")
        return try #require(attributes[.size] as? Int)
    }

    @Test("The write-ahead log is emptied again and again even if there is always a reader")
    func alwaysRead() async throws {
        try await withStore([setting(\.checkpointPages, 50), setting(\.synchronous, .normal)]) { service, folder in
            let session = try await service.create(actorName: "a")
            let readers = try OverlappingReaders(of: folder)
            defer { readers.stop() }
            let text = String(repeating: "text ", count: 4000)
            let start = ContinuousClock.now
            var (appended, size, emptied) = (0, 0, 0)
            // Usually 180 messages, and more if the machine has no time for the readers.
            while emptied < 2, size < 50 << 20, ContinuousClock.now - start < .seconds(20) {
                _ = try await service.appendMessage(NewMessage(.user, text), to: session.id)
                appended += 1
                let before = size
                size = try logSize(folder)
                if size < before { emptied += 1 }
            }
            #expect(emptied == 2, "\(size) bytes after \(appended) messages")
            #expect(try await service.count(session.id) == appended)
        }
    }

    @Test("The write-ahead log is short again after a large change")
    func largeChange() async throws {
        try await withStore([setting(\.checkpointPages, 50)]) { service, folder in
            let session = try await service.create(actorName: "a")
            let text = String(repeating: "text ", count: 4000)
            _ = try await service.append((0..<100).map { _ in NewMessage(.user, text) }, to: session.id)
            #expect(try logSize(folder) < 50 * 4096 * 8)
        }
    }

    @Test("A long read lets the log grow, delays writers only a little, and leaves a short log")
    func longRead() async throws {
        try await withStore([setting(\.checkpointPages, 20), setting(\.synchronous, .normal)]) { service, folder in
            let session = try await service.create(actorName: "a")
            let reader = try folder.raw()
            try reader.execute("BEGIN; SELECT count(*) FROM sessions")
            let text = String(repeating: "text ", count: 4000)
            let start = ContinuousClock.now
            for _ in 0..<100 { _ = try await service.appendMessage(NewMessage(.user, text), to: session.id) }
            let time = ContinuousClock.now - start
            #expect(time < .seconds(4), "\(time)")
            #expect(try logSize(folder) > 100 * 20_000)
            try reader.execute("COMMIT")
            var tries = 0
            while try logSize(folder) > 20 * 4096 * 10, tries < 1000 {
                _ = try await service.updateTokenUsage(session.id, adding: TokenUsage(inputTokens: 1))
                try await Task.sleep(for: .milliseconds(10))
                tries += 1
            }
            #expect(try logSize(folder) <= 20 * 4096 * 10)
        }
    }
}

@Suite("Bound on the write-ahead log")
struct LogBoundTests {
    private let bound = LogBound(pages: 1000, pageSize: 4096, busyTimeout: .seconds(5))
    private let millisecond: UInt64 = 1_000_000

    @Test("The bound is eight times the size that SQLite leaves in the log")
    func size() {
        #expect(bound.patience(with: 32_960_000) == nil)
        #expect(bound.patience(with: 32_960_001) == 200 * millisecond)
        #expect(bound.keptBytes == 8_240_000)
    }

    @Test(
        "A writer waits longer the longer the log is, and never for long",
        arguments: [(1, 200), (2, 400), (5, 1000), (1000, 1000), (200_000_000_000, 1000)])
    func waitingTime(times: Int, milliseconds: UInt64) {
        #expect(bound.patience(with: 32_960_001 * times) == milliseconds * millisecond)
    }

    @Test("A writer never waits for the log as long as other writers wait for their lock")
    func lessThanBusyTimeout() {
        let hasty = LogBound(pages: 1, pageSize: 4096, busyTimeout: .milliseconds(40))
        #expect(hasty.patience(with: .max) == 10 * millisecond)
        #expect(LogBound(pages: 1, pageSize: 4096, busyTimeout: .zero).patience(with: .max) == 0)
    }

    @Test("A log that cannot be emptied is tried less and less often")
    func backOff() {
        var bound = bound
        var now: UInt64 = 5
        for times in [2, 4, 8, 16, 32, 32] as [UInt64] {
            bound.waited(100 * millisecond, isEmpty: false, now: now)
            now += 100 * millisecond * times
            #expect(bound.patience(with: .max, now: now - 1) == nil)
            #expect(bound.patience(with: .max, now: now) != nil)
        }
        bound.waited(100 * millisecond, isEmpty: true, now: now)
        #expect(bound.patience(with: .max, now: now) != nil)
        bound.waited(100 * millisecond, isEmpty: false, now: now)
        #expect(bound.patience(with: .max, now: now + 200 * millisecond) != nil)
    }
}

/// Overlapping read transactions on a thread of their own: at every moment, one is open.
private final class OverlappingReaders: Sendable {
    private let isStopped = Atomic(false)
    private let isDone = DispatchSemaphore(value: 0)

    init(of folder: TemporaryFolder) throws {
        let connections = [try folder.raw(), try folder.raw()]
        try connections[0].execute("BEGIN; SELECT count(*) FROM sessions")
        Thread.detachNewThread { [self] in
            var turn = 1
            while !isStopped.load(ordering: .relaxed) {
                try? connections[turn].execute("BEGIN; SELECT count(*) FROM sessions")
                try? connections[1 - turn].execute("COMMIT")
                turn = 1 - turn
                usleep(2000)
            }
            isDone.signal()
        }
    }

    func stop() {
        isStopped.store(true, ordering: .relaxed)
        isDone.wait()
    }
}
#endif
