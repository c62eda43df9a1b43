public import AgentSessions

extension StoreConfiguration {
    /// The same settings for a scratch store, which does not touch the configured one.
    ///
    /// - Parameters:
    ///   - name: A name that is not in use, `[a-z][a-z0-9_]*` of at most 40 bytes.
    ///   - folder: An empty folder, which the caller removes.
    /// - Throws: ``AgentSessions/StoreError/Code/unsupported`` where the backend has no scratch location.
    public func scratch(named name: String, folder: String) throws(StoreError) -> StoreConfiguration {
        try relocated(to: try scratchLocation(named: name, folder: folder))
    }

    /// The directory of the store's files. A scratch store whose speed is to be compared has its folder there, on the same
    /// disk. `nil` if scratch stores keep nothing in their folders.
    ///
    /// - Throws: ``AgentSessions/StoreError/Code/unsupported`` where the backend has no scratch location,
    ///   ``AgentSessions/StoreError/Code/invalidArgument`` where the URL names no path.
    public func scratchDirectory() throws(StoreError) -> String? {
        guard try scratchLocation(named: "scratch", folder: "/").isInFolder else { return nil }
        return directory(of: try url.filePath())
    }

    /// The bytes that this scratch store takes outside its folder; `nil` where that is not known.
    ///
    /// - Throws: Whatever the backend throws.
    public func scratchBytes() async throws(StoreError) -> Int? {
        try await backend.scratchBytes(url, settings: settings)
    }

    /// Removes what this scratch store left outside its folder.
    ///
    /// - Throws: Whatever the backend throws.
    public func removeScratch() async throws(StoreError) {
        try await backend.removeScratch(url, settings: settings)
    }

    private func scratchLocation(named name: String, folder: String) throws(StoreError) -> ScratchLocation {
        guard let place = try backend.scratchLocation(beside: url, named: name, folder: folder) else {
            throw StoreError(
                .unsupported,
                "The backend \(backend.name) has no scratch location, and the configured store must not be "
                    + "touched.", backend: backend.name)
        }
        return place
    }
}
