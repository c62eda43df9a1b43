public import AgentSessions

extension MemorySessionStore {
    public func identity() async throws(StoreError) -> StoreIdentity? {
        let identity = StoreIdentity(backend: backendName, place: "\(ObjectIdentifier(self))")
        return try await read { _ throws(StoreError) in identity }
    }

    public func engineChecks() async throws(StoreError) -> [VerificationCheck] {
        try await read { (tables) throws(StoreError) in tables.checks() }
    }
}

extension MemoryTables {
    /// Compares the tables with each other.
    func checks() -> [VerificationCheck] {
        var listed = VerificationCheck("memory_order", "the list and the sessions are the same", examined: order.count)
        for (place, next) in zip(order, order.dropFirst()) where !(place < next) {
            listed.record(
                VerificationProblem(.danglingIndexEntry, "The list is out of order here.", sessionID: next.id))
        }
        for place in order where records[place.id]?.session.position != place {
            listed.record(
                VerificationProblem(
                    .danglingIndexEntry, "The list shows it where no session is.", sessionID: place.id))
        }
        let places = Set(order)
        var indexed = VerificationCheck("memory_ids", "messages and the index of their ids are the same")
        for (id, record) in records {
            if !places.contains(record.session.position) {
                listed.record(VerificationProblem(.missingIndexEntry, "The list does not show it.", sessionID: id))
            }
            indexed.examined += record.messages.count
            Self.check(record, id, &indexed)
        }
        return [listed, indexed]
    }

    private static func check(_ record: Record, _ id: ULID, _ check: inout VerificationCheck) {
        if record.session.messageCount != record.messages.count {
            check.record(
                VerificationProblem(
                    .messageCount, "message_count is not the number of messages.", sessionID: id,
                    expected: "\(record.messages.count)", actual: "\(record.session.messageCount)"))
        }
        for (index, message) in record.messages.enumerated() where record.sequences[message.id] != index + 1 {
            check.record(
                VerificationProblem(
                    .missingIndexEntry, "The index of ids does not lead to the message.", sessionID: id,
                    messageID: message.id, sequence: index + 1))
        }
        if record.sequences.count > record.messages.count {
            check.record(
                VerificationProblem(
                    .danglingIndexEntry, "The index of ids has more entries than there are messages.", sessionID: id))
        }
    }
}
