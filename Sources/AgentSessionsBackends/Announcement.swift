import Synchronization

/// The warnings of a configuration, which are logged once, however often its store is opened.
final class Announcement: Sendable {
    let warnings: [String]
    private let isMade = Atomic(false)

    init(_ warnings: [String]) { self.warnings = warnings }

    /// Logs each of the warnings, if that was not done before.
    func makeOnce(_ say: (String) -> Void) {
        guard !warnings.isEmpty, !isMade.exchange(true, ordering: .relaxed) else { return }
        for warning in warnings { say(warning) }
    }
}
