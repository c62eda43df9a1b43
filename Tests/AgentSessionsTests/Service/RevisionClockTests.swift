import AgentSessionsMemory
import Synchronization
import Testing

@testable import AgentSessions

@Suite("Revision clock under wrong times")
struct RevisionClockTests {
    /// A clock that shows these times one after the other, and then always the last one.
    private func showing(_ times: [Timestamp]) -> @Sendable () -> Timestamp {
        let rest = Mutex(times[...])
        return { rest.withLock { $0.count > 1 ? $0.removeFirst() : $0.first ?? .earliest } }
    }

    private static let second: Int64 = 1_000_000
    private static let wrongTimes: [Timestamp] = [
        time(10 * second), time(86_400 * second), Timestamp("2099-01-01T00:00:00.000000Z") ?? .latest, .latest,
    ]

    @Test("One reading of a clock that is ahead stamps one change and no later one", arguments: wrongTimes)
    func ahead(wrong: Timestamp) throws {
        let clock = RevisionClock(now: showing([time(), wrong, time(1), time(1), time(5)]))
        let times = try (0..<5).map { _ in try clock.next() }
        #expect(times == [time(), wrong, time(1), time(2), time(5)])
    }

    @Test("A system clock that jumps back and forth gives no revision twice", arguments: wrongTimes.dropLast())
    func toAndFro(wrong: Timestamp) throws {
        let clock = RevisionClock(now: showing((0..<20).map { $0.isMultiple(of: 2) ? time() : wrong }))
        let times = try (0..<20).map { _ in try clock.next() }
        #expect(Set(times).count == 20)
        #expect(times.allSatisfy { abs($0.microseconds - time().microseconds) < 20 || $0 >= wrong })
        #expect(times.count { $0 >= wrong } == 10)
    }

    @Test("A clock that is set back by less than a second goes on from its latest time")
    func setBackALittle() throws {
        let clock = RevisionClock(now: showing([time(Self.second), time(), time(1), time(Self.second + 9)]))
        let last = Self.second
        #expect(
            try (0..<4).map { _ in try clock.next() } == [time(last), time(last + 1), time(last + 2), time(last + 9)])
    }

    @Test("A session that was stamped in 2099 goes on from there, and other sessions do not follow it")
    func otherSessions() async throws {
        let wrong = try #require(Timestamp("2099-01-01T00:00:00.000000Z"))
        let service = PersistentSessionService(
            MemorySessionStore(), now: showing([time(), time(1), wrong] + (2..<20).map { time($0) }))
        let (stamped, other) = (try await service.create(actorName: "a"), try await service.create(actorName: "b"))
        #expect(try await service.update(stamped.id, actorName: "x").revision == wrong)
        #expect(try await service.appendMessage(NewMessage(.user, "1"), to: other.id).createdAt == time(2))
        #expect(try await service.updateTokenUsage(other.id, adding: .zero).revision == time(3))
        #expect(try await service.create(actorName: "c").createdAt == time(4))
        // The revisions of the stamped session itself go on from 2099.
        let next = try await service.appendMessage(NewMessage(.user, "1"), to: stamped.id).createdAt
        #expect(next.microseconds == wrong.microseconds + 1)
        #expect(try await service.rewind(other.id, to: 0).revision == time(6))
    }
}
