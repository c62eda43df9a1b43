import AgentSessionsThreads
import Metrics
import Tracing

/// The operations of the service. The raw value is the place among all cases.
enum ServiceOperation: Int, CaseIterable {
    case create, get, list, update, usage, delete, append, messages, rewind, restore, replace

    /// What metrics, spans and logs call it.
    var name: String { String(describing: self) }
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
            let dimensions = [("operation", operation.name), ("backend", backend)]
            return Instruments(
                operations: Counter(label: "agent_sessions_operations_total", dimensions: dimensions),
                errors: Counter(label: "agent_sessions_errors_total", dimensions: dimensions),
                retries: Counter(label: "agent_sessions_retries_total", dimensions: dimensions),
                seconds: Metrics.Timer(label: "agent_sessions_operation_seconds", dimensions: dimensions))
        }
    }

    func countRetry(of operation: ServiceOperation) {
        instruments[operation.rawValue].retries.increment()
    }

    /// Runs `body`, counted and timed, within a span where there is a tracer.
    ///
    /// - Parameter body: What is run; it is told when it began.
    func measure<Result: Sendable>(
        _ operation: ServiceOperation, _ body: (ContinuousClock.Instant) async throws(StoreError) -> Result
    ) async throws(StoreError) -> Result {
        let start = ContinuousClock.now
        let span = tracer?.startAnySpan("agent_sessions.\(operation.name)", ofKind: .client)
        span?.attributes["db.system"] = backend
        defer {
            let instruments = instruments[operation.rawValue]
            instruments.operations.increment()
            instruments.seconds.recordNanoseconds((ContinuousClock.now - start).wholeNanoseconds)
            span?.end()
        }
        do {
            return try await body(start)
        } catch {
            instruments[operation.rawValue].errors.increment()
            span?.recordError(error)
            throw error
        }
    }
}
