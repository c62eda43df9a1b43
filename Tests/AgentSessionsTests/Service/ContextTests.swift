import AgentSessionsMemory
import AgentSessionsTestSupport
import Synchronization
import Testing

@testable import AgentSessions

@Suite("Context windows")
struct ContextTests {
    /// A session written in short: `s` system, `d` developer, `u` user, `a` assistant, `c1` a call with the id 1, `c1+2` two
    /// calls, `t1` the result of call 1, `t` a result without an id, `n` an assistant's message without a word on calls.
    private func session(_ text: String, in service: some SessionService) async throws -> ULID {
        let id = try await service.create(actorName: "a").id
        let messages = text.split(separator: " ").map(Self.message)
        if !messages.isEmpty { try await service.append(messages, to: id) }
        return id
    }

    private static func message(_ text: Substring) -> NewMessage {
        let content = String(text)
        switch text.first {
        case "s": return NewMessage(.system, content)
        case "d": return NewMessage(.developer, content)
        case "u": return NewMessage(.user, content)
        case "t": return NewMessage(.tool, content, toolCallID: text.count > 1 ? String(text.dropFirst()) : nil)
        case "c":
            let calls = text.dropFirst().split(separator: "+").map { JSONValue.object(["id": .string(String($0))]) }
            return NewMessage(.assistant, content, metadata: ["tool_calls": .array(calls)])
        default: return NewMessage(.assistant, content)
        }
    }

    private func shown(_ window: ContextWindow) -> String {
        window.messages.map(\.content).joined(separator: " ")
    }

    @Test(
        "A window holds the instructions and as many whole turns as the budget allows",
        arguments: [
            ("s u a u a u a", 7, "s u a u a u a"),
            ("s u a u a u a", 6, "s u a u a"),
            ("s u a u a u a", 5, "s u a u a"),
            ("s u a u a u a", 4, "s u a"),
            ("s u a u a u a", 3, "s u a"),
            ("s d u1 a u2", 3, "s d u2"),
            ("u1 a1 u2 a2", 3, "u2 a2"),
            ("a1 u2 a2", 2, "u2 a2"),
            ("a1 u2 a2", 3, "a1 u2 a2"),
            // A later instruction belongs to its turn.
            ("s u1 a1 s2 u2 a2", 3, "s u2 a2"),
            ("s u1 a1 s2 u2 a2", 6, "s u1 a1 s2 u2 a2"),
            ("", 0, ""),
            ("s d", 2, "s d"),
            ("a1 a2 a3", 3, "a1 a2 a3"),
        ])
    func budgets(text: String, budget: Int, expected: String) async throws {
        let service = memoryService()
        let id = try await session(text, in: service)
        let window = try await service.context(id, budget: budget) { _ in 1 }
        #expect(shown(window) == expected)
        #expect(window.cost == window.messages.count)
        #expect(window.omittedCount == window.session.messageCount - window.messages.count)
    }

    @Test(
        "A result is never shown without its call, nor a call without its results",
        arguments: [
            // Inside a turn nothing is cut.
            ("u1 c1 t1 a1 u2 c2 t2 a2", 5, "u2 c2 t2 a2"),
            // The person interrupts while the tool is at work: the cut before u2 would lose the call.
            ("u0 a0 u1 c1 u2 t1 a2", 5, "u1 c1 u2 t1 a2"),
            ("u0 a0 u1 c1 u2 t1 a2", 7, "u0 a0 u1 c1 u2 t1 a2"),
            ("u0 a0 u1 c1+2 t1 u2 t2 a2", 7, "u1 c1+2 t1 u2 t2 a2"),
            // After that, cuts are free again.
            ("u1 c1 u2 t1 a2 u3 a3", 3, "u3 a3"),
            // A call that is not stored keeps nothing back.
            ("u0 a0 u1 t9 a1", 3, "u1 t9 a1"),
            ("u0 a0 u1 c1 t1 u2 t9 a2", 4, "u2 t9 a2"),
            // An id that is used again belongs to the nearest call before it.
            ("u1 c1 t1 a u2 c1 t1 a2", 4, "u2 c1 t1 a2"),
            // Without ids, what follows a message of the assistant answers it.
            ("u0 a u1 c1 t a", 4, "u1 c1 t a"),
            ("u0 n t5 u1 a", 2, "u1 a"),
            ("u0 a u1 n t5 t6 a", 5, "u1 n t5 t6 a"),
        ])
    func pairs(text: String, budget: Int, expected: String) async throws {
        let service = memoryService()
        let id = try await session(text, in: service)
        #expect(shown(try await service.context(id, budget: budget) { _ in 1 }) == expected)
    }

