import Testing

@testable import AgentSessionsThreads

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

@Suite("A worker thread")
struct WorkerThreadTests {
    @Test("can be waited for before and after it ends, by any number of tasks")
    func finished() async throws {
        let gate = Gate()
        let thread = try WorkerThread { gate.wait() }
        try await gate.awaitArrivals()
        let ended = Shared(0)
        for _ in 0..<3 {
            Task {
                await thread.finished()
                ended.change { $0 += 1 }
            }
        }
        try await Task.sleep(for: .milliseconds(20))
        #expect(ended.value == 0)
        gate.open()
        try await eventually { ended.value == 3 }
        try await bounded { await thread.finished() }
    }

    @Test("has the stack that it was given")
    func stack() async throws {
        let depth = Shared(0)
        let thread = try WorkerThread(stackBytes: 64 << 20) { depth.set(Self.descend(10_000)) }
        try await bounded { await thread.finished() }
        #expect(depth.value == 10_000)
    }

    /// Takes more than 1 KiB of stack for each level: more than a thread has without asking, on any system.
    private static func descend(_ levels: Int) -> Int {
        guard levels > 0 else { return 0 }
        return withUnsafeTemporaryAllocation(of: UInt8.self, capacity: 1000) { bytes in
            bytes.initialize(repeating: UInt8(levels & 0xFF))
            let below = descend(levels - 1)
            return bytes[999] == UInt8(levels & 0xFF) ? below + 1 : below
        }
    }

    @Test("that the system cannot start throws its error number, and its body does not run")
    func noThread() {
        let hasRun = Shared(false)
        let error = #expect(throws: ThreadStartError.self) {
            // No address space is as large.
            _ = try WorkerThread(stackBytes: 1 << 60) { hasRun.set(true) }
        }
        #expect(error?.code == EAGAIN || error?.code == ENOMEM)
        #expect(!hasRun.value)
    }

    @Test("pauses for as long as it is told, and not at all for less than nothing")
    func pause() async throws {
        let times = Shared<[Duration]>([])
        let thread = try WorkerThread {
            for duration in [Duration.milliseconds(30), .zero, .seconds(-3600)] {
                let start = ContinuousClock.now
                WorkerThread.pause(duration)
                times.change { $0.append(ContinuousClock.now - start) }
            }
        }
        try await bounded { await thread.finished() }
        #expect(times.value.count == 3)
        #expect(times.value[0] >= .milliseconds(30))
    }
}

@Suite("Work on a thread of its own")
struct RunOnThreadTests {
    @Test("gives its value, and takes none of the threads of Swift's pool")
    func value() async throws {
        // More than Swift's pool has threads; each holds up its thread until all have begun.
        let count = 100
        let gate = Gate()
        let heard = Shared<[Int]>([])
        for number in 0..<count {
            Task {
                let value = try await runOnThread { _ in
                    gate.wait()
                    return number
                }
                heard.change { $0.append(value) }
            }
        }
        try await gate.awaitArrivals(count)
        gate.open()
        try await eventually { heard.value.count == count }
        #expect(heard.value.sorted() == Array(0..<count))
    }

    @Test("learns that its task was cancelled, and ends when it likes")
    func cancellation() async throws {
        let hasBegun = Shared(false)
        let task = Task {
            try await runOnThread { cancellation in
                hasBegun.set(true)
                let deadline = ContinuousClock.now + bound
                while !cancellation.isSet, ContinuousClock.now < deadline { WorkerThread.pause(.milliseconds(1)) }
                return cancellation.isSet
            }
        }
        try await eventually { hasBegun.value }
        task.cancel()
        let heard = try await bounded { try? await task.value }
        #expect(heard == true)
    }

    @Test("learns of a cancellation that came before it began")
    func cancelledBefore() async throws {
        let task = Task {
            withUnsafeCurrentTask { $0?.cancel() }
            return try await runOnThread { $0.isSet }
        }
        let heard = try await bounded { try? await task.value }
        #expect(heard == true)
    }
}
