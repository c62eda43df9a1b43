#if LMDB
internal import AgentSessions
internal import CAgentSessionsLMDB

/// A key of a named database, written before each look-up into the same few bytes.
///
/// Numbers stand big-endian, so that LMDB's comparison of bytes is the order of the numbers. The forms of the keys are
/// described in `docs/reference/lmdb_layout.md`.
struct KeyBuffer {
    /// LMDB takes keys of up to 511 bytes; the longest here has 1 + 255 + 8 + 16.
    static let capacity = 512
    static let messageKeySize = 24
    static let positionSize = 24
    static let messageIDKeySize = 32

    private let bytes: UnsafeMutableRawPointer
    private(set) var count = 0

    /// - Parameter bytes: ``capacity`` bytes, which outlive this value.
    init(_ bytes: UnsafeMutableRawPointer) {
        self.bytes = bytes
    }

    /// What LMDB takes: valid as long as the buffer is, and until it is written again.
    var value: MDB_val { MDB_val(mv_size: count, mv_data: bytes) }

    /// A session's key: its id.
    mutating func set(session: ULID) {
        count = 0
        append(session)
    }

    /// A message's key: the session and the sequence.
    mutating func set(session: ULID, sequence: Int) {
        count = 0
        append(session)
        append(UInt64(bitPattern: Int64(sequence)))
    }

    /// The key by which a message is found by its id. The id comes first, so that the ids made now share a page
    /// whatever their sessions.
    mutating func set(messageID: ULID, session: ULID) {
        count = 0
        append(messageID)
        append(session)
    }

    /// A place in the list of all sessions, or of one actor's.
    mutating func set(actor: ActorPrefix?, position: SessionPosition) {
        count = 0
        append(actor)
        append(position.createdAt.orderedBits)
        append(position.id)
    }

    /// The place before every session that was created at `time` or later.
    mutating func set(actor: ActorPrefix?, time: Timestamp) {
        count = 0
        append(actor)
        append(time.orderedBits)
    }

    /// The key of the record of a session's copy. It sorts behind the store's own record, which stands first.
    mutating func set(copyOf session: ULID) {
        count = 0
        for byte in "store-copy".utf8 {
            bytes.storeBytes(of: byte, toByteOffset: count, as: UInt8.self)
            count += 1
        }
        append(session)
    }

    /// The place after every session. No time has these bits.
    mutating func setEnd(actor: ActorPrefix?) {
        count = 0
        append(actor)
        append(UInt64.max)
    }

    private mutating func append(_ id: ULID) {
        append(id.high)
        append(id.low)
    }

    private mutating func append(_ number: UInt64) {
        // Within the capacity: at most 256 bytes of an actor and four numbers are ever appended.
        bytes.storeBytes(of: number.bigEndian, toByteOffset: count, as: UInt64.self)
        count += 8
    }

    private mutating func append(_ actor: ActorPrefix?) {
        guard let actor else { return }
        actor.bytes.withUnsafeBytes { source in
            // ActorPrefix has at most 256 bytes, and stands first.
            if let base = source.baseAddress { (bytes + count).copyMemory(from: base, byteCount: source.count) }
        }
        count += actor.bytes.count
    }
}

/// What the keys of one actor's sessions begin with: the length of the name in a byte, then the name. The length comes
/// first so that no actor's keys lie within another's whose name begins alike, whatever bytes the names hold.
struct ActorPrefix {
    let bytes: [UInt8]

    /// - Throws: ``StoreError/Code/limitExceeded`` where the name is longer than 255 bytes.
    init(_ name: String) throws(StoreError) {
        guard let length = UInt8(exactly: name.utf8.count) else {
            throw StoreError(
                .limitExceeded, "The actor name has \(name.utf8.count) bytes of UTF-8: at most 255 are allowed.",
                backend: LMDBBackend.name)
        }
        bytes = [length] + Array(name.utf8)
    }
}

extension Timestamp {
    /// The time as a number without sign that has the same order.
    var orderedBits: UInt64 { UInt64(bitPattern: microseconds) ^ 1 << 63 }

    /// The time that has these ``orderedBits``, or `nil` outside the years 1 to 9999.
    init?(orderedBits: UInt64) {
        self.init(microseconds: Int64(bitPattern: orderedBits ^ 1 << 63))
    }
}

// MARK: - Reading keys

extension UnsafeRawBufferPointer {
    /// The bytes that LMDB gives. They lie in the map, and are valid until the transaction ends or changes something.
    init(_ value: MDB_val) {
        self.init(start: value.mv_data, count: value.mv_data == nil ? 0 : value.mv_size)
    }

    /// A big-endian number; the caller has checked that its eight bytes are there.
    func bigEndianNumber(at offset: Int) -> UInt64 {
        UInt64(bigEndian: loadUnaligned(fromByteOffset: offset, as: UInt64.self))
    }

    /// An identifier; the caller has checked that its 16 bytes are there.
    func ulid(at offset: Int) -> ULID {
        ULID(high: bigEndianNumber(at: offset), low: bigEndianNumber(at: offset + 8))
    }

    /// The sequence in a message's key, where it is one of `session`; `nil` where another session begins.
    ///
    /// - Throws: ``StoreError/Code/corrupt`` where this is no message's key.
    func sequence(ofMessageIn session: ULID) throws(StoreError) -> Int? {
        guard count == KeyBuffer.messageKeySize else {
            throw .damaged("A key of session_messages", "it has \(count) bytes")
        }
        guard bigEndianNumber(at: 0) == session.high, bigEndianNumber(at: 8) == session.low else { return nil }
        guard let sequence = Int(exactly: Int64(bitPattern: bigEndianNumber(at: 16))), sequence > 0 else {
            throw .damaged("A key of a message of session \(session)", "its sequence is out of range")
        }
        return sequence
    }
}
#endif
