import AgentSessionsThreads

/// Finds duplicate message ids in a session or a document, in constant memory.
///
/// The ids that one process makes grow, so an id that is larger than all before it is new. Other ids occur where several
/// processes append to a session, or an application chooses ids. They are kept, and the messages are read once more to
/// look for them: a bounded number at a time.
struct DuplicateIDDetector {
    private let capacity: Int
    private var largest: ULID?
    /// Ids that were not larger than all before them, and the index of the message that has each.
    private var suspects: [ULID: Int] = [:]
    /// The first message that was left for another round because there was no room.
    private var next: Int?

    init(capacity: Int = 1 << 16) {
        self.capacity = capacity
    }

    /// Adds the id of the message `index`. The messages are added in order.
    ///
    /// - Returns: The index of an earlier message with the id, if one is known. ``rereading`` finds the others.
    mutating func add(_ id: ULID, at index: Int) -> Int? {
        if let largest, id <= largest {
            if next == nil, suspects.count < capacity { return suspects.updateValue(index, forKey: id) }
            if next == nil { next = index }
        } else {
            largest = id
        }
        return nil
    }

    /// The next reading of all messages that is needed to rule out duplicates; `nil` if none is.
    var rereading: Rereading? {
        suspects.isEmpty ? nil : Rereading(round: self, following: DuplicateIDDetector(capacity: capacity))
    }

    /// A further reading of the messages, in the same order.
    struct Rereading {
        fileprivate let round: DuplicateIDDetector
        fileprivate var following: DuplicateIDDetector

        /// Adds the id of the message `index`. The messages are added in order.
        ///
        /// - Returns: The index of another message with the id, if there is one.
        mutating func add(_ id: ULID, at index: Int) -> Int? {
            if let known = round.suspects[id], known != index { return known }
            guard let next = round.next else { return nil }
            return following.add(id, at: index, from: next)
        }

        /// The reading after this one.
        var next: Rereading? { following.rereading }
    }

    /// As ``add(_:at:)``, but suspects only messages from `first` on.
    private mutating func add(_ id: ULID, at index: Int, from first: Int) -> Int? {
        guard index < first else { return add(id, at: index) }
        largest = max(largest ?? id, id)
        return nil
    }
}

// MARK: - In documents

extension DuplicateIDDetector {
    /// As ``add(_:at:)``, where a duplicate id is an error.
    mutating func addUnique(_ id: ULID, at index: Int) throws(StoreError) {
        if add(id, at: index) != nil { throw Self.duplicate(id) }
    }

    private static func duplicate(_ id: ULID) -> StoreError {
        StoreError(.invalidArgument, "the message id \(id) is duplicated in the document.")
    }

    /// Reads the messages again as often as it takes to rule out duplicates.
    func check(
        _ document: CheckedDocument, _ walker: inout DocumentWalker, cancellation: CancellationFlag,
        id: (UnsafeBufferPointer<UInt8>, _ offset: Int) throws(StoreError) -> ULID
    ) throws(StoreError) {
        let end = walker.offset
        var reading = rereading
        while var round = reading {
            var index = 0
            walker.resume(at: document.messages.lowerBound)
            try walker.readArrayStart("messages")
            while try walker.nextElement() {
                index += 1
                if index.isMultiple(of: 1024) { try cancellation.check() }
                let bytes = try walker.readValue(atMost: .max, what: "a message")
                let found = try id(bytes, walker.offset - bytes.count)
                if round.add(found, at: index) != nil { throw Self.duplicate(found) }
            }
            reading = round.next
        }
        walker.resume(at: end)
    }
}
