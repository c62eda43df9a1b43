import Foundation
import Synchronization

/// A program that is run to its end, or to a bound on its time.
struct ChildProcess {
    /// How it ended.
    enum Ending: Equatable {
        case exited(Int32)
        case signalled(Int32)
        case outOfTime
    }

    /// How it ended.
    let ending: Ending
    /// What it wrote to standard output.
    let output: String
    /// What it wrote to standard error, where that was not wanted in the output.
    let errors: String

    /// Runs a program. What it writes goes through files in `folder`, so that no pipe is ever full.
    ///
    /// - Parameters:
    ///   - command: The program's path and its arguments.
    ///   - environment: Variables besides those of this process.
    ///   - seconds: The bound.
    ///   - isGroup: Whether the program makes a process group of its own, which is ended with it.
    static func run(
        _ command: [String], environment: [String: String] = [:], folder: String, seconds: Double, isGroup: Bool = false
    ) throws -> ChildProcess {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: command[0])
        process.arguments = Array(command.dropFirst())
        process.environment = ProcessInfo.processInfo.environment.merging(environment) { $1 }
        process.standardInput = FileHandle.nullDevice
        let paths = ["\(folder)/output", "\(folder)/errors"]
        for path in paths { _ = FileManager.default.createFile(atPath: path, contents: nil) }
        let files = try paths.map { try FileHandle(forWritingTo: URL(fileURLWithPath: $0)) }
        defer { for file in files { try? file.close() } }
        process.standardOutput = files[0]
        process.standardError = files[1]
        let ended = DispatchSemaphore(value: 0)
        process.terminationHandler = { _ in ended.signal() }
        try process.run()
        let child = process.processIdentifier
        let isInTime = ended.wait(timeout: .now() + seconds) == .success
        if !isInTime { kill(child, SIGKILL) }
        // Helpers of a scenario that was left in the middle.
        if isGroup { kill(-child, SIGKILL) }
        if !isInTime { ended.wait() }
        let texts = paths.map {
            (try? String(decoding: Data(contentsOf: URL(fileURLWithPath: $0)), as: UTF8.self)) ?? ""
        }
        let ending: Ending =
            if !isInTime { .outOfTime } else if process.terminationReason == .uncaughtSignal {
                .signalled(process.terminationStatus)
            } else { .exited(process.terminationStatus) }
        return ChildProcess(ending: ending, output: texts[0], errors: texts[1])
    }
}
