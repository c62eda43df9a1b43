// The wording of what is wrong with a document. None quotes the content of a message.
extension StoreError {
    /// - Parameter place: Where in the document the JSON begins that the error is about.
    init(inDocument error: JSONError, at place: Int) {
        let isLimit = error.kind == .tooDeep || error.kind == .tooLarge
        let position = error.offset.map { "byte \(place + $0)" } ?? "the value at byte \(place)"
        // The end of the value has been found before, so it is not the document that ends.
        let detail = error.kind == .truncated ? "a value is not whole" : error.detail
        self.init(isLimit ? .limitExceeded : .invalidArgument, "\(position): \(detail).", cause: error)
    }

    static func endsInTheMiddle(at place: Int) -> StoreError {
        StoreError(
            .invalidArgument,
            "the document ends in the middle, at byte \(place): it was cut short. Export it again, or copy it whole.")
    }

    static func unexpectedCharacter(at place: Int, allowed: String) -> StoreError {
        StoreError(.invalidArgument, "byte \(place): unexpected character; allowed here: \(allowed).")
    }

    static func duplicateKey(_ key: String) -> StoreError {
        StoreError(.invalidArgument, "the key \(quoted(key)) comes twice in an object; its keys must be unique.")
    }

    static func unknownKey(_ key: String, in what: String, allowed: String) -> StoreError {
        StoreError(
            .invalidArgument,
            "\(what) has the key \(quoted(key)), which schema version \(NativeDocument.schemaVersion) does not know; "
                + "it has \(allowed).")
    }

    static func unsupportedSchemaVersion(_ version: Int64) -> StoreError {
        StoreError(
            .unsupportedSchemaVersion,
            "the document has schema_version \(version), and \(BuildInfo.writer) reads version "
                + "\(NativeDocument.schemaVersion). Import it with a build that knows it.")
    }

    static let checksumMismatch = StoreError(
        .checksumMismatch,
        "the document does not match its checksum: it was changed or damaged since it was exported. Export it again.")

    static func changedMeanwhile(_ name: String, cause: StoreError? = nil) -> StoreError {
        StoreError(
            .conflict, "\(name) changed between the check and the import. Import it again when nobody writes to it.",
            cause: cause)
    }

    /// The same error, told with where it happened and what came of it.
    func located(_ location: String, after consequence: String? = nil) -> StoreError {
        let text = consequence.map { "\(location): \(message) \($0)" } ?? "\(location): \(message)"
        return StoreError(code, text, backend: backend, nativeCode: nativeCode, cause: cause)
    }
}
