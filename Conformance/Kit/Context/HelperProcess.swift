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
        /// The end of what it wrote to its standard error, where that is kept.
        var errors: [UInt8] = []
        var areErrorsAtEnd = true
        /// How it ended, as waitpid(2) tells: from then on its number may be another's.
        var status: Int32?
        var waiting: [(lines: Int, continuation: CheckedContinuation<Void, Never>)] = []
    }

    private let child: pid_t
    /// The writing end of the child's standard input. The child ends when it is closed, however this process ends.
    private let input: Int32
    private let state = Mutex(State())

    /// Starts a command: a program's path and its arguments.
    ///
    /// - Parameters:
    ///   - command: The command.
    ///   - keepsErrors: Whether the end of what it writes to its standard error is kept for ``end``. It is passed on, too.
    /// - Throws: ``AgentSessions/StoreError/Code/unavailable`` where it cannot be started.
    init(_ command: [String], keepsErrors: Bool = false) throws(StoreError) {
        guard let program = command.first else {
            throw StoreError(.unavailable, "The helper process cannot be started: there is no command.")
        }
        // Sockets, as writing to one whose other end is closed can be kept from sending a signal.
        let toChild = try Self.socketPair()
        let fromChild = try Self.socketPair()
        let errors = keepsErrors ? try Self.socketPair() : []
        #if canImport(Darwin)
        var actions: posix_spawn_file_actions_t?
        #else
        var actions = posix_spawn_file_actions_t()
        #endif
        posix_spawn_file_actions_init(&actions)
        posix_spawn_file_actions_adddup2(&actions, toChild[0], 0)
        posix_spawn_file_actions_adddup2(&actions, fromChild[1], 1)
        if keepsErrors { posix_spawn_file_actions_adddup2(&actions, errors[1], 2) }
        var arguments = command.map { strdup($0) } + [nil]
        var child = pid_t()
        let status = posix_spawn(&child, program, &actions, nil, &arguments, environ)
        for argument in arguments { free(argument) }
        posix_spawn_file_actions_destroy(&actions)
        close(toChild[0])
        close(fromChild[1])
        if keepsErrors { close(errors[1]) }
        guard status == 0 else {
            for descriptor in [toChild[1], fromChild[0]] + errors.prefix(1) { close(descriptor) }
            throw StoreError(
                .unavailable, "The helper \(program) cannot be started: \(String(cString: strerror(status))).")
        }
        self.child = child
        input = toChild[1]
        let output = FileDescriptor(owning: fromChild[0])
        if let end = errors.first {
            let errors = FileDescriptor(owning: end)
            state.withLock { $0.areErrorsAtEnd = false }
            try WorkerThread.start { self.readErrors(errors) }
        }
        try WorkerThread.start { self.read(output) }
    }

    /// Two ends that no other process inherits.
    private static func socketPair() throws(StoreError) -> [Int32] {
        var ends: [Int32] = [-1, -1]
        #if canImport(Darwin)
        let status = socketpair(AF_UNIX, SOCK_STREAM, 0, &ends)
        for end in ends where status == 0 {
            var isOn: Int32 = 1
            setsockopt(end, SOL_SOCKET, SO_NOSIGPIPE, &isOn, socklen_t(MemoryLayout<Int32>.size))
            _ = fcntl(end, F_SETFD, FD_CLOEXEC)
        }
        #elseif canImport(Glibc)
        let status = socketpair(AF_UNIX, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0, &ends)
        #else
        let status = socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, &ends)
        #endif
        guard status == 0 else {
            throw StoreError(
                .unavailable, "The helper process cannot be started: \(String(cString: strerror(errno))).")
        }
        return ends
    }

    /// Writes a line to its standard input. A process that has ended does not get it.
    func send(_ line: String) {
        let bytes = Array((line + "\n").utf8)
        #if canImport(Darwin)
        let flags: Int32 = 0
        #else
        let flags = Int32(MSG_NOSIGNAL)
        #endif
        // Under the lock, as `input` is closed when the process has ended.
        state.withLock { state in
            if state.status == nil { _ = sendBytes(input, bytes, bytes.count, flags) }
        }
    }

    /// How the process ended, and what it said last, as it stands in a report; `nil` while it runs.
    var end: String? {
        let (status, errors) = state.withLock { ($0.status, $0.errors) }
        guard let status else { return nil }
        // As sys/wait.h has it, whose macros Swift does not see.
        let signal = status & 0x7F
        let how =
            signal == 0
            ? "exited with status \(status >> 8 & 0xFF)"
            : "got signal \(signal) (\(String(cString: strsignal(signal))))"
        let lines = String(decoding: errors, as: UTF8.self).split(whereSeparator: \.isNewline)
        guard let said = lines.last(where: { $0.contains("Fatal error") }) ?? lines.last else { return how }
        return "\(how): \(shown(said))"
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
            if state.status == nil { _ = sendSignal(child, SIGKILL) }
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
        // Waits without reaping first, so that nobody signals a number that is another's.
        var information = siginfo_t()
        while waitid(P_PID, id_t(child), &information, WEXITED | WNOWAIT) != 0, errno == EINTR {}
        state.withLock { state in
            var status: Int32 = 0
            waitpid(child, &status, 0)
            state.status = status
            close(input)
        }
        // What it said last is on its way. A process that it has left behind may keep the other end open.
        for _ in 0..<100 where !state.withLock({ $0.areErrorsAtEnd }) { WorkerThread.pause(.milliseconds(5)) }
        add([], isAtEnd: true)
    }

    /// Passes on what the process writes to its standard error, and keeps the end of it.
    private func readErrors(_ errors: FileDescriptor) {
        let kept = 16 << 10
        while let bytes = try? errors.read(atMost: 4096), !bytes.isEmpty {
            _ = write(2, bytes, bytes.count)
            state.withLock { $0.errors = ($0.errors + bytes).suffix(kept) }
        }
        state.withLock { $0.areErrorsAtEnd = true }
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
    /// - Parameters:
    ///   - task: The task.
    ///   - factory: Opens the stores.
    ///   - place: The place.
    ///   - scenarios: Those that it may be told to run, where scenarios run in processes of their own. Scenarios that are
    ///     not the kit's belong here, too.
    /// - Returns: The exit status.
    public static func main(
        task: String, factory: any StoreFactory, place: StorePlace, scenarios: [Scenario] = Scenario.all
    ) async -> Int32 {
        if let orders = ScenarioOrders(task) {
            return await ScenarioServer.serve(orders, scenarios, factory, in: place.folder)
        }
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
private func sendBytes(_ file: Int32, _ bytes: [UInt8], _ count: Int, _ flags: Int32) -> Int {
    send(file, bytes, count, flags)
}
private func readBytes(_ file: Int32, _ bytes: UnsafeMutableRawPointer, _ count: Int) -> Int {
    read(file, bytes, count)
}
