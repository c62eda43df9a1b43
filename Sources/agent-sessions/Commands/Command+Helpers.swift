import AgentSessions

extension String? {
    /// The JSON object that an option holds, or `nil` where it was not given.
    ///
    /// - Throws: `invalidArgument` where it is no object, `limitExceeded` where it is too long or too deep.
    func metadataObject(within limits: StoreLimits) throws(StoreError) -> JSONObject? {
        guard let self else { return nil }
        do {
            return try JSONObject(parsing: self, limits: limits.metadata)
        } catch {
            throw StoreError(invalidJSON: error, in: "The metadata")
        }
    }
}

extension ToolContext {
    /// Prints a session that a command has changed.
    func show(_ session: Session, _ options: GlobalOptions) throws(StoreError) {
        if options.json {
            try console.print(session.json)
        } else {
            try console.output.print(session.block)
        }
    }
}
