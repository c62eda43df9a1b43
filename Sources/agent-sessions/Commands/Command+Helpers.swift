import AgentSessions
import ArgumentParser

extension String? {
    /// The JSON object that an option holds, or `nil` where it was not given.
    ///
    /// - Throws: `invalidArgument` if it is not an object, `limitExceeded` if it is too long or too deep.
    func metadataObject(within limits: StoreLimits) throws(StoreError) -> JSONObject? {
        guard let self else { return nil }
        do {
            return try JSONObject(parsing: self, limits: limits.metadata)
        } catch {
            throw StoreError(invalidJSON: error, in: "The metadata")
        }
    }
}

/// Checks that options which name a store or a file are not empty.
func requireValues(_ options: [(name: String, value: String?)]) throws {
    guard let empty = options.first(where: { $0.value?.isEmpty == true }) else { return }
    throw ValidationError("\(empty.name) is empty: give a name. Is a variable of the shell not set?")
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
