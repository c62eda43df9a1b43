package import AgentSessions

/// A connection that writes, as the group commit sees it. It lives on the writer's thread.
package protocol CommitEngine: AnyObject, SendableMetatype {
    /// What the changes of a transaction are made through.
    associatedtype Writer: SessionStoreWriter, SendableMetatype

    /// The writer of the transaction that is open.
    var writer: Writer { get set }

    /// Begins a transaction, waiting for the engine's lock within a bound.
    ///
    /// - Throws: ``StoreError/Code/busy`` where the lock was not to be had.
    func begin() throws(StoreError)

    /// A number that grows with every change made in the open transaction.
    var changeCount: Int { get }

    /// Makes the open transaction durable. Where it throws, the transaction is over.
    func commit() throws(StoreError)

    /// Undoes the open transaction. Where none is open, does nothing.
    func rollback()

    /// Lets go of the engine; called once, after everything else, on the writer's thread.
    func close()
}
