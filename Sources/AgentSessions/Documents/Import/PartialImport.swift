/// What is stored of an import that stopped before its last document: the ``StoreError/cause`` of the error that
/// ``SessionService/importSessions(_:format:options:)`` throws then.
///
/// ```swift
/// if let partial = error.cause as? PartialImport { goOn(after: partial.ids, from: partial.next) }
/// ```
public struct PartialImport: Error, Sendable {
    /// A document of the source.
    public struct Document: Sendable, Hashable {
        /// Its number in the source, from 1.
        public let number: Int
        /// The id of its session.
        public let id: ULID
        /// The number of its messages.
        public let messages: Int
    }

    /// What messages call the source.
    let source: String
    /// The number of documents in the source.
    public let documents: Int
    /// The number of the first document that is not known to be stored, from 1. An import has to go on from here.
    public let next: Int
    /// The byte at which that document begins, from 0.
    public let nextByte: Int
    /// The documents that are stored, in their order. Several are stored at the same time, so a few may be after
    /// ``next``.
    public let stored: [Document]
    /// The documents that may or may not be stored, as that could not be found out. Look for their ids.
    public let unknown: [Document]
    /// What kept the document ``next`` from being stored.
    public let reason: StoreError

    /// The sessions that are stored, in the order of their documents.
    public var ids: [ULID] { stored.map(\.id) }
    /// The messages that are stored.
    public var messages: Int { stored.reduce(0) { $0 + $1.messages } }
    /// Of the documents that are stored, those after ``next``: a caller that goes on from there leaves them out.
    public var storedLater: [Document] { stored.filter { $0.number > next } }
}

extension PartialImport {
    /// The error that reports it.
    var error: StoreError {
        let position = "document \(next) of \(source) (from byte \(nextByte))"
        var text = "The import stopped at \(position): "
        // That nothing was written is true of one session, but not of the import.
        text += reason.message.replacing("; nothing was written", with: "").replacing(" Nothing was written.", with: "")
        if stored.isEmpty, unknown.isEmpty {
            return StoreError(
                reason.code, "\(text) Nothing was stored.", backend: reason.backend, nativeCode: reason.nativeCode,
                cause: reason.cause)
        }
        text += " Stored: \(stored.count) of the \(documents) documents, each whole."
        for document in unknown {
            text +=
                " It is not known whether document \(document.number) is stored: leave it out if there is a session "
            text += "\(document.id)."
        }
        let later = storedLater.map { "\($0.number)" }.joined(separator: ", ")
        text +=
            " Go on from document \(next)\(later.isEmpty ? "." : ", without those that are stored already: \(later).")"
        return StoreError(
            reason.code, text, backend: reason.backend, nativeCode: reason.nativeCode, cause: self)
    }
}
