import Synchronization
import Testing

@testable import AgentSessionsThreads

@Suite("A blocking queue")
struct BlockingQueueTests {
    private func takeAll(_ queue: BlockingQueue<Int>) -> [Int]? {
        queue.take { elements in
            defer { elements = [] }
            return elements
        }
    }

    @Test("gives elements in order, all at once or one by one")
    func order() {
        let queue = BlockingQueue<Int>()
        for number in 1...5 { #expect(queue.add(number)) }
        #expect(queue.takeFirst() == 1)
        #expect(queue.count == 4)
        #expect(takeAll(queue) == [2, 3, 4, 5])
        #expect(queue.add(6))
        queue.close()
        queue.close()
        #expect(!queue.add(7))
        #expect(takeAll(queue) == [6])
        #expect(takeAll(queue) == nil)
        #expect(queue.takeFirst() == nil)
    }

    @Test("wakes every waiting thread when it is closed")
    func closeWithWaiting() async throws {
        let queue = BlockingQueue<Int>()
        let threads = try (0..<6).map { number in
            try WorkerThread {
                switch number % 3 {
                case 0: _ = takeAll(queue)
                case 1: _ = queue.takeFirst()
                default: _ = queue.take(awaiting: 5, within: .seconds(3600)) { $0 }
                }
            }
        }
        try await Task.sleep(for: .milliseconds(20))
        queue.close()
        for thread in threads { try await bounded { await thread.finished() } }
    }

    @Test("gives each of many elements to exactly one of several threads")
    func manyThreads() async throws {
        let queue = BlockingQueue<Int>()
        let taken = Shared<[Int]>([])
        let threads = try (0..<4).map { _ in
            try WorkerThread { while let next = queue.takeFirst() { taken.change { $0.append(next) } } }
        }
        await withTaskGroup(of: Void.self) { group in
            for part in 0..<8 {
                group.addTask { for number in 0..<500 { _ = queue.add(part * 500 + number) } }
            }
        }
        queue.close()
        for thread in threads { try await bounded { await thread.finished() } }
        #expect(taken.value.sorted() == Array(0..<4000))
    }

    @Test("wakes a thread that awaits several elements when the last of them is there")
    func awaitingSeveral() async throws {
        let queue = BlockingQueue<Int>()
        let taken = Shared<[Int]?>(nil)
        _ = try WorkerThread { taken.set(queue.take(awaiting: 3, within: bound) { $0 }) }
        for number in 1...2 { _ = queue.add(number) }
        try await Task.sleep(for: .milliseconds(20))
        #expect(taken.value == nil)
        _ = queue.add(3)
        try await eventually { taken.value != nil }
        #expect(taken.value == [1, 2, 3])
    }

    @Test("gives what is there when the wait for more is over", arguments: [0, 1, 30])
    func awaitingInVain(milliseconds: Int) {
        let queue = BlockingQueue<Int>()
        _ = queue.add(1)
        let start = ContinuousClock.now
        let taken = queue.take(awaiting: 2, within: .milliseconds(milliseconds)) { $0 }
        #expect(ContinuousClock.now - start >= .milliseconds(milliseconds))
        #expect(taken == [1])
        // Looked at, and not taken out.
        #expect(queue.count == 1)
    }

    @Test("lets elements be taken out and put back, also after it was closed")
    func withElements() {
        let queue = BlockingQueue<Int>()
        for number in 1...3 { _ = queue.add(number) }
        #expect(queue.withElements { $0.remove(at: 1) } == 2)
        queue.close()
        queue.withElements { $0 = [9] + $0 }
        #expect(takeAll(queue) == [9, 1, 3])
    }
}
