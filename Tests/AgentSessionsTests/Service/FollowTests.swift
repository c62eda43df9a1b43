import AgentSessionsMemory
import Synchronization
import Testing

@testable import AgentSessions

@Suite("Following a session", .timeLimit(.minutes(1)))
struct FollowTests {
    private let store = MemorySessionStore()

    private var service: PersistentSessionService<MemorySessionStore> {
        PersistentSessionService(store, retryPolicy: .never)
    }

    private func session(_ count: Int) async throws -> ULID {
        let id = try await service.create(actorName: "a").id
        if count > 0 { try await service.append((1...count).map { NewMessage(.user, "\($0)") }, to: id) }
        return id
    }

    /// An append that no follower of this process hears of, as another process makes it.
    private func appendElsewhere(_ contents: [String], to id: ULID) async throws {
        let messages = try contents.map {
            PendingMessage(id: try ULIDGenerator.shared.next(), role: .user, content: $0)
        }
        _ = try await store.append(AppendRequest(sessionID: id, messages: messages, time: .now()))
    }

    @Test("A follower gets what is there and then each append, once and in order", arguments: [0, 1, 450])
    func order(stored: Int) async throws {
        let id = try await session(stored)
        let service = service
        let writer = Task {
            for number in 1...50 {
                try await service.append([NewMessage(.user, "\(number)"), NewMessage(.assistant, "\(number)")], to: id)
            }
        }
        var sequences: [Int] = []
        // Nobody else writes, so that a look after an hour would come too late.
        for try await message in service.follow(id, after: 0, pollInterval: .seconds(3600)) {
            sequences.append(message.sequence)
            if sequences.count == stored + 100 { break }
        }
        #expect(sequences == Array(1...(stored + 100)))
        try await writer.value
    }

    @Test("A follower that begins behind a sequence gets what comes after it")
    func after() async throws {
        let id = try await session(5)
        var follower = service.follow(id, after: 3).makeAsyncIterator()
        #expect(try await follower.next()?.sequence == 4)
        #expect(try await follower.next()?.sequence == 5)
        try await service.append([NewMessage(.user, "6")], to: id)
        #expect(try await follower.next()?.content == "6")
    }

    @Test("Appends of others are found by looks at the session")
    func polling() async throws {
        let id = try await session(1)
        var follower = service.follow(id, after: 1, pollInterval: .milliseconds(50)).makeAsyncIterator()
        let writer = Task {
            try await Task.sleep(for: .milliseconds(120))
            try await appendElsewhere(["2", "3"], to: id)
        }
        #expect(try await follower.next()?.content == "2")
        #expect(try await follower.next()?.content == "3")
        try await writer.value
    }

    @Test("A follower ends with its task", arguments: [true, false])
    func cancellation(isWaiting: Bool) async throws {
        let id = try await session(0)
        let service = service
        let task = Task {
            var count = 0
            for try await _ in service.follow(id, after: 0, pollInterval: .seconds(3600)) { count += 1 }
            return count
        }
        if isWaiting { try await Task.sleep(for: .milliseconds(50)) }
        task.cancel()
        #expect(try await task.value == 0)
    }

    @Test("A session that is deleted ends with an error, and stays ended")
    func deletion() async throws {
        let id = try await session(1)
        var follower = service.follow(id).makeAsyncIterator()
        _ = try await follower.next()
        let deletion = Task { [service] in try await service.delete(id) }
        let error = await #expect(throws: StoreError.self) { try await follower.next() }
        #expect(error?.code == .notFound)
        #expect(try await follower.next() == nil)
        try await deletion.value
        let absent = await #expect(throws: StoreError.self) {
            var follower = service.follow(id).makeAsyncIterator()
            _ = try await follower.next()
        }
        #expect(absent?.code == .notFound)
    }

    @Test(
        "A rewind below what was given names the sequence to follow from again",
        arguments: [
            // How far it is rewound, and how many messages come then.
            (0, 0), (4, 0), (9, 0), (0, 3), (4, 3), (4, 6), (4, 30), (9, 1), (9, 5), (0, 10),
        ])
    func rewind(to sequence: Int, then count: Int) async throws {
        let id = try await service.create(actorName: "a").id
        for number in 1...10 { try await service.append([NewMessage(.user, "\(number)")], to: id) }
        var follower = service.follow(id).makeAsyncIterator()
        for _ in 1...10 { _ = try await follower.next() }
        try await service.rewind(id, to: sequence)
        for number in 0..<count { try await service.append([NewMessage(.user, "new \(number)")], to: id) }
        let error = await #expect(throws: StoreError.self) { try await follower.next() }
        #expect(error?.code == .conflict)
        #expect(error?.message.hasSuffix("follow it from \(sequence) again.") == true, "\(error?.message ?? "")")
        // Followed from there, everything comes.
        var again = service.follow(id, after: sequence).makeAsyncIterator()
        for number in 0..<count { #expect(try await again.next()?.content == "new \(number)") }
    }

    @Test("A rewind of what was not given yet changes nothing for the follower")
    func laterRewind() async throws {
        let id = try await session(450)
        var follower = service.follow(id).makeAsyncIterator()
        #expect(try await follower.next()?.sequence == 1)
        try await service.rewind(id, to: 300)
        try await service.append([NewMessage(.user, "301, again")], to: id)
        var last: SessionMessage?
        for _ in 2...301 { last = try await follower.next() }
        #expect(last?.content == "301, again")
    }

    @Test("A start behind the end, below 0, or with looks too close to each other is refused")
    func badValues() async throws {
        let id = try await session(2)
        for (sequence, interval, code) in [
            (3, Duration.seconds(1), StoreError.Code.conflict), (-1, .seconds(1), .invalidArgument),
            (0, .milliseconds(49), .invalidArgument), (0, .zero, .invalidArgument),
        ] {
            var follower = service.follow(id, after: sequence, pollInterval: interval).makeAsyncIterator()
            let error = await #expect(throws: StoreError.self) { try await follower.next() }
            #expect(error?.code == code)
        }
    }

    @Test("Two thousand followers of as many sessions each hear of their own, and leave nothing behind")
    func many() async throws {
        let service = service
        var ids: [ULID] = []
        for _ in 0..<2000 { ids.append(try await session(0)) }
        try await withThrowingTaskGroup(of: Bool.self) { group in
            for id in ids {
                group.addTask {
                    var follower = service.follow(id, after: 0, pollInterval: .seconds(3600)).makeAsyncIterator()
                    return try await follower.next()?.sessionID == id
                }
            }
            for id in ids.shuffled() { try await service.append([NewMessage(.user, "x")], to: id) }
            for try await isOwn in group { #expect(isOwn) }
        }
    }
}
