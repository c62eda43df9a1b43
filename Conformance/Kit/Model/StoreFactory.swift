public import AgentSessions

/// How the kit gets at the stores of a backend: what a backend author writes.
///
/// ```swift
/// struct MyStores: StoreFactory {
///     func open(_ place: StorePlace) async throws(StoreError) -> any SessionStore {
///         try await MyStore.open(folder: place.folder)
///     }
/// }
/// ```
public protocol StoreFactory: Sendable {
    /// Opens the store of a place, making it where there is none.
    ///
    /// Opening the same place again after the store was closed is a reopening; opening it while it is open is a second
    /// instance. A backend that can do neither (it does not declare the abilities) gives an empty store each time.
    func open(_ place: StorePlace) async throws(StoreError) -> any SessionStore

    /// Removes what the stores of a place left behind outside ``StorePlace/folder``, such as a schema of a server. All
    /// of them are closed by then.
    func destroy(_ place: StorePlace) async throws(StoreError)

    /// The command, a program's path and its arguments, that calls ``HelperProcess/main(task:factory:place:)`` in a
    /// process of its own; `nil` where there is none, so that the scenarios of several processes are not run, and none in a
    /// process of its own.
    func helperCommand(_ task: String, at place: StorePlace) -> [String]?
}

extension StoreFactory {
    public func destroy(_ place: StorePlace) async throws(StoreError) {}
    public func helperCommand(_ task: String, at place: StorePlace) -> [String]? { nil }
}

/// Where the store of one scenario is: a namespace that nobody else uses.
public struct StorePlace: Sendable, Hashable {
    /// A name that is unique on this machine, `[a-z][a-z0-9_]*` of at most 40 bytes: for a schema, say.
    public let name: String
    /// An empty folder that its owner alone can read. The kit removes it, and all that is in it, after the scenario.
    public let folder: String

    /// A place.
    public init(name: String, folder: String) {
        self.name = name
        self.folder = folder
    }
}

/// A factory in a line, for backends that leave nothing outside ``StorePlace/folder``.
///
/// ```swift
/// let stores = Stores { place in try await MyStore.open(folder: place.folder) }
/// ```
public struct Stores: StoreFactory {
    private let opening: @Sendable (StorePlace) async throws -> any SessionStore

    /// A factory of what `open` opens.
    public init(_ open: @escaping @Sendable (StorePlace) async throws -> any SessionStore) {
        opening = open
    }

    public func open(_ place: StorePlace) async throws(StoreError) -> any SessionStore {
        do {
            return try await opening(place)
        } catch {
            throw error as? StoreError
                ?? StoreError(.internalFailure, "Opening threw \(type(of: error)).", cause: error)
        }
    }
}
