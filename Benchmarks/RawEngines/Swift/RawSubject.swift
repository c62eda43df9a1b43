public import AgentSessions
public import AgentSessionsBenchmarks

/// An engine's own C API, measured on the same rows as the store above it.
public struct RawSubject: BenchmarkSubject {
    public let name: String
    public let backend: String
    public var isRaw: Bool { true }
    private let library: RawLibrary
    /// Makes a scratch location for the engine.
    private let make: @Sendable () async throws(StoreError) -> RawScratchLocation

    /// The engine below a backend; `nil` where none is known.
    ///
    /// - Parameters:
    ///   - backend: The backend whose engine it is.
    ///   - make: Makes a new scratch location.
    public init?(
        backend: String, make: @escaping @Sendable () async throws(StoreError) -> RawScratchLocation
    ) {
        guard let library = RawLibrary(below: backend) else { return nil }
        self.library = library
        self.backend = backend
        name = "raw-\(library.rawValue)"
        self.make = make
    }

    public func open(_ data: BenchmarkData, stop: StopRequest) async throws(StoreError) -> any OpenSubject {
        let scratch = try await make()
        do throws(StoreError) {
            return OpenRawSubject(try await RawEngine.open(library, at: scratch), scratch, data)
        } catch {
            await scratch.remove()
            throw error
        }
    }
}

/// A library whose C API is measured, under the name that the contract gives it: not always that of the backend.
enum RawLibrary: String {
    case sqlite
    case lmdb
    case libpq

    /// The library that a backend drives.
    init?(below backend: String) {
        switch backend {
        case "sqlite": self = .sqlite
        case "lmdb": self = .lmdb
        case "postgres": self = .libpq
        default: return nil
        }
    }
}

/// A scratch location for a raw engine.
public struct RawScratchLocation: Sendable {
    let url: StoreURL
    let name: String
    let folder: String
    let bytesOnDisk: @Sendable () async -> Int?
    let remove: @Sendable () async -> Void

    /// A scratch location.
    ///
    /// - Parameters:
    ///   - url: The store beside which the engine is measured: it names the server.
    ///   - name: A name that is not in use, for a schema.
    ///   - folder: An empty folder, for files.
    ///   - bytesOnDisk: What the files take on disk.
    ///   - remove: Removes the folder, after the engine was closed. A schema the engine removes itself.
    public init(
        beside url: StoreURL, named name: String, folder: String, bytesOnDisk: @escaping @Sendable () async -> Int?,
        remove: @escaping @Sendable () async -> Void
    ) {
        self.url = url
        self.name = name
        self.folder = folder
        self.bytesOnDisk = bytesOnDisk
        self.remove = remove
    }
}

private final class OpenRawSubject: OpenSubject {
    private let engine: RawEngine
    private let scratch: RawScratchLocation
    private let data: BenchmarkData

    init(_ engine: RawEngine, _ scratch: RawScratchLocation, _ data: BenchmarkData) {
        self.engine = engine
        self.scratch = scratch
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
        await scratch.remove()
    }

    private func bytesOnDisk() async -> Int? {
        if let bytes = await engine.bytes() { return bytes }
        return await scratch.bytesOnDisk()
    }
}
