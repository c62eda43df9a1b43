/// The errors that core and backends share, so that the same failure reads the same everywhere.
extension StoreError {
    /// There is no session `id`.
    public static func sessionNotFound(_ id: ULID) -> StoreError {
        StoreError(.notFound, "There is no session \(id) in this store. `list` shows the sessions that there are.")
    }

    /// A session `id` is in the store already.
    public static func sessionExists(_ id: ULID) -> StoreError {
        StoreError(
            .alreadyExists,
            "A session \(id) is in this store already. Create without an id to have a fresh one made.")
    }

    /// A session that is restored has the same message id twice.
    public static func messageIDTwice(_ id: ULID, in session: ULID) -> StoreError {
        StoreError(
            .conflict, "The message id \(id) comes twice in session \(session): each message has an id of its own.")
    }

    /// There is no store, and it was to be opened only where there is one.
    ///
    /// - Parameter place: Where it was looked for, such as `in the file "sessions.db"`.
    public static func storeNotFound(_ place: String, backend: String? = nil) -> StoreError {
        StoreError(
            .notFound,
            "There is no store \(place), and none was made. Look at the URL; `create`, `import` and `migrate` make a new "
                + "store.",
            backend: backend)
    }

    /// The store was closed.
    public static func storeClosed(backend: String? = nil) -> StoreError {
        StoreError(.closed, "The store was closed. Open it again before you use it.", backend: backend)
    }

    /// What was read back is not what the store wrote.
    ///
    /// - Parameters:
    ///   - what: The row or record, named so that a person finds it.
    ///   - detail: What is wrong with it, without its content.
    public static func corrupt(
        _ what: String, _ detail: String, backend: String? = nil, cause: (any Error)? = nil
    ) -> StoreError {
        StoreError(
            .corrupt, "\(what) is damaged: \(detail). Run `verify`, and restore it from an export or a backup.",
            backend: backend, cause: cause)
    }

    static let cancelledBeforeStart = StoreError(
        .cancelled, "The task was cancelled before the operation began. Nothing was written.")
}
