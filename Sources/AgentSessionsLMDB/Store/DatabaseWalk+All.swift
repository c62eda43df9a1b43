#if LMDB
internal import AgentSessions

extension DatabaseWalk {
    /// The walks that together see every entry of the store, and compare each with what belongs to it.
    static let all = [sessions, byCreation, byActor, messages, messageIDs]

    private static let sessions = DatabaseWalk(
        name: "sessions_indexed", summary: "every session is in both lists, and ends with the message that it counts"
    ) {
        $0.sessions
    } visit: { (key, value, transaction) throws(StoreError) in
        guard key.count == 16 else { return .strayKey(key, LMDBMigrations.Name.sessions) }
        let id = key.ulid(at: 0)
        guard let session = read(value, id) else {
            return VerificationProblem(.undecodable, "The record of the session cannot be read.", sessionID: id)
        }
        let state = transaction.state
        state.key.set(actor: nil, position: session.position)
        guard try state.value(in: state.databases.byCreation) != nil else {
            return VerificationProblem(
                .missingIndexEntry, "\(LMDBMigrations.Name.byCreation) has no entry for the session.", sessionID: id)
        }
        state.key.set(actor: try ActorPrefix(session.actorName), position: session.position)
        guard try state.value(in: state.databases.byActor) != nil else {
            return VerificationProblem(
                .missingIndexEntry, "\(LMDBMigrations.Name.byActor) has no entry for the session.", sessionID: id)
        }
        let next = session.messageCount.addingReportingOverflow(1)
        state.key.set(session: id, sequence: next.partialValue)
        let beyond = next.overflow ? nil : try state.value(in: state.databases.messages)
        guard beyond == nil else {
            return VerificationProblem(
                .messageCount, "The session has a message beyond its message_count.", sessionID: id,
                expected: "\(next.partialValue) or more", actual: "\(session.messageCount)")
        }
        return nil
    }

    private static let byCreation = DatabaseWalk(
        name: LMDBMigrations.Name.byCreation, summary: "every entry of the list leads to its session"
    ) {
        $0.byCreation
    } visit: { (key, _, transaction) throws(StoreError) in
        guard key.count == KeyBuffer.positionSize else { return .strayKey(key, LMDBMigrations.Name.byCreation) }
        let id = key.ulid(at: 8)
        guard let session = try stored(id, transaction) else {
            return .dangling(LMDBMigrations.Name.byCreation, to: id)
        }
        let isRight = session.createdAt.orderedBits == key.bigEndianNumber(at: 0)
        return isRight ? nil : .dangling(LMDBMigrations.Name.byCreation, to: id)
    }

    private static let byActor = DatabaseWalk(
        name: LMDBMigrations.Name.byActor, summary: "every entry of an actor's list leads to its session"
    ) {
        $0.byActor
    } visit: { (key, _, transaction) throws(StoreError) in
        let prefix = key.first.map { 1 + Int($0) } ?? 0
        guard prefix > 1, key.count == prefix + KeyBuffer.positionSize else {
            return .strayKey(key, LMDBMigrations.Name.byActor)
        }
        let id = key.ulid(at: prefix + 8)
        guard let session = try stored(id, transaction) else { return .dangling(LMDBMigrations.Name.byActor, to: id) }
        let isRight =
            session.createdAt.orderedBits == key.bigEndianNumber(at: prefix)
            && session.actorName.utf8.elementsEqual(key[1..<prefix])
        return isRight ? nil : .dangling(LMDBMigrations.Name.byActor, to: id)
    }

    private static let messages = DatabaseWalk(
        name: "messages_indexed", summary: "every message has its session, and is found by its id"
    ) {
        $0.messages
    } visit: { (key, value, transaction) throws(StoreError) in
        guard key.count == KeyBuffer.messageKeySize, let sequence = Int(exactly: key.bigEndianNumber(at: 16)) else {
            return .strayKey(key, LMDBMigrations.Name.messages)
        }
        let session = key.ulid(at: 0)
        let state = transaction.state
        state.key.set(session: session)
        guard try state.value(in: state.databases.sessions) != nil else {
            return VerificationProblem(
                .orphan, "The message is there without its session.", sessionID: session, sequence: sequence)
        }
        guard let id = readID(value, session, sequence) else {
            return VerificationProblem(
                .undecodable, "The record of the message cannot be read.", sessionID: session, sequence: sequence)
        }
        state.key.set(messageID: id, session: session)
        let entry = try state.value(in: state.databases.messageIDs)
        guard let entry, entry.count == 8, Int(exactly: entry.bigEndianNumber(at: 0)) == sequence else {
            return VerificationProblem(
                .missingIndexEntry, "\(LMDBMigrations.Name.messageIDs) has no entry that leads to the message.",
                sessionID: session, messageID: id, sequence: sequence)
        }
        return nil
    }

    private static let messageIDs = DatabaseWalk(
        name: LMDBMigrations.Name.messageIDs, summary: "every entry of the index of message ids leads to its message"
    ) {
        $0.messageIDs
    } visit: { (key, value, transaction) throws(StoreError) in
        guard key.count == KeyBuffer.messageIDKeySize else { return .strayKey(key, LMDBMigrations.Name.messageIDs) }
        let (id, session) = (key.ulid(at: 0), key.ulid(at: 16))
        let dangling = VerificationProblem(
            .danglingIndexEntry, "\(LMDBMigrations.Name.messageIDs) has an entry for a message that does not exist.",
            sessionID: session, messageID: id)
        guard value.count == 8, let sequence = Int(exactly: value.bigEndianNumber(at: 0)) else { return dangling }
        let state = transaction.state
        state.key.set(session: session, sequence: sequence)
        guard let record = try state.value(in: state.databases.messages) else { return dangling }
        // The walk over the messages reports a record that cannot be read.
        guard let found = readID(record, session, sequence), found != id else { return nil }
        return dangling
    }

    // MARK: Records

    private static func read(_ record: UnsafeRawBufferPointer, _ id: ULID) -> Session? {
        try? SessionRecord.read(record, id: id)
    }

    private static func readID(_ record: UnsafeRawBufferPointer, _ session: ULID, _ sequence: Int) -> ULID? {
        try? MessageRecord.readID(record, session: session, sequence: sequence)
    }

    private static func stored(_ id: ULID, _ transaction: LMDBTransaction) throws(StoreError) -> Session? {
        transaction.state.key.set(session: id)
        guard let record = try transaction.state.value(in: transaction.state.databases.sessions) else { return nil }
        return try SessionRecord.read(record, id: id)
    }
}

extension VerificationProblem {
    fileprivate static func strayKey(_ key: UnsafeRawBufferPointer, _ database: String) -> VerificationProblem {
        VerificationProblem(
            .undecodable, "A key of \(key.count) bytes in \(database) is not one that the store writes.")
    }

    fileprivate static func dangling(_ index: String, to session: ULID) -> VerificationProblem {
        VerificationProblem(
            .danglingIndexEntry, "\(index) has an entry that does not match the session.", sessionID: session)
    }
}
#endif
