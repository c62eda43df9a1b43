#if Postgres
internal import AgentSessions

/// Why a unit of statements, which the server takes as a whole or not at all, came to nothing, or may have.
enum PipelineError: Error {
    /// The server refused the statement at this position, or, where that is the number of statements, to commit them.
    /// Nothing of the unit is in the store.
    case refused(position: Int, ServerError)
    /// The connection was lost, or the server stopped answering.
    ///
    /// - `mayBeStored`: Whether all of the unit had been sent, so that the server may have committed it.
    /// - `timedOut`: Whether the server stopped answering.
    case lost(detail: String, state: String?, mayBeStored: Bool, timedOut: Bool)
    /// The server has committed the unit, and has given up waiting for the standbys that were to have it, too: a failover
    /// may lose it.
    case unconfirmed(detail: String)

    /// Whether the unit may be in the store.
    var mayBeStored: Bool {
        switch self {
        case .refused: false
        case .lost(_, _, let mayBeStored, _): mayBeStored
        case .unconfirmed: true
        }
    }

    /// The same for a statement of the unit that changed nothing.
    var withoutChange: PipelineError {
        switch self {
        case .refused: self
        case .lost(let detail, let state, _, let timedOut):
            .lost(detail: detail, state: state, mayBeStored: false, timedOut: timedOut)
        case .unconfirmed(let detail): .lost(detail: detail, state: nil, mayBeStored: false, timedOut: false)
        }
    }

    /// The error of a unit that changes the store.
    var writeError: StoreError { storeError(isWrite: true) }

    /// The error of a unit that changes nothing by itself: it reads, or its transaction was still open.
    var readError: StoreError { storeError(isWrite: false) }

    private func storeError(isWrite: Bool) -> StoreError {
        switch self {
        case .refused(_, let error):
            return error.storeError
        case .lost(let detail, let state, true, _) where isWrite:
            return StoreError(
                .outcomeUnknown,
                "The connection to Postgres was lost after a change had been sent (\(detail)): whether it was stored "
                    + "shows when it is looked for.",
                backend: PostgresBackend.name, nativeCode: state)
        case .unconfirmed(let detail):
            return StoreError(
                isWrite ? .outcomeUnknown : .unavailable,
                "The server did not wait for its standbys (\(detail)): what it has may be lost in a failover. Look at "
                    + "its standbys.",
                backend: PostgresBackend.name)
        case .lost(let detail, let state, _, let timedOut):
            return StoreError(
                timedOut ? .timeout : .unavailable,
                "The connection to Postgres was lost (\(detail)). Nothing was written.",
                backend: PostgresBackend.name, nativeCode: state)
        }
    }
}
#endif
