import AgentSessionsThreads
import Metrics
import Tracing

/// The operations of the service, as metrics, spans and logs name them.
enum ServiceOperation: String, CaseIterable {
    case create, get, list, update, usage, delete, append, messages, rewind, restore, replace

    /// The place among all cases.
    var index: Int {
        switch self {
        case .create: 0
        case .get: 1
        case .list: 2
        case .update: 3
        case .usage: 4
        case .delete: 5
        case .append: 6
        case .messages: 7
        case .rewind: 8
        case .restore: 9
        case .replace: 10
        }
    }
}

/// Counts and times what the service does.
///
/// Metrics: `agent_sessions_operations_total`, `agent_sessions_errors_total`, `agent_sessions_retries_total` and the
/// timer `agent_sessions_operation_seconds`, each with the dimensions `operation` and `backend`.
struct ServiceTelemetry: Sendable {
    /// In the order of the operations.
    private let instruments: [Instruments]
    private let backend: String
    private let tracer: (any Tracer)?

    /// Looked up once, as making a metric takes a lock of the metrics system.
    private struct Instruments: Sendable {
        let operations: Counter
        let errors: Counter
        let retries: Counter
        let seconds: Metrics.Timer
    }

    init(backend: String, tracer: (any Tracer)?) {
        self.backend = backend
        self.tracer = tracer
        instruments = ServiceOperation.allCases.map { operation in
            let dimensions = [("operation", operation.rawValue), ("backend", backend)]
            return Instruments(
                operations: Counter(label: "agent_sessions_operations_total", dimensions: dimensions),
                errors: Counter(label: "agent_sessions_errors_total", dimensions: dimensions),
                retries: Counter(label: "agent_sessions_retries_total", dimensions: dimensions),
                seconds: Metrics.Timer(label: "agent_sessions_operation_seconds", dimensions: dimensions))
        }
    }

    func countRetry(of operation: ServiceOperation) {
        instruments[operation.index].retries.increment()
    }

    /// Runs `body`, counted and timed, within a span where there is a tracer.
    ///
    /// - Parameter body: What is run; it is told when it began.
    func measure<Result: Sendable>(
        _ operation: ServiceOperation, _ body: (ContinuousClock.Instant) async throws(StoreError) -> Result
    ) async throws(StoreError) -> Result {
        let start = ContinuousClock.now
        let span = tracer?.startAnySpan("agent_sessions.\(operation.rawValue)", ofKind: .client)
        span?.attributes["db.system"] = backend
        defer {
            let instruments = instruments[operation.index]
            instruments.operations.increment()
            instruments.seconds.recordNanoseconds((ContinuousClock.now - start).wholeNanoseconds)
            span?.end()
        }
        do {
            return try await body(start)
        } catch {
            instruments[operation.index].errors.increment()
            span?.recordError(error)
            throw error
        }
    }
}
