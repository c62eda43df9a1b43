#if LMDB
internal import AgentSessions

/// The checksum that ends each record of a session or message: eight bytes, little-endian, over all bytes before them.
///
/// It is XXH64 (<https://github.com/Cyan4973/xxHash/blob/dev/doc/xxhash_spec.md>), which notices what chance does to a
/// record and costs less than looking into the JSON would. The seed is made of the record's key, so that a record that
/// stands in another's place is noticed too. It is no protection against somebody who means to change a record.
enum RecordChecksum {
    /// The bytes that it takes.
    static let size = 8

    /// The seed for the record of a session.
    static func seed(_ session: ULID) -> UInt64 { session.high ^ session.low }

    /// The seed for the record of a message.
    static func seed(_ session: ULID, _ sequence: Int) -> UInt64 {
        seed(session) ^ UInt64(bitPattern: Int64(sequence))
    }

    /// Ends a record: all but its last ``size`` bytes are written.
    static func seal(_ record: UnsafeMutableRawBufferPointer, seed: UInt64) {
        let end = record.count - size
        let checksum = of(UnsafeRawBufferPointer(rebasing: record[..<end]), seed: seed)
        record.storeBytes(of: checksum.littleEndian, toByteOffset: end, as: UInt64.self)
    }

    /// Whether a record, of ``size`` bytes at least, is as it was sealed.
    static func holds(_ record: UnsafeRawBufferPointer, seed: UInt64) -> Bool {
        let end = record.count - size
        return of(UnsafeRawBufferPointer(rebasing: record[..<end]), seed: seed) == record.number(at: end)
    }

    // MARK: XXH64

    private static let prime1: UInt64 = 0x9E37_79B1_85EB_CA87
    private static let prime2: UInt64 = 0xC2B2_AE3D_27D4_EB4F
    private static let prime3: UInt64 = 0x1656_67B1_9E37_79F9
    private static let prime4: UInt64 = 0x85EB_CA77_C2B2_AE63
    private static let prime5: UInt64 = 0x27D4_EB2F_1656_67C5

    /// XXH64 of `bytes`.
    static func of(_ bytes: UnsafeRawBufferPointer, seed: UInt64) -> UInt64 {
        var index = 0
        var sum: UInt64
        if bytes.count >= 32 {
            var lane1 = seed &+ prime1 &+ prime2
            var lane2 = seed &+ prime2
            var lane3 = seed
            var lane4 = seed &- prime1
            while bytes.count - index >= 32 {
                lane1 = round(lane1, bytes.number(at: index))
                lane2 = round(lane2, bytes.number(at: index + 8))
                lane3 = round(lane3, bytes.number(at: index + 16))
                lane4 = round(lane4, bytes.number(at: index + 24))
                index += 32
            }
            sum = rotated(lane1, 1) &+ rotated(lane2, 7) &+ rotated(lane3, 12) &+ rotated(lane4, 18)
            sum = merged(merged(merged(merged(sum, lane1), lane2), lane3), lane4)
        } else {
            sum = seed &+ prime5
        }
        sum &+= UInt64(bytes.count)
        while bytes.count - index >= 8 {
            sum = rotated(sum ^ round(0, bytes.number(at: index)), 27) &* prime1 &+ prime4
            index += 8
        }
        if bytes.count - index >= 4 {
            sum = rotated(sum ^ UInt64(bytes.number(at: index) as UInt32) &* prime1, 23) &* prime2 &+ prime3
            index += 4
        }
        while index < bytes.count {
            sum = rotated(sum ^ UInt64(bytes[index]) &* prime5, 11) &* prime1
            index += 1
        }
        sum = (sum ^ sum >> 33) &* prime2
        sum = (sum ^ sum >> 29) &* prime3
        return sum ^ sum >> 32
    }

    @inline(__always)
    private static func round(_ sum: UInt64, _ lane: UInt64) -> UInt64 {
        rotated(sum &+ lane &* prime2, 31) &* prime1
    }

    @inline(__always)
    private static func merged(_ sum: UInt64, _ lane: UInt64) -> UInt64 {
        (sum ^ round(0, lane)) &* prime1 &+ prime4
    }

    @inline(__always)
    private static func rotated(_ number: UInt64, _ bits: UInt64) -> UInt64 {
        number &<< bits | number &>> (64 &- bits)
    }
}
#endif
