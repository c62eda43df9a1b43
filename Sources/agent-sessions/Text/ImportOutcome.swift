import AgentSessions

/// What an import of several files has stored, and where it stopped.
struct ImportOutcome {
    /// Why an import stopped before its end.
    struct Failure {
        /// What to report.
        let error: StoreError
        /// The file at which it stopped.
        let file: String
        /// What is stored of that file; `nil` if nothing is.
        let partial: PartialImport?
    }

    private(set) var ids: [ULID] = []
    private(set) var messages = 0
    private(set) var failure: Failure?

    /// Adds a file that is stored whole.
    mutating func add(_ result: ImportResult) {
        ids += result.ids
        messages += result.messages
    }

    /// Ends with a file that could not be stored, or only in part.
    ///
    /// - Parameters:
    ///   - error: Why.
    ///   - file: The file.
    ///   - filesLeft: The number of files after it.
    /// - Throws: `error` if nothing at all is stored, or may be.
    mutating func stop(by error: StoreError, at file: String, before filesLeft: Int) throws(StoreError) {
        let partial = error.cause as? PartialImport
        guard partial != nil || !ids.isEmpty else { throw error }
        // The error is about its file alone.
        var message = error.message.replacing("Nothing was stored.", with: "Nothing of this file was stored.")
        if !ids.isEmpty { message += " All of the files before it is stored: \(counted(ids.count, "session"))." }
        if filesLeft > 0 { message += " Nothing of the \(counted(filesLeft, "file")) after it is stored." }
        let told = StoreError(
            error.code, message, backend: error.backend, nativeCode: error.nativeCode, cause: error.cause)
        failure = Failure(error: told, file: file, partial: partial)
        ids += partial?.ids ?? []
        messages += partial?.messages ?? 0
    }
}

extension ImportOutcome {
    /// `sessions`, `messages` and `ids` of what is stored, and `stopped` if that is not all.
    var json: JSONValue {
        var members: [(String, JSONValue)] = [
            ("sessions", .integer(Int64(ids.count))), ("messages", .integer(Int64(messages))),
            ("ids", .array(ids.map { .string($0.description) })),
        ]
        if let failure { members.append(("stopped", failure.json)) }
        return .object(JSONObject(members: members))
    }

    /// The same for people.
    var text: String {
        let stored = "\(counted(ids.count, "session")) with \(counted(messages, "message"))"
        guard failure == nil else {
            return (["Stored before the import stopped: \(stored)."] + ids.map { "  \($0)" }).joined(separator: "\n")
        }
        var lines = ["Imported \(stored)."] + ids.prefix(10).map { "  \($0)" }
        if ids.count > 10 { lines.append("  … and \(ids.count - 10) more") }
        return lines.joined(separator: "\n")
    }
}

extension ImportOutcome.Failure {
    /// Where to go on: from `document` of `file`, which begins at `byte`, without those of `stored_later`, and after a
    /// look for the sessions of `unknown`.
    fileprivate var json: JSONValue {
        [
            "file": .string(file), "document": .integer(Int64(partial?.next ?? 1)),
            "byte": .integer(Int64(partial?.nextByte ?? 0)),
            "stored_later": .array((partial?.storedLater ?? []).map(\.json)),
            "unknown": .array((partial?.unknown ?? []).map(\.json)), "code": .string(error.code.description),
            "message": .string(error.message),
        ]
    }
}

extension PartialImport.Document {
    fileprivate var json: JSONValue {
        ["document": .integer(Int64(number)), "id": .string(id.description)]
    }
}
