#if Postgres
internal import AgentSessions

/// Why a unit of statements, which the server takes as a whole or not at all, came to nothing, or may have.
enum UnitFailure: Error {
    /// The server refused the statement at this position, or, where that is the number of statements, to commit them.
    /// Nothing of the unit is in the store.
    case refused(position: Int, ServerError)
    /// The connection was lost, or the server stopped answering.
    ///
    /// - `mayBeStored`: Whether all of the unit had been sent, so that the server may have committed it.
    /// - `timedOut`: Whether the server stopped answering.
    case lost(detail: String, state: String?, mayBeStored: Bool, timedOut: Bool)

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
        case .lost(let detail, let state, _, let timedOut):
            return StoreError(
                timedOut ? .timeout : .unavailable,
                "The connection to Postgres was lost (\(detail)). Nothing was written.",
                backend: PostgresBackend.name, nativeCode: state)
        }
    }
}
#endif
