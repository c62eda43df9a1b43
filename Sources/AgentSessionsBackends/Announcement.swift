import Synchronization

/// What is to be said about a configuration, once, however often its store is opened.
final class Announcement: Sendable {
    let warnings: [String]
    private let isMade = Atomic(false)

    init(_ warnings: [String]) { self.warnings = warnings }

    /// Says each of the warnings, where that was not done before.
    func makeOnce(_ say: (String) -> Void) {
        guard !warnings.isEmpty, !isMade.exchange(true, ordering: .relaxed) else { return }
        for warning in warnings { say(warning) }
    }
}
