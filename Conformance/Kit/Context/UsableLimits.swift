import AgentSessions

/// A store as scenarios see it: what it declares for its limits is kept within what a scenario can allocate and count
/// with, however the store changes its mind. `limits.declared` says what is wrong with limits that had to be changed.
struct UsableLimits: ForwardingSessionStore {
    let base: any SessionStore

    var capabilities: StoreCapabilities {
        var capabilities = base.capabilities
        for limit in StoreLimits.declarable {
            let declared = capabilities.limits[keyPath: limit.path]
            // Somewhat more than the contract allows, so that a store is still held to what it declares there.
            capabilities.limits[keyPath: limit.path] = min(max(declared, limit.least), limit.most * 4)
        }
        return capabilities
    }
}

extension StoreLimits {
    /// A limit, and what a store may declare for it.
    struct Declarable: Sendable {
        let name: String
        let path: any WritableKeyPath<StoreLimits, Int> & Sendable
        /// Less is of no use: an empty object has two bytes.
        let least: Int

        /// The limit of the contract.
        var most: Int { StoreLimits.standard[keyPath: path] }
    }

    /// Every limit.
    static let declarable = [
        Declarable(name: "contentBytes", path: \.contentBytes, least: 1),
        Declarable(name: "metadataBytes", path: \.metadataBytes, least: 2),
        Declarable(name: "metadataDepth", path: \.metadataDepth, least: 1),
        Declarable(name: "toolCallIDBytes", path: \.toolCallIDBytes, least: 1),
        Declarable(name: "actorNameBytes", path: \.actorNameBytes, least: 1),
        Declarable(name: "batchMessages", path: \.batchMessages, least: 1),
        Declarable(name: "pageItems", path: \.pageItems, least: 1),
    ]
}
