#if LMDB
internal import AgentSessions

/// The record of the store itself, under ``key`` in `resource_registry`. Numbers are little-endian:
///
/// | offset | bytes | |
/// | --- | --- | --- |
/// | 0 | 4 | format version, in this place in every version to come |
/// | 4 | 4 | length of the build |
/// | 8 | 16 | the store's id, big-endian |
/// | 24 | 8 | when the store was made |
/// | 32 | | build |
extension StoreRecord {
    static let key = Array("store".utf8)
    private static let headerSize = 32

    /// - Throws: ``StoreError/Code/newerStore`` where a newer build wrote it, ``StoreError/Code/corrupt`` where none
    ///   did.
    init(_ record: [UInt8]) throws(StoreError) {
        self = try record.withUnsafeBytes { bytes in Result { () throws(StoreError) in try Self.read(bytes) } }.get()
    }

    private static func read(_ bytes: UnsafeRawBufferPointer) throws(StoreError) -> StoreRecord {
        guard bytes.count >= 4 else { throw Self.damaged }
        let version = Int(bytes.number(at: 0) as UInt32)
        // Before anything else, as the rest may have another form in a newer format.
        try StoreFormat.check(version)
        guard bytes.count >= Self.headerSize,
            Self.headerSize + Int(bytes.number(at: 4) as UInt32) == bytes.count,
            let createdAt = Timestamp(microseconds: bytes.number(at: 24)),
            let build = bytes.text(Self.headerSize..<bytes.count)
        else { throw Self.damaged }
        return StoreRecord(
            formatVersion: version, storeID: bytes.ulid(at: 8), createdAt: createdAt, build: build)
    }

    var bytes: [UInt8] {
        record(size: Self.headerSize + build.utf8.count) { writer in
            writer.write(UInt32(clamping: formatVersion))
            writer.write(UInt32(clamping: build.utf8.count))
            writer.write(storeID.high.byteSwapped)
            writer.write(storeID.low.byteSwapped)
            writer.write(createdAt.microseconds)
            writer.write(build)
        }
    }

    private static let damaged = StoreError.damaged("The record of the store", "its length or a value in it is wrong")
}

/// The record of an applied migration in `schema_migrations`, under its number in the order of application, four
/// bytes, big-endian. Numbers are little-endian:
///
/// | offset | bytes | |
/// | --- | --- | --- |
/// | 0 | 8 | when it was applied |
/// | 8, 12, 16, 20 | 4 each | lengths of name, parent, origin, build; no parent has length 0 |
/// | 24 | | name, parent, origin, build |
enum MigrationRecord {
    private static let headerSize = 24

    static func key(_ number: Int) -> [UInt8] {
        withUnsafeBytes(of: UInt32(clamping: number).bigEndian) { Array($0) }
    }

    static func bytes(_ migration: AppliedMigration, parent: String?) -> [UInt8] {
        let texts = [migration.name, parent ?? "", migration.origin.rawValue, migration.build]
        return record(size: headerSize + texts.reduce(0) { $0 + $1.utf8.count }) { writer in
            writer.write(migration.appliedAt.microseconds)
            for text in texts { writer.write(UInt32(clamping: text.utf8.count)) }
            for text in texts { writer.write(text) }
        }
    }

    static func read(_ record: [UInt8], number: Int) throws(StoreError) -> AppliedMigration {
        let read: AppliedMigration? = record.withUnsafeBytes { bytes in
            guard bytes.count >= headerSize, let time = Timestamp(microseconds: bytes.number(at: 0)) else { return nil }
            var texts: [String] = []
            var end = headerSize
            for offset in [8, 12, 16, 20] {
                let start = end
                end += Int(bytes.number(at: offset) as UInt32)
                guard end <= bytes.count, let text = bytes.text(start..<end) else { return nil }
                texts.append(text)
            }
            guard end == bytes.count, let origin = MigrationOrigin(rawValue: texts[2]) else { return nil }
            return AppliedMigration(name: texts[0], origin: origin, appliedAt: time, build: texts[3])
        }
        guard let read else { throw .damaged("The record of migrations", "entry \(number)") }
        return read
    }
}

private func record(size: Int, _ write: (inout RecordWriter) -> Void) -> [UInt8] {
    var bytes = [UInt8](repeating: 0, count: size)
    bytes.withUnsafeMutableBytes { buffer in
        var writer = RecordWriter(buffer)
        write(&writer)
    }
    return bytes
}
#endif
