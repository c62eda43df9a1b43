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

/// Stores with the settings of the configured one, each at a place of its own.
struct ConfiguredStores: StoreFactory {
    let configuration: StoreConfiguration
    /// The options that name the store, for processes that are to open the same place.
    let options: GlobalOptions

    func open(_ place: StorePlace) async throws(StoreError) -> any SessionStore {
        try await configuration.scratch(named: place.name, folder: place.folder).open(migrations: .apply)
    }

    func destroy(_ place: StorePlace) async throws(StoreError) {
        try await configuration.scratch(named: place.name, folder: place.folder).removeScratch()
    }

    func helperCommand(_ task: String, at place: StorePlace) -> [String]? {
        guard let program = Self.program else { return nil }
        // A password stands where the user gave it and nowhere else: what came from the environment stays there.
        var command = [program, ConformanceHelperCommand.configuration.commandName ?? ""]
        if let store = options.store { command += ["--store", store] }
        if let file = options.config { command += ["--config", file] }
        return command + ["--place", place.name, "--folder", place.folder, "--task", task]
    }

    /// This program's file, where this program is the tool and not, say, a test of it.
    private static var program: String? {
        var path = CommandLine.arguments[0]
        if let real = realpath("/proc/self/exe", nil) ?? realpath(path, nil) {
            path = String(cString: real)
            free(real)
        }
        return path.split(separator: "/").last == "agent-sessions" && path.hasPrefix("/") ? path : nil
    }
}
