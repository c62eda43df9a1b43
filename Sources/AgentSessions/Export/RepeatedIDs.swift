/// Finds message ids that come twice in a document, in constant memory.
///
/// Ids that one process made grow, so an id that is larger than all before it is new. The others, which come where
/// several processes appended to a session or an application chose ids, are kept, and the messages are read once more
/// to look for them: a bounded number at a time.
struct RepeatedIDs {
    private let capacity: Int
    private var largest: ULID?
    /// Ids that were not larger than all before them, and which message has each.
    private var suspects: [ULID: Int] = [:]
    /// The first message that was left for another round because there was no room.
    private var next: Int?

    init(capacity: Int = 1 << 16) {
        self.capacity = capacity
    }

    /// Takes the id of the message `index`, in order.
    mutating func add(_ id: ULID, at index: Int) throws(StoreError) {
        if let largest, id <= largest {
            if next == nil, suspects.count < capacity {
                guard suspects.updateValue(index, forKey: id) == nil else { throw Self.repeated(id) }
            } else if next == nil {
                next = index
            }
        } else {
            largest = id
        }
    }

    private static func repeated(_ id: ULID) -> StoreError {
        StoreError(.invalidArgument, "the message id \(id) comes twice in the document.")
    }

    /// Reads the messages again as often as it takes to know that no id comes twice.
    func check(
        _ document: CheckedDocument, _ walker: inout DocumentWalker, cancellation: CancellationFlag,
        id: (UnsafeBufferPointer<UInt8>, _ place: Int) throws(StoreError) -> ULID
    ) throws(StoreError) {
        let end = walker.offset
        var round = self
        while !round.suspects.isEmpty {
            var following = RepeatedIDs(capacity: capacity)
            var index = 0
            walker.resume(at: document.messages.lowerBound)
            try walker.readArrayStart("messages")
            while try walker.nextElement() {
                index += 1
                if index.isMultiple(of: 1024) { try cancellation.check() }
                let bytes = try walker.readValue(atMost: .max, what: "a message")
                let found = try id(bytes, walker.offset - bytes.count)
                if let known = round.suspects[found], known != index { throw Self.repeated(found) }
                if let next = round.next { try following.add(found, at: index, from: next) }
            }
            round = following
        }
        walker.resume(at: end)
    }

    /// As ``add(_:at:)``, but suspects only messages from `first` on.
    private mutating func add(_ id: ULID, at index: Int, from first: Int) throws(StoreError) {
        if index < first {
            largest = max(largest ?? id, id)
        } else {
            try add(id, at: index)
        }
    }
}