    @Test(
        "A last turn that is over the budget is refused, and the error says by how much",
        arguments: [
            ("s u1 a1 u2 a2 a3", 2, 2), ("u1 a1 u2 a2 a3", 0, 3), ("s d u", 1, 1), ("u0 a0 u1 c1 u2 t1 a2", 4, 1),
            ("u1 a1 u2 t9 a2", 1, 2),
        ])
    func overBudget(text: String, budget: Int, excess: Int) async throws {
        let service = memoryService()
        let id = try await session(text, in: service)
        let error = try await storeError { () throws(StoreError) in
            try await service.context(id, budget: budget) { _ in 1 }
        }
        #expect(error.code == .limitExceeded)
        #expect(error.message.contains("cost \(excess) more than the budget of \(budget)"), "\(error.message)")
    }

    @Test("A random session is cut at the longest suffix that keeps the rules", arguments: 0..<200)
    func random(seed: UInt64) async throws {
        var random = JSONGenerator(seed: seed)
        let words = ["u", "u", "a", "c1", "c2", "c1+2", "t1", "t2", "t3", "s", "n", "d"]
        let text = (0..<Int.random(in: 0...130, using: &random)).map { _ in words.randomElement(using: &random) ?? "u" }
        let service = memoryService()
        let id = try await session(text.joined(separator: " "), in: service)
        let all = try await collect(service.messageStream(in: id))
        let budget = Int.random(in: 0...140, using: &random)
        let expected = Self.expectedWindow(of: all, budget: budget)
        do throws(StoreError) {
            let window = try await service.context(id, budget: budget) { _ in 1 }
            #expect(window.messages == expected, "budget \(budget): \(text)")
        } catch {
            #expect(error.code == .limitExceeded && expected == nil, "budget \(budget): \(error) \(text)")
        }
    }

    /// The rule, said from the front: the longest suffix that begins a turn, and that holds the call of each of its results
    /// where the call is stored.
    private static func expectedWindow(of all: [SessionMessage], budget: Int) -> [SessionMessage]? {
        let instructions = Array(all.prefix { $0.isInstruction })
        let rest = all.dropFirst(instructions.count)
        if rest.isEmpty { return instructions.count <= budget ? instructions : nil }
        func call(of result: Int) -> Int? {
            let id = all[result].toolCallID
            var isAdjacent = true
            for index in (0..<result).reversed() {
                let message = all[index]
                if message.role == .assistant {
                    if let calls = message.toolCallIDs {
                        if let id { if calls.contains(id) { return index } } else if isAdjacent { return index }
                    } else if isAdjacent {
                        return index
                    }
                }
                if message.role != .tool { isAdjacent = false }
            }
            return nil
        }
        for start in rest.indices where all[start].role == .user || start == rest.startIndex {
            let results = all.indices.filter { $0 >= start && all[$0].role == .tool }
            guard results.allSatisfy({ call(of: $0).map { $0 >= start } ?? true }) else { continue }
            if instructions.count + all.count - start <= budget { return instructions + all[start...] }
        }
        return nil
    }

