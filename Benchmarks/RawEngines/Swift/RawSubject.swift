public import AgentSessions
public import AgentSessionsBenchmarks

/// An engine's own C API, measured on the same rows as the store above it.
public struct RawSubject: BenchmarkSubject {
    public let name: String
    public let backend: String
    public var isRaw: Bool { true }
    /// What the engine needs to open at a fresh place, and what to do with the place.
    private let make: @Sendable () async throws(StoreError) -> RawPlace

    /// An engine.
    ///
    /// - Parameters:
    ///   - backend: The backend whose engine it is.
    ///   - make: Makes a fresh place.
    public init(
        backend: String, make: @escaping @Sendable () async throws(StoreError) -> RawPlace
    ) {
        self.backend = backend
        // The names of the contract: by the library, which is not always called as the backend.
        name = backend == "postgres" ? "raw-libpq" : "raw-\(backend)"
        self.make = make
    }

    public func open(_ data: BenchmarkData, stop: StopRequest) async throws(StoreError) -> any OpenSubject {
        let place = try await make()
        do throws(StoreError) {
            return OpenRawSubject(try await RawEngine.open(place.engine), place, data)
        } catch {
            await place.remove()
            throw error
        }
    }
}

/// A fresh place for a raw engine.
public struct RawPlace: Sendable {
    /// Which engine, and where.
    public enum Engine: Sendable {
        /// A database file that does not exist.
        case sqlite(path: String)
        /// An empty folder.
        case lmdb(folder: String)
        /// A schema that does not exist, on a server.
        case libpq(server: RawServer, schema: String)
    }

    let engine: Engine
    let bytesOnDisk: @Sendable () async -> Int?
    let remove: @Sendable () async -> Void

    /// A place.
    public init(
        _ engine: Engine, bytesOnDisk: @escaping @Sendable () async -> Int? = { nil },
        remove: @escaping @Sendable () async -> Void = {}
    ) {
        self.engine = engine
        self.bytesOnDisk = bytesOnDisk
        self.remove = remove
    }
}

private final class OpenRawSubject: OpenSubject {
    private let engine: RawEngine
    private let place: RawPlace
    private let data: BenchmarkData

    init(_ engine: RawEngine, _ place: RawPlace, _ data: BenchmarkData) {
        self.engine = engine
        self.place = place
        self.data = data
    }

    var tier: DurabilityTier {
        get async { await engine.isDurable() ? .powerLoss : .processCrash }
    }

    func settings() async throws(StoreError) -> [StoreSetting] { try await engine.settings() }

    func load(
        until messages: Int, progress: @escaping @Sendable (Int) -> Void
    ) async throws(StoreError) -> Repetition? {
        let usage = ProcessUsage.begin()
        guard var measured = try await engine.load(data, messages: messages) else { return nil }
        usage.end(into: &measured)
        measured.bytesOnDisk = await bytesOnDisk()
        return measured
    }

    func run(_ workload: Workload, _ load: Load) async throws(StoreError) -> Repetition? {
        guard case .closed = load.mode, let raw = RawEngine.workload(workload.name, clients: load.clients) else {
            return nil
        }
        let usage = ProcessUsage.begin()
        var measured = try await engine.run(raw, load)
        usage.end(into: &measured)
        measured.bytesOnDisk = await bytesOnDisk()
        return measured
    }

    func close() async {
        await engine.close()
        await place.remove()
    }

    private func bytesOnDisk() async -> Int? {
        if let bytes = await engine.bytes() { return bytes }
        return await place.bytesOnDisk()
    }
}
