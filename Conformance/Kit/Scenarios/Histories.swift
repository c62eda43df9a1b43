import AgentSessions

extension Scenario {
    static let histories: [Scenario] = [
        Scenario(
            "history.clients", .history, "3.6",
            "Appends and reads of several clients come to one order that agrees with every answer and with the clock.",
            level: .full, timeLimit: .seconds(30)
        ) { test in
            try await test.checkHistory(through: Array(repeating: test.access, count: 4))
        },
        Scenario(
            "history.instances", .history, "3.6",
            "Appends and reads through several instances come to one order that agrees with every answer and with the "
                + "clock.", level: .full, requires: [.ability(.multipleInstances)], timeLimit: .seconds(30)
        ) { test in
            let second = try await test.secondInstance()
            try await test.checkHistory(through: [test.access, second, test.access, second])
        },
    ]
}

extension ScenarioContext {
    private static let lists = 2
    private static let callsOfAClient = 24

    /// Lets clients append and read at the same time, and checks what came of it.
    fileprivate func checkHistory(through clients: [StoreAccess]) async throws {
        var sessions: [ULID] = []
        for _ in 0..<Self.lists { sessions.append(try await access.create().id) }
        let recorder = HistoryRecorder()
        let seeds = clients.map { _ in randomNumber() }
        let shared = sessions
        let problems = try await atOnce(clients.count) { number in
            var client = HistoryClient(
                number: number, access: clients[number], sessions: shared, recorder: recorder,
                random: SeededRandom(seed: seeds[number]))
            for call in 0..<Self.callsOfAClient { try await client.act(call) }
            return client.problems
        }
        for problem in problems.flatMap({ $0 }) { fail(problem) }
        // In the end everything that was acknowledged must be there.
        for list in sessions.indices {
            var client = HistoryClient(
                number: clients.count, access: access, sessions: sessions, recorder: recorder,
                random: SeededRandom(seed: 0))
            try await client.read(list)
        }
        let history = recorder.history
        try write(history)
        let anomalies = history.anomalies()
        for anomaly in anomalies.prefix(5) { fail("\(anomaly)") }
    }
}

/// One of several clients.
private struct HistoryClient {
    let number: Int
    let access: StoreAccess
    let sessions: [ULID]
    let recorder: HistoryRecorder
    var random: SeededRandom
    private(set) var problems: [String] = []
    private var last: (list: Int, messages: [NewMessage], sequences: [Int])?

    init(
        number: Int, access: StoreAccess, sessions: [ULID], recorder: HistoryRecorder, random: SeededRandom
    ) {
        self.number = number
        self.access = access
        self.sessions = sessions
        self.recorder = recorder
        self.random = random
    }

    mutating func act(_ call: Int) async throws {
        let list = Int.random(in: 0..<sessions.count, using: &random)
        switch Int.random(in: 0..<10, using: &random) {
        case 0..<4: try await read(list)
        case 4 where last != nil: try await appendAgain()
        default:
            let first = (number * 1000 + call) * 10
            let elements = Array(first..<(first + (Bool.random(using: &random) ? 1 : 3)))
            let access = access
            let messages = elements.map { NewMessage(.user, "\($0)", id: access.newID()) }
            await append(elements, messages, to: list)
        }
    }

    mutating func read(_ list: Int) async throws {
        let operation = History.Operation.read(list: list)
        recorder.note(number, operation, .invoke)
        do throws(StoreError) {
            let messages = try await access.snapshot(of: sessions[list])?.messages ?? []
            recorder.note(
                number, operation,
                .read(elements: messages.map { Int($0.content) ?? -1 }, sequences: messages.map(\.sequence)))
        } catch {
            recorder.note(number, operation, .fail)
            throw error
        }
    }

    private mutating func append(_ elements: [Int], _ messages: [NewMessage], to list: Int) async {
        let operation = History.Operation.append(list: list, elements: elements)
        recorder.note(number, operation, .invoke)
        do throws(StoreError) {
            let stored = try await access.append(messages, to: sessions[list])
            recorder.note(number, operation, .appended(sequences: stored.map(\.sequence)))
            last = (list, messages, stored.map(\.sequence))
        } catch {
            recorder.note(number, operation, error.code == .outcomeUnknown ? .info : .fail)
        }
    }

    /// Sends the last batch again, as after a lost answer. It must come to the same and add nothing, so it is no call
    /// of the history.
    private mutating func appendAgain() async throws {
        guard let last else { return }
        let sequences = try await access.append(last.messages, to: sessions[last.list]).map(\.sequence)
        if sequences != last.sequences {
            problems.append("a replay gave the sequences \(sequences) where the append gave \(last.sequences)")
        }
    }
}
