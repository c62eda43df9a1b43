/// Makes the checksum that a session's native document has, without making the document.
struct SessionChecksum: Sendable {
    private static let pendingBytes = 1 << 16

    private var fields: NativeFields
    private var checksum = NativeChecksum()
    private var pending: [UInt8] = []
    private var isAtFirst = true

    init(of session: ULID) {
        fields = NativeFields(sessionID: session)
    }

    /// Takes the next message.
    ///
    /// - Throws: ``StoreError/Code/corrupt`` where it has no canonical form.
    mutating func add(_ message: SessionMessage) throws(StoreError) {
        if isAtFirst { isAtFirst = false } else { pending.append(ASCII.comma) }
        do throws(StoreError) {
            try fields.appendCanonical(message, into: &pending)
        } catch {
            throw .corrupt("Message \(message.sequence) of session \(message.sessionID)", error.message, cause: error)
        }
        if pending.count >= Self.pendingBytes {
            checksum.add(pending[...])
            pending.removeAll(keepingCapacity: true)
        }
    }

    /// The checksum, after the last message.
    func finish(_ session: Session) throws(StoreError) -> String {
        var whole = checksum
        whole.add(pending[...])
        do throws(JSONError) {
            return whole.finish(session: try NativeFields.canonical(session), writer: BuildInfo.writer)
        } catch {
            throw .corrupt("Session \(session.id)", error.description, cause: error)
        }
    }

    /// The checksum of a session as its pages show it, with the session of that moment.
    static func read(_ pages: SessionPages, of id: ULID) async throws(StoreError) -> (session: Session, text: String) {
        var pages = pages
        var checksum = SessionChecksum(of: id)
        while let messages = try await pages.next() {
            for message in messages { try checksum.add(message) }
        }
        guard let session = pages.session else { throw .sessionNotFound(id) }
        return (session, try checksum.finish(session))
    }
}
