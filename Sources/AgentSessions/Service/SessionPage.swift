/// A page of the list of sessions.
public struct SessionPage: Sendable {
    /// Sessions, newest first.
    public let sessions: [Session]
    /// Where the next page begins; `nil` where this page is the last.
    public let next: SessionCursor?

    /// A page of the list.
    public init(sessions: [Session], next: SessionCursor?) {
        self.sessions = sessions
        self.next = next
    }
}

/// A place in a list of sessions, as a text that an application can hand to its own users and get back.
///
/// A cursor belongs to the filter of its list: with another filter it is refused.
public struct SessionCursor: Sendable, Hashable, Codable {
    package let position: SessionPosition
    private let filterDigest: UInt64

    // "S1": a session cursor of the first version.
    private static let prefix: [UInt8] = [0x53, 0x31]
    private static let byteCount = prefix.count + 8 + 16 + 8

    package init(_ position: SessionPosition, filter: SessionFilter) {
        self.position = position
        filterDigest = filter.digest
    }

    /// - Throws: ``StoreError/Code/invalidArgument`` where the cursor comes from a list with another filter.
    package func requireFilter(_ filter: SessionFilter) throws(StoreError) {
        guard filterDigest == filter.digest else {
            throw StoreError(
                .invalidArgument,
                "The cursor comes from another list: give the filter that it was made with, or begin without a cursor.")
        }
    }

    /// The cursor that `text` writes.
    ///
    /// - Throws: ``StoreError/Code/invalidArgument`` where it is none.
    public init(parsing text: String) throws(StoreError) {
        let refused = StoreError(
            .invalidArgument,
            "\(quoted(text)) is not a cursor of a list of sessions: give the `next` of a page, or begin without one.")
        guard let bytes = hexDecoded(text), bytes.count == Self.byteCount, bytes.starts(with: Self.prefix),
            let createdAt = Timestamp(microseconds: Int64(bitPattern: word(bytes[2..<10])))
        else { throw refused }
        let id = ULID(high: word(bytes[10..<18]), low: word(bytes[18..<26]))
        position = SessionPosition(createdAt: createdAt, id: id)
        filterDigest = word(bytes[26..<34])
    }

    /// Reads the text form.
    public init(from decoder: any Decoder) throws {
        self = try SessionCursor(parsing: decoder.singleValueContainer().decode(String.self))
    }

    /// Writes the text form.
    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(description)
    }
}

extension SessionCursor: CustomStringConvertible {
    /// The text form: letters and figures only, safe in URLs and shells.
    public var description: String {
        var bytes = Self.prefix
        for value in [
            UInt64(bitPattern: position.createdAt.microseconds), position.id.high, position.id.low, filterDigest,
        ] {
            withUnsafeBytes(of: value.bigEndian) { bytes.append(contentsOf: $0) }
        }
        return hexEncoded(bytes)
    }
}

extension SessionFilter {
    /// A number that tells this filter from others: 64-bit FNV-1a over its fields. It guards against mistakes, not
    /// against people who forge cursors, who gain nothing by it.
    fileprivate var digest: UInt64 {
        var hash: UInt64 = 0xCBF2_9CE4_8422_2325
        func add(_ bytes: some Sequence<UInt8>) {
            for byte in bytes { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01B3 }
        }
        add([actorName == nil ? 0 : 1])
        add((actorName ?? "").utf8)
        for time in [createdFrom, createdBefore, updatedFrom, updatedBefore] {
            add([time == nil ? 0 : 1])
            withUnsafeBytes(of: (time?.microseconds ?? 0).bigEndian) { add($0) }
        }
        return hash
    }
}

private func word(_ bytes: ArraySlice<UInt8>) -> UInt64 {
    bytes.reduce(0) { $0 << 8 | UInt64($1) }
}
