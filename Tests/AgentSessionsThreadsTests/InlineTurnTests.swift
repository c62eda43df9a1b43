import Testing

@testable import AgentSessionsThreads

@Suite("Inline turns of a reading thread")
struct InlineTurnTests {
    @Test(
        "A turn of inline reads ends when its time is used up, and another begins",
        arguments: [999, 1000, 300_000, 999_999])
    func isOver(nanoseconds: UInt64) {
        var turn = InlineTurn()
        for _ in 0..<3 {
            var reads: UInt64 = 1
            while !turn.isOver(after: nanoseconds) { reads += 1 }
            #expect(reads == (InlineTurn.length + nanoseconds - 1) / nanoseconds)
        }
    }

    @Test(
        "A turn of inline reads ends after any read that takes as long as a whole turn",
        arguments: [InlineTurn.length, .max])
    func isOverAtOnce(nanoseconds: UInt64) {
        var turn = InlineTurn()
        let first = turn.isOver(after: 1)
        let second = turn.isOver(after: nanoseconds)
        let third = turn.isOver(after: nanoseconds)
        #expect(!first && second && third)
    }

    @Test("A turn of inline reads is shared by any number of tasks, and ends for one of them")
    func shared() async {
        let turn = SharedInlineTurn()
        await withTaskGroup(of: Void.self) { group in
            for _ in 0..<10 {
                group.addTask { for _ in 0..<100 { turn.add(InlineTurn.length / 1000) } }
            }
            await group.waitForAll()
        }
        #expect(turn.isOver)
        await turn.giveWay()
        #expect(!turn.isOver)
        turn.add(InlineTurn.length - 1)
        await turn.giveWay()
        #expect(!turn.isOver)
        turn.add(1)
        #expect(turn.isOver)
    }
}
