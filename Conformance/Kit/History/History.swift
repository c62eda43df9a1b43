import Synchronization

/// What several clients did to lists at the same time, in the order in which it was noticed: who began what, and what
/// came of it. A list is a session, its elements are messages; elements are never the same twice.
public struct History: Sendable {
    /// What a client does in one call.
    public enum Operation: Sendable, Hashable {
        /// Appends elements to a list, in one transaction.
        case append(list: Int, elements: [Int])
        /// Reads a list from its beginning.
        case read(list: Int)
    }

    /// What came of a call, or that it began.
    public enum Kind: Sendable, Hashable {
        /// The call began.
        case invoke
        /// The append was acknowledged. The store gave these sequences.
        case appended(sequences: [Int])
        /// The read gave these elements, with these sequences.
        case read(elements: [Int], sequences: [Int])
        /// The call failed, and the store says that nothing was changed.
        case fail
        /// It is not known what came of the call.
        case info
    }

    /// A line of the history.
    public struct Event: Sendable, Hashable {
        /// Who did it.
        public let client: Int
        /// What was done.
        public let operation: Operation
        /// That it began, or what came of it.
        public let kind: Kind

        /// A line of the history.
        public init(_ client: Int, _ operation: Operation, _ kind: Kind) {
            self.client = client
            self.operation = operation
            self.kind = kind
        }
    }

    /// The lines in the order of time.
    public var events: [Event]

    /// A history.
    public init(_ events: [Event] = []) {
        self.events = events
    }
}

/// Takes down a history while it happens.
final class HistoryRecorder: Sendable {
    private let events = Mutex<[History.Event]>([])

    /// Takes a line down. A beginning is taken down before the call, what came of it after.
    func note(_ client: Int, _ operation: History.Operation, _ kind: History.Kind) {
        events.withLock { $0.append(History.Event(client, operation, kind)) }
    }

    /// What was taken down.
    var history: History { History(events.withLock { $0 }) }
}

// MARK: - As EDN

extension History {
    /// The history in the form that Elle's checker of list-append histories reads: a map of EDN a line, with `:index`,
    /// `:process`, `:type`, `:f` and `:value`. See <https://github.com/ligurio/elle-cli>, model `list-append`.
    public var edn: String {
        events.enumerated().map { index, event in
            let (type, value) = event.edn
            return "{:index \(index), :process \(event.client), :type :\(type), :f :txn, :value [\(value)]}\n"
        }.joined()
    }
}

extension History.Event {
    fileprivate var edn: (type: String, value: String) {
        let type =
            switch kind {
            case .invoke: "invoke"
            case .appended, .read: "ok"
            case .fail: "fail"
            case .info: "info"
            }
        switch operation {
        case .append(let list, let elements):
            return (type, elements.map { "[:append \(list) \($0)]" }.joined(separator: " "))
        case .read(let list):
            guard case .read(let elements, _) = kind else { return (type, "[:r \(list) nil]") }
            return (type, "[:r \(list) [\(elements.map(String.init).joined(separator: " "))]]")
        }
    }
}
