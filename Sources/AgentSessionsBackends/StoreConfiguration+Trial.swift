public import AgentSessions

extension StoreConfiguration {
    /// The same settings for a store of its own, which leaves the configured one alone.
    ///
    /// - Parameters:
    ///   - name: A name that nobody else uses, `[a-z][a-z0-9_]*` of at most 40 bytes.
    ///   - folder: An empty folder, which the caller removes.
    /// - Throws: ``AgentSessions/StoreError/Code/unsupported`` where the backend has no place for trials.
    public func trial(named name: String, folder: String) throws(StoreError) -> StoreConfiguration {
        try relocated(to: try trialPlace(named: name, folder: folder))
    }

    /// The directory that the store's files are in: a trial whose speed is to be compared has its folder there, on the
    /// same disk. `nil` where trials keep nothing in their folders.
    ///
    /// - Throws: ``AgentSessions/StoreError/Code/unsupported`` where the backend has no place for trials,
    ///   ``AgentSessions/StoreError/Code/invalidArgument`` where the URL names no path.
    public func trialDirectory() throws(StoreError) -> String? {
        guard try trialPlace(named: "trial", folder: "/").isInFolder else { return nil }
        return directory(of: try url.filePath())
    }

    /// The bytes that the store of this trial takes outside its folder; `nil` where that is not known.
    ///
    /// - Throws: Whatever the backend throws.
    public func trialBytes() async throws(StoreError) -> Int? {
        try await backend.trialBytes(url, settings: settings)
    }

    /// Removes what the store of this trial left outside its folder.
    ///
    /// - Throws: Whatever the backend throws.
    public func removeTrial() async throws(StoreError) {
        try await backend.removeTrial(url, settings: settings)
    }

    private func trialPlace(named name: String, folder: String) throws(StoreError) -> TrialPlace {
        guard let place = try backend.trialPlace(beside: url, named: name, folder: folder) else {
            throw StoreError(
                .unsupported,
                "The backend \(backend.name) does not say where a trial can have a store of its own, and the configured "
                    + "one must be left alone.", backend: backend.name)
        }
        return place
    }
}
