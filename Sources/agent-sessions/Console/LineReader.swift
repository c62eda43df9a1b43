import AgentSessions

/// Reads lines of bounded length.
struct LineReader {
    private let input: ByteInput
    private let limit: Int
    private var buffer: ArraySlice<UInt8> = []
    private var isAtEnd = false
    /// The number of the line that ``next()`` returned last, from 1.
    private(set) var line = 0

    /// - Parameter limit: The most bytes that a line may have.
    init(_ input: ByteInput, limit: Int) {
        self.input = input
        self.limit = limit
    }

    /// The next line without its end, or `nil` after the last.
    ///
    /// - Throws: `limitExceeded` where the line is too long; what reading throws.
    mutating func next() throws(StoreError) -> [UInt8]? {
        var text: [UInt8] = []
        while true {
            if buffer.isEmpty, !isAtEnd {
                buffer = try input.read()[...]
                isAtEnd = buffer.isEmpty
            }
            if isAtEnd {
                if text.isEmpty { return nil }
                line += 1
                return text
            }
            let end = buffer.firstIndex(of: UInt8(ascii: "\n"))
            text += buffer[..<(end ?? buffer.endIndex)]
            guard text.count <= limit else {
                throw StoreError(.limitExceeded, "\(input.name), line \(line + 1), has more than \(limit) bytes.")
            }
            guard let end else {
                buffer = []
                continue
            }
            buffer = buffer[(end + 1)...]
            line += 1
            return text
        }
    }
}
