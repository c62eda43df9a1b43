import AgentSessions

/// Messages to append as a file of JSON lines.
struct BatchFile {
    private static let keys = ["role", "content", "id", "tool_call_id", "metadata"]

    let limits: StoreLimits

    /// The messages of a file, or of standard input where its name is `-`. Blank lines are skipped.
    ///
    /// - Throws: `invalidArgument` or `limitExceeded` for a line that is not a message; the error names the line.
    func messages(_ path: String, console: Console) throws(StoreError) -> [NewMessage] {
        if path == "-" { return try messages(console.input) }
        return try InputFile.reading(path) { (input) throws(StoreError) in try messages(input) }
    }

    private func messages(_ input: ByteInput) throws(StoreError) -> [NewMessage] {
        // A byte of content takes at most six as JSON (\u0000).
        let lineBytes = 6 * (limits.contentBytes + limits.metadataBytes + limits.toolCallIDBytes) + 1024
        var reader = LineReader(input, limit: lineBytes)
        var messages: [NewMessage] = []
        while let line = try reader.next() {
            if line.allSatisfy(Self.isBlank) { continue }
            guard messages.count < limits.batchMessages else {
                throw StoreError(
                    .limitExceeded,
                    "\(input.name) has more than \(counted(limits.batchMessages, "message")): that is the limit of a "
                        + "batch.")
            }
            do throws(StoreError) {
                messages.append(try message(line, limit: lineBytes))
            } catch {
                throw StoreError(
                    error.code, "\(input.name), line \(reader.line): \(error.message)", cause: error.cause)
            }
        }
        return messages
    }

    private static func isBlank(_ byte: UInt8) -> Bool { " \t\r".utf8.contains(byte) }

    private func message(_ line: [UInt8], limit: Int) throws(StoreError) -> NewMessage {
        let object: JSONObject
        do {
            // The metadata is an object inside the line's.
            let limits = JSONLimits(maximumBytes: limit, maximumDepth: limits.metadataDepth + 1)
            object = try line.withUnsafeBufferPointer { (bytes) throws(JSONError) in
                try JSONObject(parsing: bytes, limits: limits)
            }
        } catch {
            throw StoreError(invalidJSON: error, in: "The message")
        }
        if let unknown = object.keys.first(where: { !Self.keys.contains($0) }) {
            throw StoreError(
                .invalidArgument,
                "The message has an unknown key \(quoted(unknown)): the keys are \(Self.keys.joined(separator: ", ")).")
        }
        guard let role = try text("role", of: object), let content = try text("content", of: object) else {
            throw StoreError(.invalidArgument, "The message has no role or no content: both are required.")
        }
        return NewMessage(
            try MessageRole(role), content, toolCallID: try text("tool_call_id", of: object),
            metadata: try metadata(of: object),
            id: try text("id", of: object).map { (text) throws(StoreError) in try ULID(parsing: text) })
    }

    private func text(_ key: String, of object: JSONObject) throws(StoreError) -> String? {
        switch object[key] {
        case nil, .null: return nil
        case .string(let text): return text
        default: throw StoreError(.invalidArgument, "\(key) is not a string.")
        }
    }

    private func metadata(of object: JSONObject) throws(StoreError) -> JSONObject {
        switch object["metadata"] {
        case nil, .null: return JSONObject()
        case .object(let metadata): return metadata
        default: throw StoreError(.invalidArgument, "metadata is not an object.")
        }
    }
}
