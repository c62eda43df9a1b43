public import AgentSessions

extension StoreConfiguration {
    /// The same settings for a store of its own, which leaves the configured one alone.
    ///
    /// - Parameters:
    ///   - name: A name that nobody else uses, `[a-z][a-z0-9_]*` of at most 40 bytes.
    ///   - folder: An empty folder, which the caller removes.
    /// - Throws: ``AgentSessions/StoreError/Code/unsupported`` where the backend has no place for trials.
    public func trial(named name: String, folder: String) throws(StoreError) -> StoreConfiguration {
        guard let place = try backend.trialPlace(beside: url, named: name, folder: folder) else {
            throw StoreError(
                .unsupported,
                "The backend \(backend.name) does not say where a trial can have a store of its own, and the configured "
                    + "one must be left alone.", backend: backend.name)
        }
        return try relocated(to: place)
    }

    /// Removes what the store of this trial left outside its folder.
    ///
    /// - Throws: Whatever the backend throws.
    public func removeTrial() async throws(StoreError) {
        try await backend.removeTrial(url, settings: settings)
    }
}
