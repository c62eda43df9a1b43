public import AgentSessions

/// The backends that a program knows, by the scheme of their store URLs.
///
/// A registry is a value: a backend that one part of a program registers is not visible to the others. ``standard`` holds the backends of
/// this package that were compiled in.
///
/// ```swift
/// var registry = BackendRegistry.standard
/// try registry.register(MyBackend.self)
/// let store = try await registry.open("mine:somewhere")
/// ```
public struct BackendRegistry: Sendable {
    /// The backends in the order in which they were registered.
    public private(set) var backends: [any StoreBackend.Type] = []

    /// A registry without backends.
    public init() {}

    /// A registry of backends that are known to fit together.
    init(known backends: [any StoreBackend.Type]) { self.backends = backends }

    /// The names of the backends, in order of registration.
    public var names: [String] { backends.map { $0.name } }

    /// Adds a backend.
    ///
    /// - Throws: ``AgentSessions/StoreError/Code/invalidArgument`` if a backend of that name is registered, the name is
    ///   not a scheme (`[a-z][a-z0-9]*`), or a setting has a name that means something else: `store`, `config`, a
    ///   common setting, or another setting of the backend.
    public mutating func register<Backend: StoreBackend>(_ backend: Backend.Type) throws(StoreError) {
        var schemes = Set(backends.flatMap { $0.schemes })
        for scheme in backend.schemes {
            guard schemes.insert(scheme).inserted else {
                throw StoreError(
                    .invalidArgument, "A backend \(quoted(scheme)) is registered already: register each name once.")
            }
            guard isScheme(scheme) else {
                throw StoreError(
                    .invalidArgument,
                    "\(quoted(scheme)) cannot be a backend's name: it begins with a-z and goes on with a-z and 0-9.")
            }
        }
        var taken = Set(CommonSettings.definitions.map(\.name) + [SettingKey.store, SettingKey.config])
        for setting in backend.settings {
            guard SettingKey.isValid(setting.name), taken.insert(setting.name).inserted else {
                throw StoreError(
                    .invalidArgument,
                    "The backend \(backend.name) cannot have a setting \(quoted(setting.name)): the name is taken, or "
                        + "is not of the form [a-z][a-z0-9_]*.")
            }
        }
        backends.append(backend)
    }

    /// The backend of that name or alias.
    ///
    /// - Throws: ``AgentSessions/StoreError/Code/invalidArgument`` if there is none; the message lists the backends
    ///   of the registry.
    public func backend(named name: String) throws(StoreError) -> any StoreBackend.Type {
        guard let backend = backends.first(where: { $0.schemes.contains(name) }) else {
            let known = names.isEmpty ? "none" : names.joined(separator: ", ")
            throw StoreError(
                .invalidArgument,
                "There is no backend \(quoted(name)) in this build: the backends are \(known). Write the store as "
                    + "backend:location, such as \(backends.last?.exampleURL ?? "memory:").")
        }
        return backend
    }

    /// Opens the store that a URL names, with the parameters of the URL and defaults for the rest. No environment
    /// variable and no file is read; ``StoreConfiguration`` does that.
    ///
    /// - Throws: ``AgentSessions/StoreError/Code/invalidArgument`` for a URL, key or value that is not allowed;
    ///   whatever the backend throws on opening.
    public func open(_ url: String, context: StoreContext = StoreContext()) async throws(StoreError) -> any SessionStore
    {
        let level = ConfigurationLevel.commandLine(store: url)
        return try await StoreConfiguration(levels: [level], registry: self).open(context: context)
    }

    private func isScheme(_ name: String) -> Bool {
        SettingKey.isValid(name) && !name.utf8.contains(UInt8(ascii: "_"))
    }
}

extension StoreBackend {
    /// The schemes of its store URLs, its name first.
    fileprivate static var schemes: [String] { [name] + aliases }
}
