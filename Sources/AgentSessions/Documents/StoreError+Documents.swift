// What can be wrong with a document. No text quotes the content of a message.
extension StoreError {
    /// - Parameter start: The offset in the document of the JSON that the error is about.
    init(inDocument error: JSONError, at start: Int) {
        let isLimit = error.kind == .tooDeep || error.kind == .tooLarge
        let position = error.offset.map { "byte \(start + $0)" } ?? "the value at byte \(start)"
        // The end of the value was found before, so the document itself is not truncated.
        let detail = error.kind == .truncated ? "a value is incomplete" : error.detail
        self.init(isLimit ? .limitExceeded : .invalidArgument, "\(position): \(detail).", cause: error)
    }

    static func endsInTheMiddle(at offset: Int) -> StoreError {
        StoreError(
            .invalidArgument,
            "the document ends in the middle, at byte \(offset): it was cut short. Export it again, or copy all of it.")
    }

    static func unexpectedCharacter(at offset: Int, allowed: String) -> StoreError {
        StoreError(.invalidArgument, "byte \(offset): unexpected character; allowed here: \(allowed).")
    }

    static func duplicateKey(_ key: String) -> StoreError {
        StoreError(.invalidArgument, "the key \(quoted(key)) is duplicated: the keys of an object must be unique.")
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
            .conflict,
            "\(name) changed between the check and the import. Import it again when no program writes to it.",
            cause: cause)
    }

    /// The same error, with where it happened and its consequence.
    func located(_ location: String, after consequence: String? = nil) -> StoreError {
        let text = consequence.map { "\(location): \(message) \($0)" } ?? "\(location): \(message)"
        return StoreError(code, text, backend: backend, nativeCode: nativeCode, cause: cause)
    }
}
