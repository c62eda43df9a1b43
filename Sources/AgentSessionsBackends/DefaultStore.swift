import AgentSessions

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// The store that is used when none is named: SQLite in the user's data directory.
enum DefaultStore {
    /// The default's path.
    ///
    /// - Throws: `invalidArgument` if the environment does not say where the user's data is.
    static func path(in environment: [String: String]) throws(StoreError) -> String {
        // The XDG specification: a relative path is invalid and is to be ignored.
        if let data = environment["XDG_DATA_HOME"], data.hasPrefix("/") { return data + "/" + fileName }
        guard let home = environment["HOME"], home.hasPrefix("/") else {
            throw StoreError(
                .invalidArgument,
                "No store is configured, and the default store is in the home directory, which the environment does "
                    + "not name. Set HOME, or name a store, such as --store sqlite:sessions.db.")
        }
        #if os(macOS)
        return home + "/Library/Application Support/" + fileName
        #else
        return home + "/.local/share/" + fileName
        #endif
    }

    private static let fileName = "agent-sessions/sessions.db"

    /// The default's URL.
    static func url(in environment: [String: String]) throws(StoreError) -> String {
        let url = StoreURL(scheme: "sqlite", path: try path(in: environment), parameters: [])
        return "\(url.scheme):\(url.location)"
    }

    /// Makes the directories above a file that are missing, for their owner alone, and brings them to the disk.
    ///
    /// - Throws: `unavailable` where one cannot be made.
    static func makeDirectories(above file: String) throws(StoreError) {
        let parts = file.split(separator: "/").dropLast()
        var path = ""
        for part in parts {
            let parent = path.isEmpty ? "/" : path
            path += "/" + part
            var information = stat()
            if stat(path, &information) == 0 { continue }
            var code = mkdir(path, 0o700) == 0 || errno == EEXIST ? 0 : errno
            if code == 0 { code = syncDirectory(parent) }
            guard code == 0 else {
                throw StoreError(
                    .unavailable,
                    "The directory \(quoted(path, limit: 200)) for the default store cannot be made: "
                        + "\(SystemError(code)). Name another store, such as --store sqlite:sessions.db.")
            }
        }
    }
}
