#if SQLite && LMDB && Postgres
import Synchronization

/// A number that tasks share.
final class Tally: Sendable {
    private let number = Atomic(0)

    var value: Int { number.load(ordering: .sequentiallyConsistent) }

    func add() { number.add(1, ordering: .sequentiallyConsistent) }
}
#endif
