import AgentSessions
import AgentSessionsThreads
import Synchronization

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// A process beside that of the kit, which has the same store open.
public final class HelperProcess: Sendable {
    private struct State {
        var lines: [String] = []
        var isAtEnd = false
        var isReaped = false
        var waiting: [(lines: Int, continuation: CheckedContinuation<Void, Never>)] = []
    }

    private let child: pid_t
    /// The writing end of the child's standard input. The child ends when it is closed, however this process ends.
    private let input: Int32
    private let state = Mutex(State())

    /// Starts a command: a program's path and its arguments.
    ///
    /// - Throws: ``AgentSessions/StoreError/Code/unavailable`` where it cannot be started.
    init(_ command: [String]) throws(StoreError) {
        var toChild: [Int32] = [-1, -1]
        var fromChild: [Int32] = [-1, -1]
        guard let program = command.first, pipe(&toChild) == 0, pipe(&fromChild) == 0 else {
            throw StoreError(.unavailable, "The helper process cannot be started: there is no command or no pipe.")
        }
        for descriptor in [toChild[1], fromChild[0]] { _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC) }
        #if canImport(Darwin)
        var actions: posix_spawn_file_actions_t?
        #else
        var actions = posix_spawn_file_actions_t()
        #endif
        posix_spawn_file_actions_init(&actions)
        posix_spawn_file_actions_adddup2(&actions, toChild[0], 0)
        posix_spawn_file_actions_adddup2(&actions, fromChild[1], 1)
        for descriptor in toChild + fromChild where descriptor > 2 {
            posix_spawn_file_actions_addclose(&actions, descriptor)
        }
        var arguments = command.map { strdup($0) } + [nil]
        var child = pid_t()
        let status = posix_spawn(&child, program, &actions, nil, &arguments, environ)
        for argument in arguments { free(argument) }
        posix_spawn_file_actions_destroy(&actions)
        close(toChild[0])
        close(fromChild[1])
        guard status == 0 else {
            close(toChild[1])
            close(fromChild[0])
            throw StoreError(
                .unavailable, "The helper \(program) cannot be started: \(String(cString: strerror(status))).")
        }
        self.child = child
        input = toChild[1]
        let output = FileDescriptor(owning: fromChild[0])
        try WorkerThread.start { self.read(output) }
    }

    /// The lines of the answer, when the process has ended.
    public func output() async -> [String] {
        await wait(forLines: .max)
        return state.withLock { $0.lines }
    }

    /// The lines so far, when there are so many of them or the process has ended.
    public func output(lines count: Int) async -> [String] {
        await wait(forLines: count)
        return state.withLock { $0.lines }
    }

    /// Ends the process at once, as a crash does.
    public func kill() {
        // Under the lock, and never after the process was reaped, so that the number is not another's by now.
        state.withLock { state in
            if !state.isReaped { _ = sendSignal(child, SIGKILL) }
        }
    }

    private func wait(forLines count: Int) async {
        await withCheckedContinuation { continuation in
            let isThere = state.withLock { state in
                if state.isAtEnd || state.lines.count >= count { return true }
                state.waiting.append((count, continuation))
                return false
            }
            if isThere { continuation.resume() }
        }
    }

    /// Reads what the process writes until it ends, on a thread that may wait.
    private func read(_ output: FileDescriptor) {
        var rest: [UInt8] = []
        while let bytes = try? output.read(atMost: 4096), !bytes.isEmpty {
            rest += bytes
            var lines = rest.split(separator: 0x0A, omittingEmptySubsequences: false)
            rest = Array(lines.removeLast())
            add(lines.map { String(decoding: $0, as: UTF8.self) }, isAtEnd: false)
        }
        close(input)
        // Waits without reaping first, so that nobody signals a number that is another's.
        var information = siginfo_t()
        while waitid(P_PID, id_t(child), &information, WEXITED | WNOWAIT) != 0, errno == EINTR {}
        state.withLock { state in
            var status: Int32 = 0
            waitpid(child, &status, 0)
            state.isReaped = true
        }
        add([], isAtEnd: true)
    }

    private func add(_ lines: [String], isAtEnd: Bool) {
        let ready = state.withLock { state in
            state.lines += lines
            if isAtEnd { state.isAtEnd = true }
            let ready = state.waiting.filter { state.isAtEnd || state.lines.count >= $0.lines }
            state.waiting.removeAll { state.isAtEnd || state.lines.count >= $0.lines }
            return ready
        }
        for one in ready { one.continuation.resume() }
    }
}

extension HelperProcess {
    /// What the helper's program calls: does the task that the kit gave it, and answers on standard output. It ends
    /// when the kit's process does.
    ///
    /// - Returns: The exit status.
    public static func main(task: String, factory: any StoreFactory, place: StorePlace) async -> Int32 {
        guard let task = HelperTask(task) else { return 64 }
        do throws(StoreError) {
            try WorkerThread.start {
                var byte: UInt8 = 0
                while readBytes(0, &byte, 1) != 0 {}
                _exit(2)
            }
            let store = try await factory.open(place)
            try await task.run(on: store) { line in
                let bytes = Array((line + "\n").utf8)
                _ = write(1, bytes, bytes.count)
            }
            await store.close()
            return 0
        } catch {
            let bytes = Array("error \(error)\n".utf8)
            _ = write(1, bytes, bytes.count)
            return 1
        }
    }
}

// The functions of the system library whose names are those of methods here.
private func sendSignal(_ process: pid_t, _ signal: Int32) -> Int32 { kill(process, signal) }
private func readBytes(_ file: Int32, _ bytes: UnsafeMutableRawPointer, _ count: Int) -> Int {
    read(file, bytes, count)
}
