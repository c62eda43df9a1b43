#if Postgres
internal import AgentSessions

/// The parameters of a statement, in the binary form of the protocol: lengths are explicit, so that libpq searches no text
/// for its end, and a number is its eight bytes.
struct Parameters: Sendable {
    /// The values one after the other.
    private(set) var bytes: [UInt8] = []
    /// The length of each value in bytes; -1 for null.
    private(set) var lengths: [Int32] = []

    mutating func add(_ text: String) {
        add { TextEscape.append(text, to: &$0) }
    }

    mutating func add(_ text: String?) {
        if let text { add(text) } else { addNull() }
    }

    mutating func add(_ id: ULID) {
        add { Self.append(id, to: &$0) }
    }

    mutating func add(_ number: Int64) {
        add { Self.append(number, to: &$0) }
    }

    mutating func add(_ number: Int) {
        add(Int64(number))
    }

    mutating func add(_ number: Int?) {
        if let number { add(number) } else { addNull() }
    }

    mutating func add(_ time: Timestamp) {
        add(PostgresTime.stored(time))
    }

    mutating func add(_ time: Timestamp?) {
        if let time { add(time) } else { addNull() }
    }

    /// - Parameter object: Metadata that was checked before, so that it can be written as text.
    mutating func add(_ object: JSONObject) throws(StoreError) {
        let text = try object.storedText()
        add { $0.append(contentsOf: text.utf8) }
    }

    mutating func add(_ object: JSONObject?) throws(StoreError) {
        if let object { try add(object) } else { addNull() }
    }

    mutating func addNull() {
        lengths.append(-1)
    }

    // MARK: Arrays

    mutating func add(_ ids: some Collection<ULID>) {
        addArray(of: .text, ids) { id, bytes in
            Self.append(id, to: &bytes)
            return true
        }
    }

    mutating func add(texts: some Collection<String?>) {
        addArray(of: .text, texts) { text, bytes in
            guard let text else { return false }
            TextEscape.append(text, to: &bytes)
            return true
        }
    }

    mutating func add(numbers: some Collection<Int>) {
        addArray(of: .int8, numbers) { number, bytes in
            Self.append(Int64(number), to: &bytes)
            return true
        }
    }

    mutating func add(times: some Collection<Timestamp>) {
        addArray(of: .timestamptz, times) { time, bytes in
            Self.append(PostgresTime.stored(time), to: &bytes)
            return true
        }
    }

    mutating func add(objects: [JSONObject]) throws(StoreError) {
        var texts: [String] = []
        texts.reserveCapacity(objects.count)
        for object in objects { texts.append(try object.storedText()) }
        addArray(of: .json, texts) { text, bytes in
            bytes.append(contentsOf: text.utf8)
            return true
        }
    }

    /// The types of array elements: object identifiers that Postgres never changes.
    private enum ElementType: Int32 {
        case int8 = 20
        case text = 25
        case json = 114
        case timestamptz = 1184
    }

    /// Adds an array of one dimension.
    ///
    /// - Parameter append: Appends an element's bytes, or returns `false` for null.
    private mutating func addArray<Element>(
        of type: ElementType, _ elements: some Collection<Element>, append: (Element, inout [UInt8]) -> Bool
    ) {
        add { bytes in
            let hasNulls: Int32 = 1
            let lowerBound: Int32 = 1
            for field in [1, hasNulls, type.rawValue, Int32(clamping: elements.count), lowerBound] {
                Self.append(field, to: &bytes)
            }
            for element in elements {
                let start = bytes.count
                Self.append(Int32(-1), to: &bytes)
                guard append(element, &bytes) else { continue }
                let length = Int32(clamping: bytes.count - start - 4).bigEndian
                withUnsafeBytes(of: length) { bytes.replaceSubrange(start..<start + 4, with: $0) }
            }
        }
    }

    // MARK: Bytes

    private mutating func add(_ append: (inout [UInt8]) -> Void) {
        let start = bytes.count
        append(&bytes)
        lengths.append(Int32(clamping: bytes.count - start))
    }

    private static func append(_ id: ULID, to bytes: inout [UInt8]) {
        id.withText { bytes.append(contentsOf: $0) }
    }

    private static func append(_ number: some FixedWidthInteger, to bytes: inout [UInt8]) {
        withUnsafeBytes(of: number.bigEndian) { bytes.append(contentsOf: $0) }
    }
}

extension Parameters {
    /// One text.
    init(_ text: String) {
        self.init()
        add(text)
    }

    /// One id.
    init(_ id: ULID) {
        self.init()
        add(id)
    }
}
#endif
