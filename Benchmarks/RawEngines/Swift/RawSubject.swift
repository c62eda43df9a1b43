public import AgentSessions
public import AgentSessionsBenchmarks

/// An engine's own C API, measured on the same rows as the store above it.
public struct RawSubject: BenchmarkSubject {
    public let name: String
    public let backend: String
    public var isRaw: Bool { true }
    private let library: RawLibrary
    /// Makes a place for the engine.
    private let make: @Sendable () async throws(StoreError) -> RawPlace

    /// The engine below a backend; `nil` where none is known.
    ///
    /// - Parameters:
    ///   - backend: The backend whose engine it is.
    ///   - make: Makes a fresh place.
    public init?(
        backend: String, make: @escaping @Sendable () async throws(StoreError) -> RawPlace
    ) {
        guard let library = RawLibrary(below: backend) else { return nil }
        self.library = library
        self.backend = backend
        name = "raw-\(library.rawValue)"
        self.make = make
    }

    public func open(_ data: BenchmarkData, stop: StopRequest) async throws(StoreError) -> any OpenSubject {
        let place = try await make()
        do throws(StoreError) {
            return OpenRawSubject(try await RawEngine.open(library, at: place), place, data)
        } catch {
            await place.remove()
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

/// A fresh place for a raw engine.
public struct RawPlace: Sendable {
    let url: StoreURL
    let name: String
    let folder: String
    let bytesOnDisk: @Sendable () async -> Int?
    let remove: @Sendable () async -> Void

    /// A place.
    ///
    /// - Parameters:
    ///   - url: The store beside which the engine is measured: it names the server.
    ///   - name: A name that nobody else uses, for a schema.
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
