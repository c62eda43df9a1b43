import Synchronization

/// Says now and then how far a run is.
final class Counter: Sendable {
    private let done = Atomic<Int>(0)
    private let total: Int
    private let area: String
    private let log: @Sendable (String) -> Void

    init(of total: Int, area: String, log: @escaping @Sendable (String) -> Void) {
        self.total = total
        self.area = area
        self.log = log
    }

    /// Counts one.
    func count() {
        let count = done.add(1, ordering: .relaxed).newValue
        if count % 100 == 0 || count == total { log("\(area): \(count) of \(total)") }
    }
}
