#if LMDB
internal import AgentSessions

/// The record of a session, layout 1. The id is the key. See `docs/reference/lmdb_layout.md`.
///
/// | offset | bytes | |
/// | --- | --- | --- |
/// | 0 | 1 | layout, 1 |
/// | 1 | 1 | length of the actor name |
/// | 2 | 2 | zero |
/// | 4 | 4 | length of the metadata; 0 for `{}` |
/// | 8 | 8 | message_count |
/// | 16, 24, 32 | 8 each | input_tokens, output_tokens, estimated_cost |
/// | 40, 48 | 8 each | created_at, updated_at |
/// | 56 | | actor name, metadata |
/// | end | 8 | ``RecordChecksum`` |
///
/// Numbers are little-endian.
struct SessionRecord {
    static let layout: UInt8 = 1
    static let headerSize = 56

    private let session: Session
    private let metadata: String
    private let actorLength: UInt8

    /// The bytes that the record takes.
    let size: Int

    /// - Throws: ``StoreError/Code/limitExceeded`` or ``StoreError/Code/invalidArgument`` where the session does not
    ///   fit a record.
    init(_ session: Session) throws(StoreError) {
        self.session = session
        metadata = try session.metadata.recordText()
        actorLength = try RecordLength.checked(session.actorName.utf8.count, "The actor name")
        let metadataLength: UInt32 = try RecordLength.checked(metadata.utf8.count, "The metadata")
        size = Self.headerSize + Int(actorLength) + Int(metadataLength) + RecordChecksum.size
    }

    /// Writes the record into exactly ``size`` bytes.
    func write(to bytes: UnsafeMutableRawBufferPointer) {
        var writer = RecordWriter(bytes)
        writer.write(Self.layout)
        writer.write(actorLength)
        writer.write(UInt16(0))
        // Checked by the initializer.
        writer.write(UInt32(truncatingIfNeeded: metadata.utf8.count))
        writer.write(Int64(session.messageCount))
        writer.write(session.usage.inputTokens)
        writer.write(session.usage.outputTokens)
        writer.write(session.usage.estimatedCost)
        writer.write(session.createdAt.microseconds)
        writer.write(session.updatedAt.microseconds)
        writer.write(session.actorName)
        writer.write(metadata)
        RecordChecksum.seal(bytes, seed: RecordChecksum.seed(session.id))
    }

    /// The session that a record holds.
    ///
    /// - Throws: ``StoreError/Code/corrupt`` where it is not what ``write(to:)`` writes.
    static func read(_ bytes: UnsafeRawBufferPointer, id: ULID) throws(StoreError) -> Session {
        guard bytes.count >= headerSize + RecordChecksum.size else { throw damaged(id, "it has \(bytes.count) bytes") }
        guard bytes[0] == layout, bytes[2] == 0, bytes[3] == 0 else { throw damaged(id, "its layout is unknown") }
        guard RecordChecksum.holds(bytes, seed: RecordChecksum.seed(id)) else {
            throw damaged(id, "its checksum is not that of its bytes")
        }
        let actorEnd = headerSize + Int(bytes[1])
        let metadataEnd = actorEnd + Int(bytes.number(at: 4) as UInt32)
        guard metadataEnd + RecordChecksum.size == bytes.count else {
            throw damaged(id, "the lengths in it do not add up to its \(bytes.count) bytes")
        }
        return try Session(
            storedIn: LMDBBackend.name, id: id, actorName: bytes.text(headerSize..<actorEnd),
            messageCount: bytes.number(at: 8), inputTokens: bytes.number(at: 16), outputTokens: bytes.number(at: 24),
            estimatedCost: bytes.number(at: 32), metadata: bytes.metadata(actorEnd..<metadataEnd),
            createdAt: Timestamp(microseconds: bytes.number(at: 40)),
            updatedAt: Timestamp(microseconds: bytes.number(at: 48)))
    }

    private static func damaged(_ id: ULID, _ detail: String) -> StoreError {
        .damagedSession(id, detail, backend: LMDBBackend.name)
    }
}
#endif
