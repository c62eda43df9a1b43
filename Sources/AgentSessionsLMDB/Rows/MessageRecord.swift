#if LMDB
internal import AgentSessions

/// The record of a message, layout 1. Session and sequence are the key. See `docs/reference/lmdb_layout.md`.
///
/// | offset | bytes | |
/// | --- | --- | --- |
/// | 0 | 1 | layout, 1 |
/// | 1 | 1 | role: 1 system, 2 developer, 3 user, 4 assistant, 5 tool; 0 for another, which is spelled out |
/// | 2 | 1 | length of the role that is spelled out, or 0 |
/// | 3 | 1 | 1 where there is a tool_call_id, or 0 |
/// | 4 | 1 | length of the tool_call_id |
/// | 5 | 3 | zero |
/// | 8 | 4 | length of the content |
/// | 12 | 4 | length of the metadata; 0 for `{}` |
/// | 16 | 16 | id, big-endian |
/// | 32 | 8 | created_at |
/// | 40 | | role, tool_call_id, content, metadata |
/// | end | 8 | ``RecordChecksum`` |
///
/// Numbers are little-endian, save the id.
struct MessageRecord {
    static let layout: UInt8 = 1
    static let headerSize = 40

    private static let idOffset = 16

    private let message: SessionMessage
    private let metadata: String
    private let roleCode: UInt8
    private let role: String
    private let toolCallIDLength: UInt8

    /// The bytes that the record takes.
    let size: Int

    /// - Throws: ``StoreError/Code/limitExceeded`` or ``StoreError/Code/invalidArgument`` where the message does not
    ///   fit a record.
    init(_ message: SessionMessage) throws(StoreError) {
        self.message = message
        metadata = try message.metadata.recordText()
        roleCode = Self.code(of: message.role)
        // A role has at most 32 bytes.
        role = roleCode == 0 ? message.role.name : ""
        toolCallIDLength = try RecordLength.checked(message.toolCallID?.utf8.count ?? 0, "The tool call id")
        let contentLength: UInt32 = try RecordLength.checked(message.content.utf8.count, "The content of the message")
        let metadataLength: UInt32 = try RecordLength.checked(metadata.utf8.count, "The metadata")
        size =
            Self.headerSize + role.utf8.count + Int(toolCallIDLength) + Int(contentLength) + Int(metadataLength)
            + RecordChecksum.size
    }

    /// Writes the record into exactly ``size`` bytes.
    func write(to bytes: UnsafeMutableRawBufferPointer) {
        var writer = RecordWriter(bytes)
        writer.write(Self.layout)
        writer.write(roleCode)
        // The lengths were checked by the initializer.
        writer.write(UInt8(truncatingIfNeeded: role.utf8.count))
        writer.write(UInt8(message.toolCallID == nil ? 0 : 1))
        writer.write(toolCallIDLength)
        writer.write(UInt8(0))
        writer.write(UInt16(0))
        writer.write(UInt32(truncatingIfNeeded: message.content.utf8.count))
        writer.write(UInt32(truncatingIfNeeded: metadata.utf8.count))
        // Turned around, as the writer writes numbers little-endian.
        writer.write(message.id.high.byteSwapped)
        writer.write(message.id.low.byteSwapped)
        writer.write(message.createdAt.microseconds)
        writer.write(role)
        if let toolCallID = message.toolCallID { writer.write(toolCallID) }
        writer.write(message.content)
        writer.write(metadata)
        RecordChecksum.seal(bytes, seed: RecordChecksum.seed(message.sessionID, message.sequence))
    }

    /// The message that a record holds.
    ///
    /// - Throws: ``StoreError/Code/corrupt`` where it is not what ``write(to:)`` writes.
    static func read(
        _ bytes: UnsafeRawBufferPointer, session: ULID, sequence: Int
    ) throws(StoreError) -> SessionMessage {
        let id = try readID(bytes, session: session, sequence: sequence)
        guard RecordChecksum.holds(bytes, seed: RecordChecksum.seed(session, sequence)) else {
            throw damaged(session, sequence, "its checksum is not that of its bytes")
        }
        guard bytes[3] <= 1, bytes[3] == 1 || bytes[4] == 0, bytes[5] == 0, bytes[6] == 0, bytes[7] == 0 else {
            throw damaged(session, sequence, "its layout is unknown")
        }
        let roleEnd = headerSize + Int(bytes[2])
        let toolCallIDEnd = roleEnd + Int(bytes[4])
        // Four lengths of at most 32 bits each: their sum fits an Int of 64.
        let contentEnd = toolCallIDEnd + Int(bytes.number(at: 8) as UInt32)
        let metadataEnd = contentEnd + Int(bytes.number(at: 12) as UInt32)
        guard metadataEnd + RecordChecksum.size == bytes.count else {
            throw damaged(session, sequence, "the lengths in it do not add up to its \(bytes.count) bytes")
        }
        return try SessionMessage(
            storedIn: LMDBBackend.name, sessionID: session, sequence: Int64(sequence), id: id,
            role: role(bytes[1], bytes, headerSize..<roleEnd), content: bytes.text(toolCallIDEnd..<contentEnd),
            toolCallID: bytes[3] == 0 ? .some(nil) : bytes.text(roleEnd..<toolCallIDEnd).map(Optional.some),
            metadata: bytes.metadata(contentEnd..<metadataEnd), createdAt: Timestamp(microseconds: bytes.number(at: 32))
        )
    }

    /// The id alone, for what needs nothing else of the message.
    ///
    /// - Throws: ``StoreError/Code/corrupt`` where there is none.
    static func readID(_ bytes: UnsafeRawBufferPointer, session: ULID, sequence: Int) throws(StoreError) -> ULID {
        guard bytes.count >= headerSize + RecordChecksum.size else {
            throw damaged(session, sequence, "it has \(bytes.count) bytes")
        }
        guard bytes[0] == layout else { throw damaged(session, sequence, "its layout is unknown") }
        return bytes.ulid(at: idOffset)
    }

    private static func code(of role: MessageRole) -> UInt8 {
        switch role {
        case .system: 1
        case .developer: 2
        case .user: 3
        case .assistant: 4
        case .tool: 5
        default: 0
        }
    }

    private static func role(_ code: UInt8, _ bytes: UnsafeRawBufferPointer, _ name: Range<Int>) -> MessageRole? {
        guard name.isEmpty == (code != 0) else { return nil }
        return switch code {
        case 0: bytes.withBytes(name) { MessageRole(stored: $0) }
        case 1: .system
        case 2: .developer
        case 3: .user
        case 4: .assistant
        case 5: .tool
        default: nil
        }
    }

    private static func damaged(_ session: ULID, _ sequence: Int, _ detail: String) -> StoreError {
        .damagedMessage(sequence, of: session, detail, backend: LMDBBackend.name)
    }
}
#endif
