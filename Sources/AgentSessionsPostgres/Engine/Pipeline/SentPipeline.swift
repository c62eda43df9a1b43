#if Postgres
/// A pipeline that was sent, with one synchronisation at its end, and what has come back of it.
struct SentPipeline {
    /// The number of its statements.
    let count: Int
    /// The statement that commits; the number of statements where the server commits at the synchronisation; `nil` where a
    /// transaction stays open.
    let commitPosition: Int?
    /// The statement whose answer is next. What was sent before the first one, such as settings, has positions below 0.
    var position: Int
    /// Whether libpq still holds some of it, as the socket was full.
    var hasUnsentBytes = true
    /// The statement that the server has refused.
    var refusal: (position: Int, error: ServerError)?

    /// Whether the server may have committed it, if nothing more is heard of it. The synchronisation is sent last; a
    /// statement before it may have arrived.
    var mayBeStored: Bool { commitPosition.map { $0 < count || !hasUnsentBytes } ?? false }

    /// Whether the answer that is next is that to the commit.
    var isAtCommit: Bool { commitPosition.map { position >= $0 } ?? false }
}
#endif
