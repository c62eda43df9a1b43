import Synchronization

/// A number that tasks count up together.
final class SharedCounter: Sendable {
    private let number: Atomic<Int>

    init(_ first: Int = 0) { number = Atomic(first) }

    var value: Int { number.load(ordering: .relaxed) }

    /// The number before it is counted up by one.
    func next() -> Int { number.add(1, ordering: .relaxed).oldValue }

    /// The number after it is counted up.
    func add(_ count: Int) -> Int { number.add(count, ordering: .relaxed).newValue }

    /// The number, which is 0 from now on.
    func take() -> Int { number.exchange(0, ordering: .relaxed) }
}
