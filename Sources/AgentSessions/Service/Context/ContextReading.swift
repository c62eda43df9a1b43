/// Reads the context window of a session from its end, page by page.
struct ContextReading {
    private static let pageMessages = 50
    private static let instructionMessages = 4
    /// How often the reading begins anew where the session is rewound meanwhile.
    private static let attempts = 10

    let budget: Int
    let cost: @Sendable (SessionMessage) -> Int
    let page: MessageStream.Page

    /// Where the window may begin, and what it costs from there on, instructions included.
    private struct Candidate {
        let sequence: Int
        let cost: Int
        /// Results after it whose calls were not found yet.
        let open: Set<Int>
    }

    /// - Throws: ``StoreError/Code/limitExceeded`` where the instructions and the last turn cost more than the budget;
    ///   ``StoreError/Code/invalidArgument`` for a budget or cost below 0; ``StoreError/Code/conflict`` where the session
    ///   is rewound again and again meanwhile; what reading throws.
    func window() async throws(StoreError) -> ContextWindow {
        guard budget >= 0 else {
            throw StoreError(.invalidArgument, "The budget is \(budget): give 0 or more.")
        }
        for _ in 1..<Self.attempts {
            if let window = try await attempt() { return window }
        }
        throw StoreError(.conflict, "The session was rewound again and again while its messages were read. Try again.")
    }

    /// - Returns: `nil` where a rewind came in between.
    private func attempt() async throws(StoreError) -> ContextWindow? {
        let last = try await page(.last, Self.pageMessages)
        let session = last.session
        guard session.messageCount > 0 else { return ContextWindow(session: session, messages: [], cost: 0) }
        var reader = BackwardReader(last, pageMessages: Self.pageMessages, page: page)
        guard let (instructions, instructionCost) = try await readInstructions(&reader) else { return nil }
        let first = instructions.count + 1

        var open = OpenToolResults()
        // The turns that some result's call was not found for yet.
        var candidates: [Candidate] = []
        var best: Candidate?
        var total = instructionCost
        // From the last to the first; only those that fit.
        var kept: [SessionMessage] = []
        var isAtStart = true
        while let message = try await reader.next(downTo: first) {
            total = try add(message, to: total)
            if total <= budget { kept.append(message) }
            open.take(message)
            if message.role == .user || message.sequence == first {
                let candidate = Candidate(sequence: message.sequence, cost: total, open: open.sequences)
                if !candidate.open.isEmpty {
                    candidates.append(candidate)
                } else if total <= budget || best == nil {
                    best = candidate
                    candidates = []
                }
            }
            guard total > budget else { continue }
            // A call that was found stands before the turns that have its result only.
            candidates.removeAll { !$0.open.isSubset(of: open.sequences) }
            if best != nil, !candidates.contains(where: { $0.cost <= budget }) {
                isAtStart = false
                break
            }
        }
        guard !reader.isOvertaken else { return nil }
        if isAtStart {
            // A call that was not found is not stored, and no window can have it.
            let possible = candidates.filter { $0.open.isSubset(of: open.sequences) }
            best = possible.last { $0.cost <= budget } ?? best ?? possible.first
        }
        // None at all where there are instructions only.
        guard let best else { return ContextWindow(session: session, messages: instructions, cost: instructionCost) }
        guard best.cost <= budget else { throw overBudget(by: best.cost - budget, session) }
        let turns = kept.reversed().drop { $0.sequence < best.sequence }
        return ContextWindow(session: session, messages: instructions + turns, cost: best.cost)
    }

    /// The leading instructions and their cost; `nil` where a rewind came in between.
    private func readInstructions(
        _ reader: inout BackwardReader
    ) async throws(StoreError) -> (messages: [SessionMessage], cost: Int)? {
        var messages: [SessionMessage] = []
        var total = 0
        while true {
            guard let next = try await reader.leading(after: messages.count, Self.instructionMessages) else {
                return nil
            }
            for message in next {
                guard message.isInstruction else { return (messages, total) }
                messages.append(message)
                total = try add(message, to: total)
                guard total <= budget else { throw overBudget(by: total - budget, reader.session) }
            }
            if next.isEmpty || messages.count == reader.session.messageCount { return (messages, total) }
        }
    }

    private func add(_ message: SessionMessage, to total: Int) throws(StoreError) -> Int {
        let cost = cost(message)
        guard cost >= 0 else {
            throw StoreError(
                .invalidArgument,
                "The cost function gave \(cost) for message \(message.sequence): a cost is 0 or more.")
        }
        let (sum, overflow) = total.addingReportingOverflow(cost)
        return overflow ? .max : sum
    }

    private func overBudget(by excess: Int, _ session: Session) -> StoreError {
        StoreError(
            .limitExceeded,
            "The instructions and the last turn of session \(session.id) cost \(excess) more than the budget of \(budget). "
                + "Raise the budget, or shorten the turn.")
    }
}
