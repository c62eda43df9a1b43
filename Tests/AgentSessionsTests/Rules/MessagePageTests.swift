import Testing

@testable import AgentSessions

@Suite("Message pages")
struct MessagePageTests {
    @Test(
        "A range of messages gives the sequences that it names",
        arguments: [
            (MessageRange.after(0), 3, 10, 1..<4), (.after(8), 5, 10, 9..<11), (.after(10), 5, 10, 0..<0),
            (.after(.max), 5, 10, 0..<0), (.after(-5), 2, 10, 1..<3), (.after(0), .max, 10, 1..<11),
            (.before(4), 2, 10, 2..<4), (.before(4), 9, 10, 1..<4), (.before(1), 2, 10, 0..<0),
            (.before(.min), 2, 10, 0..<0), (.before(.max), 2, 10, 9..<11), (.before(11), 1, 10, 10..<11),
            (.last, 3, 10, 8..<11), (.last, .max, 10, 1..<11), (.last, 3, 0, 0..<0), (.after(0), 3, 0, 0..<0),
            (.last, 0, 10, 0..<0), (.after(0), -1, 10, 0..<0), (.before(5), .min, 10, 0..<0),
            (.last, 3, -7, 0..<0), (.after(0), 3, -7, 0..<0), (.before(9), 3, -7, 0..<0),
        ])
    func sequences(range: MessageRange, limit: Int, last: Int, expected: Range<Int>) {
        #expect(range.sequences(limit: limit, last: last) == expected)
    }

    @Test("A damaged count does not crash", arguments: [MessageRange.after(0), .before(.max), .last])
    func damagedCount(range: MessageRange) throws {
        #expect(range.sequences(limit: 2, last: .max).count == 2)
        #expect(range.sequences(limit: .max, last: .max).count == .max - 1)
        let page = MessagePage(session: makeSession(.max), messages: [makeMessage(1)])
        let request = MessageRequest(sessionID: ulid(1), range: range, limit: 5)
        #expect(try syncError { () throws(StoreError) in try page.check(against: request) }.code == .corrupt)
    }

    private func check(
        _ sequences: [Int], of count: Int, _ range: MessageRange, limit: Int = 3, byteLimit: Int = .max,
        session: ULID = ulid(1)
    ) throws(StoreError) {
        let page = MessagePage(
            session: makeSession(count), messages: sequences.map { makeMessage($0, of: session, content: "1234567890") }
        )
        try page.check(
            against: MessageRequest(sessionID: ulid(1), range: range, limit: limit, byteLimit: byteLimit))
    }

    @Test("A complete page passes the check")
    func whole() throws {
        try check([1, 2, 3], of: 5, .after(0))
        try check([4, 5], of: 5, .after(3))
        try check([], of: 5, .after(5))
        try check([], of: 0, .last)
        try check([3, 4, 5], of: 5, .last)
        try check([1], of: 5, .before(2))
        try check([1], of: 5, .after(0), byteLimit: 10)
        try check([1, 2], of: 5, .after(0), byteLimit: 15)
        try check([5], of: 5, .last, byteLimit: 1)
    }

    @Test("A page with a lost, foreign or surplus row is corrupt and never just shorter")
    func damaged() throws {
        let pages: [(sequences: [Int], range: MessageRange, byteLimit: Int)] = [
            ([1, 2], .after(0), .max), ([], .after(0), .max), ([2, 3], .after(0), .max), ([1, 3], .after(0), .max),
            ([1, 2, 3, 4], .after(0), .max), ([4, 5, 6], .after(3), .max), ([3, 4], .last, .max),
            ([4, 5], .last, .max),
            ([2, 1], .before(3), .max), ([1, 1], .before(3), .max),
            // A message has 12 bytes here. Fewer than the limit do not explain a short page, and the fixed end must be there.
            ([1], .after(0), 13), ([], .after(0), 1), ([3], .last, 1), ([2], .after(0), 1),
        ]
        for page in pages {
            let error = try syncError { () throws(StoreError) in
                try check(page.sequences, of: 5, page.range, byteLimit: page.byteLimit)
            }
            #expect(error.code == .corrupt, "\(page)")
            #expect(error.message.contains(ulid(1).description))
        }
        let foreign = try syncError { () throws(StoreError) in
            try check([1, 2, 3], of: 5, .after(0), session: ulid(2))
        }
        #expect(foreign.code == .corrupt)
    }

    @Test("A message counts with its content and metadata")
    func payloadBytes() {
        let message = SessionMessage(
            id: ulid(1), sessionID: ulid(1), sequence: 1, role: .user, content: "é", metadata: ["a": 1],
            createdAt: time())
        #expect(message.payloadBytes == 2 + 7)
    }
}

@Suite("Restore batches")
struct RestoreBatchesTests {
    private func batches(_ session: Session, _ messages: [SessionMessage]) throws(StoreError) -> [[SessionMessage]] {
        var batches = RestoreBatches(of: session, from: try ArraySource(messages: messages).makeReader())
        var all: [[SessionMessage]] = []
        while let batch = try batches.next() { all.append(batch) }
        return all
    }

    @Test(
        "The batches of a restore are bounded in number",
        arguments: [(0, []), (1, [1]), (500, [500]), (501, [500, 1]), (1200, [500, 500, 200])])
    func number(count: Int, sizes: [Int]) throws {
        let messages = (0..<count).map { makeMessage($0 + 1) }
        let all = try batches(makeSession(count), messages)
        #expect(all.map(\.count) == sizes)
        #expect(Array(all.joined()) == messages)
    }

    @Test("The batches of a restore are bounded in bytes")
    func bytes() throws {
        let half = String(repeating: "x", count: 1 << 19)
        let all = try batches(makeSession(5), (1...5).map { makeMessage($0, content: half) })
        #expect(all.map(\.count) == [2, 2, 1])
    }

    @Test(
        "Restored messages that do not match the session are refused",
        arguments: [[], [1], [1, 2, 3], [2, 1], [1, 1], [1, 3], [0, 1], [2]])
    func wrong(sequences: [Int]) throws {
        let error = try syncError { () throws(StoreError) in
            try batches(makeSession(2), sequences.map { makeMessage($0) })
        }
        #expect(error.code == .invalidArgument)
    }

    @Test("A restored message of another session is refused")
    func foreign() throws {
        let error = try syncError { () throws(StoreError) in
            try batches(makeSession(1), [makeMessage(1, of: ulid(2))])
        }
        #expect(error.code == .invalidArgument)
    }

    @Test("An error of the source ends the restore unchanged")
    func failing() throws {
        let source = ArraySource(messages: [makeMessage(1)], failure: StoreError(.checksumMismatch, "x"))
        var batches = RestoreBatches(of: makeSession(2), from: try source.makeReader())
        #expect(try syncError { () throws(StoreError) in try batches.next() }.code == .checksumMismatch)
    }
}
