public import AgentSessions
public import Logging

extension SessionStore {
    /// A service over this store. Close the store when the service is no longer needed.
    ///
    /// - Parameters:
    ///   - retryPolicy: How calls that failed for a passing reason are tried again.
    ///   - logger: Where retries are logged.
    public func makeService(
        retryPolicy: RetryPolicy = .standard,
        logger: Logger = Logger(label: "agent-sessions", factory: { _ in SwiftLogNoOpLogHandler() })
    ) -> any SessionService {
        PersistentSessionService(self, retryPolicy: retryPolicy, logger: logger)
    }
}
