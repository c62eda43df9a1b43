import Synchronization

/// Remembers what was said, so that a verb that loads its configuration twice says it once.
final class SaidWarnings: Sendable {
    private let said = Mutex<Set<String>>([])

    /// Those that were not asked about before.
    func news(of warnings: [String]) -> [String] {
        said.withLock { said in warnings.filter { said.insert($0).inserted } }
    }
}
