#if Postgres
internal import AgentSessions

/// How any Swift string is stored in a `text` column, which cannot hold U+0000.
///
/// U+0001 is the marker: U+0000 is stored as U+0001 `0`, and U+0001 itself as U+0001 `1`. All other
/// text is stored as it is, so that psql shows it as it was written. A marker that is followed by anything else was not
/// written by this package.
enum TextEscape {
    private static let marker: UInt8 = 0x01
    private static let nul: UInt8 = 0x30
    private static let itself: UInt8 = 0x31

    /// Appends the stored form of a text.
    static func append(_ text: String, to bytes: inout [UInt8]) {
        text.withBytes { utf8 in
            guard utf8.contains(where: { $0 <= marker }) else { return bytes.append(contentsOf: utf8) }
            for byte in utf8 {
                switch byte {
                case 0: bytes.append(contentsOf: [marker, nul])
                case marker: bytes.append(contentsOf: [marker, itself])
                default: bytes.append(byte)
                }
            }
        }
    }

    /// The text of a stored form; `nil` where the form is not valid.
    static func text(_ stored: UnsafeBufferPointer<UInt8>) -> String? {
        guard stored.contains(marker) else { return String(stored: stored) }
        var bytes: [UInt8] = []
        bytes.reserveCapacity(stored.count)
        var rest = stored.makeIterator()
        while let byte = rest.next() {
            guard byte == marker else {
                bytes.append(byte)
                continue
            }
            switch rest.next() {
            case nul: bytes.append(0)
            case itself: bytes.append(marker)
            default: return nil
            }
        }
        return bytes.withUnsafeBufferPointer { String(stored: $0) }
    }
}
#endif
