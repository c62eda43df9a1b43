import AgentSessions
import AgentSessionsBackends
import AgentSessionsConformance
import ArgumentParser

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// Stores with the settings of the configured one, each at a scratch location of its own.
struct ConfiguredStores: StoreFactory {
    let configuration: StoreConfiguration
    /// The options that name the store, for processes that open the same scratch location.
    let options: GlobalOptions

    func open(_ place: StorePlace) async throws(StoreError) -> any SessionStore {
        try await configuration.scratch(named: place.name, folder: place.folder).open(migrations: .apply)
    }

    func destroy(_ place: StorePlace) async throws(StoreError) {
        try await configuration.scratch(named: place.name, folder: place.folder).removeScratch()
    }

    func helperCommand(_ task: String, at place: StorePlace) -> [String]? {
        guard let program = Self.program else { return nil }
        // A password is passed on only as the user gave it: one from the environment stays there.
        var command = [program, ConformanceHelperCommand.configuration.commandName ?? ""]
        if let store = options.store { command += ["--store", store] }
        if let file = options.config { command += ["--config", file] }
        return command + ["--place", place.name, "--folder", place.folder, "--task", task]
    }

    /// The file of this program, if this program is the tool and not, say, a test of it.
    private static var program: String? {
        var path = CommandLine.arguments[0]
        if let real = realpath("/proc/self/exe", nil) ?? realpath(path, nil) {
            path = String(cString: real)
            free(real)
        }
        return path.split(separator: "/").last == "agent-sessions" && path.hasPrefix("/") ? path : nil
    }
}
