import AgentSessions
import AgentSessionsBackends
import AgentSessionsBenchmarks
import AgentSessionsRawEngines

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// Fresh places near the one that a store URL names: a folder on the same disk, a schema on the same server. Nothing
/// that lies at the URL itself is opened or touched.
struct ScratchPlaces: Sendable {
    private static let prefix = "agent-sessions-bench-"

    let url: StoreURL
    let registry: BackendRegistry

    /// - Throws: `invalidArgument` where there is no such backend, or its places cannot be made and removed again.
    init(_ text: String, registry: BackendRegistry) throws(StoreError) {
        url = try StoreURL(parsing: text)
        self.registry = registry
        _ = try registry.backend(named: url.scheme)
        guard Self.kind(url, registry) != nil else {
            throw StoreError(
                .invalidArgument,
                "A benchmark makes a place of its own beside the store's and removes it again, which is not known how to "
                    + "do for \(url.scheme): give memory:, sqlite:, lmdb: or postgres: URLs.")
        }
    }

    private enum Kind { case memory, folder, server }

    private static func kind(_ url: StoreURL, _ registry: BackendRegistry) -> Kind? {
        let kinds: [String: Kind] = ["memory": .memory, "sqlite": .folder, "lmdb": .folder, "postgres": .server]
        return (try? registry.backend(named: url.scheme)).flatMap { kinds[$0.name] }
    }

    /// The backend's name.
    var backend: String { (try? registry.backend(named: url.scheme).name) ?? url.scheme }

    /// The folder below which places are made; `nil` where they are not made in this file system.
    func folder() throws(StoreError) -> String? {
        guard Self.kind(url, registry) == .folder else { return nil }
        let path = try url.filePath()
        guard let slash = path.lastIndex(of: "/") else { return "." }
        return slash == path.startIndex ? "/" : String(path[..<slash])
    }

    /// Opens an empty store at a fresh place.
    func open() async throws(StoreError) -> ScratchStore {
        switch Self.kind(url, registry) {
        case .memory, nil: return ScratchStore(try await registry.open(shown(url.location, url.parameters)))
        case .folder:
            let folder = try makeFolder()
            do throws(StoreError) {
                let store = try await registry.open(shown("//\(Self.escaped(folder))/store", url.parameters))
                return ScratchStore(store) {
                    Self.bytes(of: folder)
                } remove: {
                    Self.removeFolder(folder)
                }
            } catch {
                Self.removeFolder(folder)
                throw error
            }
        case .server:
            let server = RawServer(url)
            let schema = Self.freshName()
            let others = url.parameters.filter { $0.name != "schema" }
            let parameters = others.map { ($0.name, $0.value) } + [("schema", schema)]
            do throws(StoreError) {
                let store = try await registry.open(text(url.location, parameters))
                return ScratchStore(store) {
                    try? await server.bytes(ofSchema: schema)
                } remove: {
                    try? await server.dropSchema(schema)
                }
            } catch {
                try? await server.dropSchema(schema)
                throw error
            }
        }
    }

    /// Makes a fresh place for the engine itself; `nil` where there is no engine below the backend.
    func raw() -> (@Sendable () async throws(StoreError) -> RawPlace)? {
        let places = self
        switch backend {
        case "sqlite":
            return { () throws(StoreError) in
                let folder = try places.makeFolder()
                return RawPlace(.sqlite(path: "\(folder)/raw.db")) {
                    Self.bytes(of: folder)
                } remove: {
                    Self.removeFolder(folder)
                }
            }
        case "lmdb":
            return { () throws(StoreError) in
                let folder = try places.makeFolder()
                return RawPlace(.lmdb(folder: folder)) {
                    Self.bytes(of: folder)
                } remove: {
                    Self.removeFolder(folder)
                }
            }
        case "postgres":
            // The engine removes its schema itself.
            return { () throws(StoreError) in
                RawPlace(.libpq(server: RawServer(places.url), schema: Self.freshName()))
            }
        default: return nil
        }
    }

    // MARK: Names

    private static func freshName() -> String {
        var random = SystemRandomNumberGenerator()
        return "agent_sessions_bench_" + String(random.next() as UInt64, radix: 36)
    }

    private func shown(_ location: String, _ parameters: [StoreURL.Parameter]) -> String {
        text(location, parameters.map { ($0.name, $0.value) })
    }

    private func text(_ location: String, _ parameters: [(String, String)]) -> String {
        let query = parameters.map { "\(Self.escaped($0.0))=\(Self.escaped($0.1))" }.joined(separator: "&")
        return "\(url.scheme):\(location)" + (query.isEmpty ? "" : "?\(query)")
    }

    /// Text as it stands in a store URL.
    private static func escaped(_ text: String) -> String {
        var escaped = ""
        for byte in text.utf8 {
            let scalar = Unicode.Scalar(byte)
            switch scalar {
            case "a"..."z", "A"..."Z", "0"..."9", "/", ".", "-", "_", "~": escaped.unicodeScalars.append(scalar)
            default: escaped += (byte < 16 ? "%0" : "%") + String(byte, radix: 16, uppercase: true)
            }
        }
        return escaped
    }

    // MARK: Folders

    private func makeFolder() throws(StoreError) -> String {
        let parent = try folder() ?? "/tmp"
        var template = Array("\(parent)/\(Self.prefix)XXXXXX".utf8CString)
        guard mkdtemp(&template) != nil else {
            throw .system("No folder for a benchmark can be made in \(quoted(parent, limit: 200))", errno)
        }
        // An absolute path, as that is what a URL with two slashes has.
        guard let real = realpath(template, nil) else {
            throw .system("The folder of a benchmark cannot be found", errno)
        }
        defer { free(real) }
        return String(cString: real)
    }

    /// Removes a folder that ``makeFolder()`` made. Stores have no folders within theirs, save LMDB's own.
    private static func removeFolder(_ folder: String) {
        for name in entries(folder) {
            let path = "\(folder)/\(name)"
            if unlink(path) != 0 { removeFolder(path) }
        }
        rmdir(folder)
    }

    private static func bytes(of folder: String) -> Int {
        entries(folder).reduce(0) { total, name in
            var information = stat()
            guard lstat("\(folder)/\(name)", &information) == 0 else { return total }
            if information.st_mode & S_IFMT == S_IFDIR { return total + bytes(of: "\(folder)/\(name)") }
            // Blocks, as a file may have holes.
            return total + Int(information.st_blocks) * 512
        }
    }

    private static func entries(_ folder: String) -> [String] {
        guard let directory = opendir(folder) else { return [] }
        defer { closedir(directory) }
        var names: [String] = []
        while let entry = readdir(directory) {
            let name = withUnsafeBytes(of: entry.pointee.d_name) {
                String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self)
            }
            if name != ".", name != ".." { names.append(name) }
        }
        return names
    }
}
