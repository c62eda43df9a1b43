#if Postgres
internal import AgentSessions

/// Why a pipeline, of which the server stores all or nothing, was not stored, or may not have been.
enum PipelineError: Error {
    /// The server refused the statement at this position or, where that is the number of statements, the commit.
    /// Nothing of the pipeline is stored.
    case refused(position: Int, ServerError)
    /// The connection was lost, or the server stopped answering.
    ///
    /// - `mayBeStored`: Whether all of the pipeline had been sent, so that the server may have committed it.
    /// - `timedOut`: Whether the server stopped answering.
    case lost(detail: String, state: String?, mayBeStored: Bool, timedOut: Bool)
    /// The server has committed the pipeline, but stopped waiting for the standbys that were to have it, too: a failover
    /// may lose it.
    case unconfirmed(detail: String)

    /// Whether the pipeline may be stored.
    var mayBeStored: Bool {
        switch self {
        case .refused: false
        case .lost(_, _, let mayBeStored, _): mayBeStored
        case .unconfirmed: true
        }
    }

    /// The same for a statement of the pipeline that changed nothing.
    var withoutChange: PipelineError {
        switch self {
        case .refused: self
        case .lost(let detail, let state, _, let timedOut):
            .lost(detail: detail, state: state, mayBeStored: false, timedOut: timedOut)
        case .unconfirmed(let detail): .lost(detail: detail, state: nil, mayBeStored: false, timedOut: false)
        }
    }

    /// The error of a pipeline that changes the store.
    var writeError: StoreError { storeError(isWrite: true) }

    /// The error of a pipeline that changes nothing by itself: it reads, or its transaction was still open.
    var readError: StoreError { storeError(isWrite: false) }

    private func storeError(isWrite: Bool) -> StoreError {
        switch self {
        case .refused(_, let error):
            return error.storeError
        case .lost(let detail, let state, true, _) where isWrite:
            return StoreError(
                .outcomeUnknown,
                "The connection to Postgres was lost after a change had been sent (\(detail)). The change may be stored: "
                    + "read the session to find out.",
                backend: PostgresBackend.name, nativeCode: state)
        case .unconfirmed(let detail):
            return StoreError(
                isWrite ? .outcomeUnknown : .unavailable,
                "The server stopped waiting for its standbys (\(detail)): a failover may lose what it has committed. "
                    + "Check the standbys.",
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
