/// The messages of a session as they come: what is there, then what is appended, each once and in order. It does not end
/// by itself.
///
/// Appends of this process wake the follower at once. Those of others are found by a look at the session, one small read
/// each ``pollInterval``. A follower that waits has no thread.
///
/// It ends where its task is cancelled. It throws ``StoreError/Code/notFound`` where the session is deleted, and
/// ``StoreError/Code/conflict`` where the session is rewound to before what was given: the message names the sequence to
/// follow from again.
public struct SessionFollower: AsyncSequence, Sendable {
    public typealias Element = SessionMessage
    public typealias Failure = StoreError

    /// The time between two looks where nothing else is said: two seconds.
    public static let standardInterval = Duration.seconds(2)
    /// The shortest time between two looks: 50 milliseconds.
    public static let shortestInterval = Duration.milliseconds(50)

    /// The time between two looks for appends of other processes.
    public let pollInterval: Duration

    private let id: ULID
    private let after: Int
    private let page: MessageStream.Page

    package init(_ id: ULID, after sequence: Int, pollInterval: Duration, page: @escaping MessageStream.Page) {
        self.id = id
        after = sequence
        self.pollInterval = pollInterval
        self.page = page
    }

    public func makeAsyncIterator() -> AsyncIterator {
        AsyncIterator(id, after: after, pollInterval: pollInterval, page: page)
    }

    /// One following of the session.
    public struct AsyncIterator: AsyncIteratorProtocol {
        private let id: ULID
        private let pollInterval: Duration
        private let page: MessageStream.Page
        /// What wakes it; made before the first look, so that nothing is missed between a look and the waiting.
        private var subscription: SessionSignals.Subscription?
        private var sequence: Int
        private var buffer: ArraySlice<SessionMessage> = []
        /// The message that was read last.
        private var last: SessionMessage?
        private var revision: Timestamp?
        private var isAtEnd = false

        fileprivate init(_ id: ULID, after sequence: Int, pollInterval: Duration, page: @escaping MessageStream.Page) {
            self.id = id
            self.sequence = sequence
            self.pollInterval = pollInterval
            self.page = page
        }

        public mutating func next() async throws(StoreError) -> SessionMessage? {
            if buffer.isEmpty {
                guard !isAtEnd else { return nil }
                // An error is final: a loop that asks again gets nothing.
                isAtEnd = true
                do throws(StoreError) {
                    try await fill()
                } catch {
                    // It ends with its task, whatever that interrupted.
                    if Task.isCancelled { return nil }
                    throw error
                }
                isAtEnd = buffer.isEmpty
            }
            return buffer.popFirst()
        }

        /// Waits for messages; where the task is cancelled there are none.
        private mutating func fill() async throws(StoreError) {
            let subscription = try subscribe()
            while !Task.isCancelled {
                let generation = subscription.generation
                try await look()
                guard buffer.isEmpty else { return }
                await subscription.wait(since: generation, within: pollInterval)
            }
        }

        private mutating func subscribe() throws(StoreError) -> SessionSignals.Subscription {
            if let subscription { return subscription }
            guard sequence >= 0 else {
                throw StoreError(
                    .invalidArgument, "A session cannot be followed from \(sequence): give 0 or a sequence.")
            }
            guard pollInterval >= SessionFollower.shortestInterval else {
                throw StoreError(
                    .invalidArgument,
                    "The poll interval is \(pollInterval): give \(SessionFollower.shortestInterval) or more.")
            }
            let new = SessionSignals.shared.subscribe(to: id)
            subscription = new
            return new
        }

        private mutating func look() async throws(StoreError) {
            let found = try await page(.after(sequence), MessageStream.pageMessages)
            if found.session.revision != revision {
                try await requireNotRewound(found.session)
                revision = found.session.revision
            }
            guard let newest = found.messages.last else { return }
            buffer = found.messages[...]
            (sequence, last) = (newest.sequence, newest)
        }

        /// Looks whether the last message that was read is still there. A rewind removes it, and what is appended in its
        /// place has a later time.
        private func requireNotRewound(_ session: Session) async throws(StoreError) {
            let isLongEnough = session.messageCount >= sequence
            guard let last else {
                guard isLongEnough else { throw rewound(to: session.messageCount) }
                return
            }
            if isLongEnough {
                let anchor = try await page(.after(last.sequence - 1), 1).messages.first
                if anchor?.id == last.id, anchor?.createdAt == last.createdAt { return }
            }
            throw rewound(to: try await commonEnd(of: Swift.min(session.messageCount, last.sequence - 1), before: last))
        }

        /// The last sequence of the first `count` that a rewind left as it was given. Times of messages grow with their
        /// sequences, and what came after the rewind is later than all that was there before.
        private func commonEnd(of count: Int, before last: SessionMessage) async throws(StoreError) -> Int {
            var (low, high) = (0, count)
            while low < high {
                let middle = low + (high - low + 1) / 2
                let message = try await page(.after(middle - 1), 1).messages.first
                if let message, message.createdAt <= last.createdAt { low = middle } else { high = middle - 1 }
            }
            return low
        }

        private func rewound(to sequence: Int) -> StoreError {
            StoreError(
                .conflict,
                "Session \(id) was rewound to before sequence \(self.sequence), up to which it was followed. Forget what "
                    + "came after sequence \(sequence), and follow it from \(sequence) again.")
        }
    }
}

@available(*, unavailable)
extension SessionFollower.AsyncIterator: Sendable {}