    @Test("A window at the end of a long session reads its end and its beginning, and no more")
    func pages() async throws {
        let base = MemorySessionStore()
        let id = try await PersistentSessionService(base).create(actorName: "a").id
        let turns = (1...2000).flatMap { [NewMessage(.user, "q\($0)"), NewMessage(.assistant, "a\($0)")] }
        try await PersistentSessionService(base).append([NewMessage(.system, "s")] + turns, to: id)
        let read = Mutex(0)
        let store = EditedStore(base: base) { _, sessions in
            sessions
        } page: { (_, page) in
            read.withLock { $0 += page?.messages.count ?? 0 }
            return page
        }
        let window = try await PersistentSessionService(store).context(id, budget: 21) { _ in 1 }
        #expect(window.messages.count == 21 && window.omittedCount == 3980)
        #expect(read.withLock { $0 } <= 60)
    }

    @Test("Appends and rewinds while a window is read leave it of one moment")
    func races() async throws {
        let base = MemorySessionStore()
        let service = PersistentSessionService(base)
        let id = try await session(Array(repeating: "u a", count: 100).joined(separator: " "), in: service)
        let calls = Mutex(0)
        let store = ChangingStore(base: base) { () throws(StoreError) in
            // After each page another writer takes back the end, down to before what was read, and writes it anew.
            let number = calls.withLock {
                $0 += 1
                return $0
            }
            if number == 1 {
                try await service.append([NewMessage(.user, "later")], to: id)
            } else if number == 4 {
                try await service.rewind(id, to: 10)
                try await service.append((1...100).map { NewMessage(.user, "new \($0)") }, to: id)
            }
        }
        let window = try await PersistentSessionService(store).context(id, budget: 1000) { _ in 1 }
        let contents = window.messages.map(\.content)
        #expect(contents.count == window.session.messageCount)
        #expect(contents.filter { $0.hasPrefix("new") }.count == 100 && contents.filter { $0 == "later" }.isEmpty)

        let restless = ChangingStore(base: base) { () throws(StoreError) in
            try await service.rewind(id, to: 0)
            try await service.append((1...200).map { NewMessage(.user, "\($0)") }, to: id)
        }
        let error = try await storeError { () throws(StoreError) in
            try await PersistentSessionService(restless).context(id, budget: 1000) { _ in 1 }
        }
        #expect(error.code == .conflict)
    }

    @Test("A budget or a cost below 0 is refused, and costs without end do not overflow")
    func badValues() async throws {
        let service = memoryService()
        let id = try await session("u1 a1 u2", in: service)
        let budget = try await storeError { () throws(StoreError) in try await service.context(id, budget: -1) }
        #expect(budget.code == .invalidArgument)
        let cost = try await storeError { () throws(StoreError) in try await service.context(id, budget: 9) { _ in -1 }
        }
        #expect(cost.code == .invalidArgument)
        let window = try await service.context(id, budget: .max) { $0.sequence < 3 ? .max : 1 }
        #expect(shown(window) == "u1 a1 u2" || shown(window) == "u2")
        let absent = try await storeError { () throws(StoreError) in try await service.context(ulid(9), budget: 1) }
        #expect(absent.code == .notFound)
    }

    @Test("The estimate counts four bytes as a token, and four tokens for a message")
    func estimate() async throws {
        let service = memoryService()
        let id = try await session("u", in: service)
        try await service.append(
            [
                NewMessage(.user, String(repeating: "x", count: 400)),
                NewMessage(.assistant, "", metadata: ["tool_calls": [["id": "call"]], "ignored": "yes, all of this"]),
                NewMessage(.tool, "é", toolCallID: "call"),
            ], to: id)
        let messages = try await service.messages(in: id).messages
        // {"tool_calls":[{"id":"call"}]} has 30 bytes.
        #expect(messages.map { MessageCost.estimate($0) } == [5, 104, 12, 6])
        #expect(try await service.context(id, budget: 127).cost == 127)
    }
}

/// A store that others change after each page that is read.
private struct ChangingStore: ForwardingSessionStore {
    let base: any SessionStore
    let change: @Sendable () async throws(StoreError) -> Void

    func messages(_ request: MessageRequest) async throws(StoreError) -> MessagePage? {
        let page = try await base.messages(request)
        try await change()
        return page
    }
}
