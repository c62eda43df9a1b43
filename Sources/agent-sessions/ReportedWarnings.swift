import Synchronization

/// Remembers the warnings that were reported, so that a verb that loads its configuration twice reports them once.
final class ReportedWarnings: Sendable {
    private let reported = Mutex<Set<String>>([])

    /// The warnings that were not passed before.
    func unreported(of warnings: [String]) -> [String] {
        reported.withLock { reported in warnings.filter { reported.insert($0).inserted } }
    }
}
