package import AgentSessions

/// A connection that writes, as the group commit sees it. Only the writer thread uses it.
package protocol CommitEngine: AnyObject, SendableMetatype {
    /// What the changes of a transaction are made through.
    associatedtype Writer: SessionStoreWriter, SendableMetatype

    /// The writer of the transaction that is open.
    var writer: Writer { get set }

    /// Begins a transaction, waiting for the engine's lock within a bound.
    ///
    /// - Throws: ``StoreError/Code/busy`` where the lock did not become free in time.
    func begin() throws(StoreError)

    /// A number that grows with every change made in the open transaction.
    var changeCount: Int { get }

    /// Makes the open transaction durable. Where it throws, the transaction is over.
    func commit() throws(StoreError)

    /// Rolls the open transaction back. Does nothing where none is open.
    func rollback()

    /// Lets go of the engine; called once, last, on the writer thread.
    func close()
}

extension StoreError {
    /// The answer to every change after a commit whose outcome is unknown. The engine stops: after a sync that failed,
    /// the system may have dropped what it could not write, and it reports that only once.
    package static func stopped(after failure: StoreError) -> StoreError {
        StoreError(
            .unavailable, "The store stopped after its disk failed. Open it again to see what was stored.",
            backend: failure.backend, nativeCode: failure.nativeCode, cause: failure)
    }
}
