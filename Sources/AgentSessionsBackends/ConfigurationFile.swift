import AgentSessions
import Configuration
import Synchronization

/// A file of settings, read whole.
struct ConfigurationFile {
    /// Far more than all settings take, and little enough to read at once.
    static let maximumBytes = 1 << 20

    let path: String

    /// The keys of the file and their values as text. Nested keys are joined by dots. A value that is neither a string nor a
    /// number nor a boolean is `nil`.
    func values() throws(StoreError) -> [String: String?] {
        switch path.split(separator: ".").last?.lowercased() {
        case "yaml", "yml": try yamlValues(try read())
        case "json": try jsonValues(try read())
        default:
            throw StoreError(
                .invalidArgument,
                "\(what) has an unknown suffix: give a file whose name ends in .yaml, .yml or .json.")
        }
    }

    /// The bytes of the file, or of anything else that can be read to an end, such as a pipe.
    private func read() throws(StoreError) -> [UInt8] {
        var bytes: [UInt8] = []
        do {
            let file = try FileDescriptor(path, .reading)
            while bytes.count <= Self.maximumBytes {
                let chunk = try file.read(atMost: 64 << 10)
                if chunk.isEmpty { return bytes }
                bytes += chunk
            }
        } catch {
            throw .system("\(what) cannot be read", error)
        }
        throw StoreError(.limitExceeded, "\(what) is too long: at most \(Self.maximumBytes) bytes are read.")
    }

    private var what: String { "The configuration file \(quoted(path, limit: 200))" }
}

// MARK: - JSON

extension ConfigurationFile {
    private func jsonValues(_ bytes: [UInt8]) throws(StoreError) -> [String: String?] {
        let limits = JSONLimits(maximumBytes: Self.maximumBytes, maximumDepth: 16)
        let object: JSONObject
        do {
            object = try bytes.withUnsafeBufferPointer { (buffer) throws(JSONError) in
                try JSONObject(parsing: buffer, limits: limits)
            }
        } catch {
            throw StoreError(.invalidArgument, "\(what) is not valid: \(error)", cause: error)
        }
        var values: [String: String?] = [:]
        flatten(object, under: "", into: &values)
        return values
    }

    private func flatten(_ object: JSONObject, under prefix: String, into values: inout [String: String?]) {
        for (key, value) in object {
            let path = prefix + key
            switch value {
            case .string(let text): values.updateValue(text, forKey: path)
            case .integer(let number): values.updateValue(String(number), forKey: path)
            case .double(let number): values.updateValue(String(number), forKey: path)
            case .bool(let flag): values.updateValue(String(flag), forKey: path)
            case .object(let object) where !object.isEmpty: flatten(object, under: path + ".", into: &values)
            case .object, .array, .null: values.updateValue(nil, forKey: path)
            }
        }
    }
}

// MARK: - YAML

extension ConfigurationFile {
    private func yamlValues(_ bytes: [UInt8]) throws(StoreError) -> [String: String?] {
        // The snapshot looks values up and does not list its keys, but it asks of each key whether it is a secret.
        let seen = SeenKeys()
        let options = YAMLSnapshot.ParsingOptions(
            secretsSpecifier: .dynamic { (key, _) in
                seen.insert(key)
                return true
            })
        let snapshot: YAMLSnapshot
        do {
            snapshot = try YAMLSnapshot(data: bytes.span.bytes, providerName: path, parsingOptions: options)
        } catch {
            throw StoreError(.invalidArgument, "\(what) is not valid YAML\(Self.position(of: error)).")
        }
        var values: [String: String?] = [:]
        for key in seen.all {
            let components = key.split(separator: ".", omittingEmptySubsequences: false).map(String.init)
            let found = try? snapshot.value(forKey: AbsoluteConfigKey(components), type: .string).value
            guard case .string(let text) = found?.content else {
                values.updateValue(nil, forKey: key)
                continue
            }
            values.updateValue(text, forKey: key)
        }
        return values
    }

    /// Where the parser stopped. Its own description quotes the file, which may hold a password, so only the position
    /// is taken from it.
    static func position(of error: any Error) -> String {
        let description = String(describing: error)
        if description.contains("duplicated key") { return ": a key is duplicated" }
        if description.contains("not a mapping") {
            return " of settings: write one `key: value` on each line, such as store: sqlite:sessions.db"
        }
        let numbers = description.prefix(24).split(separator: ":", maxSplits: 2).prefix(2).map { Int($0) }
        guard numbers.count == 2, let line = numbers[0], let column = numbers[1] else { return "" }
        return ": see line \(line), column \(column)"
    }
}

/// The keys that a parser found.
private final class SeenKeys: Sendable {
    private let keys = Mutex<Set<String>>([])

    func insert(_ key: String) { keys.withLock { _ = $0.insert(key) } }

    var all: [String] { keys.withLock { $0.sorted() } }
}
