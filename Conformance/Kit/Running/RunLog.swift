import AgentSessions
import Synchronization

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// A file to which a run adds a line of JSON when a scenario begins and another one when it has ended, so that it tells
/// what was under way when the process ended.
final class RunLog: Sendable {
    private let file: Int32

    init(_ path: String) throws(StoreError) {
        file = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o600)
        guard file >= 0 else {
            throw StoreError(
                .unavailable,
                "The log \(quoted(path, limit: 200)) cannot be written: \(String(cString: strerror(errno))).")
        }
    }

    deinit {
        close(file)
    }

    func began(_ scenario: Scenario, seed: UInt64) {
        add(["began": .string(scenario.id), "seed": .integer(Int64(bitPattern: seed))])
    }

    func ended(_ result: ScenarioResult) {
        add(result.json)
    }

    func finished(_ report: ConformanceReport) {
        add(["contract": .string("\(report.contract)"), "conformant": .bool(report.isConformant)])
    }

    private func add(_ line: JSONObject) {
        // One write to a file that is opened for adding is whole, whoever else adds to it. A line that a full disk does not
        // take must not end the run.
        guard let text = try? line.losslessText() else { return }
        let bytes = Array((text + "\n").utf8)
        _ = write(file, bytes, bytes.count)
    }
}
