/// The checks that every value from outside passes before a repository sees it.
extension StoreLimits {
    /// How metadata is parsed under these limits.
    package var metadata: JSONLimits { JSONLimits(maximumBytes: metadataBytes, maximumDepth: metadataDepth) }

    /// - Throws: ``StoreError/Code/invalidArgument`` or ``StoreError/Code/limitExceeded``.
    package func check(actorName name: String) throws(StoreError) {
        guard !name.isEmpty else {
            throw StoreError(
                .invalidArgument,
                "The actor name is empty: give 1 to \(actorNameBytes) bytes of UTF-8, such as "
                    + "local/orchestrator.")
        }
        try check("The actor name", name.utf8.count, "bytes of UTF-8", atMost: actorNameBytes)
        for scalar in name.unicodeScalars where scalar.properties.generalCategory == .control {
            throw StoreError(
                .invalidArgument,
                "The actor name \(quoted(name)) has a control character (U+\(String(scalar.value, radix: 16))): "
                    + "leave control characters out.")
        }
    }

    /// - Throws: ``StoreError/Code/invalidArgument`` where a number is not finite, and
    ///   ``StoreError/Code/limitExceeded`` where the object is too long or too deep.
    package func check(metadata object: JSONObject) throws(StoreError) -> JSONObject {
        if object.isEmpty { return object }
        do {
            return try object.normalised(under: metadata)
        } catch {
            throw StoreError(invalidJSON: error, in: "The metadata")
        }
    }

    /// Checks the parts of a message, and gives it its id.
    ///
    /// - Throws: ``StoreError/Code/invalidArgument`` or ``StoreError/Code/limitExceeded``.
    package func check(_ message: NewMessage, id: ULID) throws(StoreError) -> PendingMessage {
        try check(content: message.content)
        try check(toolCallID: message.toolCallID)
        return PendingMessage(
            id: id, role: message.role, content: message.content, toolCallID: message.toolCallID,
            metadata: try check(metadata: message.metadata))
    }

    /// - Throws: ``StoreError/Code/limitExceeded``.
    package func check(content: String) throws(StoreError) {
        try check("The content of the message", content.utf8.count, "bytes of UTF-8", atMost: contentBytes)
    }

    /// - Throws: ``StoreError/Code/limitExceeded``.
    package func check(toolCallID: String?) throws(StoreError) {
        guard let toolCallID else { return }
        try check("The tool call id", toolCallID.utf8.count, "bytes of UTF-8", atMost: toolCallIDBytes)
    }

    /// - Throws: ``StoreError/Code/invalidArgument`` for none, ``StoreError/Code/limitExceeded`` for too many.
    package func check(batchCount count: Int) throws(StoreError) {
        guard count > 0 else {
            throw StoreError(.invalidArgument, "The batch is empty: give 1 to \(batchMessages) messages.")
        }
        try check("The batch", count, "messages", atMost: batchMessages)
    }

    /// - Throws: ``StoreError/Code/invalidArgument`` below 1, ``StoreError/Code/limitExceeded`` above the page size.
    package func check(limit: Int) throws(StoreError) {
        guard limit > 0 else {
            throw StoreError(.invalidArgument, "The limit is \(limit): give a number from 1 to \(pageItems).")
        }
        guard limit <= pageItems else {
            throw StoreError(
                .limitExceeded, "The limit is \(limit), above the \(pageItems) of a page: read page by page.")
        }
    }

    /// The items to ask for where a page of `wanted` would do: within the limit of a page, and at least one, so that
    /// whoever reads page by page gets on.
    package func page(_ wanted: Int) -> Int { max(1, min(wanted, pageItems)) }

    /// - Throws: ``StoreError/Code/invalidArgument`` below 0.
    package func check(offset: Int) throws(StoreError) {
        guard offset >= 0 else {
            throw StoreError(.invalidArgument, "The offset is \(offset): give 0 or more.")
        }
    }

    private func check(_ what: String, _ count: Int, _ unit: String, atMost limit: Int) throws(StoreError) {
        guard count <= limit else {
            throw StoreError(.limitExceeded, "\(what) has \(count) \(unit): at most \(limit) are allowed.")
        }
    }
}

extension StoreError {
    /// A JSON text or value that was refused, told as an error of the store.
    package init(invalidJSON error: JSONError, in what: String) {
        let code: Code =
            switch error.kind {
            case .tooDeep, .tooLarge: .limitExceeded
            default: .invalidArgument
            }
        self.init(code, "\(what) cannot be taken: \(error)", cause: error)
    }
}
