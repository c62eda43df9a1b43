import Foundation

/// A copy of the package in which every mutant stands behind its switch.
struct MutatedPackage {
    /// The folder of the package.
    let root: String
    /// The folder of the copy.
    let folder: String

    /// What is copied, where it is there.
    private static let copied = [
        "Package.swift", "Package.resolved", "Sources", "Conformance", "Benchmarks", "Tests", "Examples",
    ]
    private static let tool = "Conformance/Mutation"

    /// The memory store stands twice: as it is, for the kit, whose model of a store it is, and mutated.
    private static let memory = "Sources/AgentSessionsMemory/"
    private static let mutatedMemory = "MutatedMemory/"

    /// Writes the copy. A file that is as it was keeps its time, so that it is not compiled again.
    ///
    /// - Parameter mutated: The texts of the mutated files by their paths.
    func write(_ mutated: [String: String]) throws {
        var files: [String: Data] = [:]
        for path in try Self.files(in: root, Self.copied) where !path.hasPrefix("\(Self.tool)/") {
            let original = try Data(contentsOf: URL(fileURLWithPath: "\(root)/\(path)"))
            if path.hasPrefix(Self.memory) {
                let copy = Self.mutatedMemory + path.dropFirst(Self.memory.count)
                files[copy] = mutated[path].map { Data($0.utf8) } ?? original
                files[path] = original
            } else {
                files[path] = mutated[path].map { Data($0.utf8) } ?? original
            }
        }
        for path in try Self.files(in: "\(root)/\(Self.tool)", ["Copied"]) {
            let name = "Mutation/" + path.dropFirst("Copied/".count)
            files[name] = try Data(contentsOf: URL(fileURLWithPath: "\(root)/\(Self.tool)/\(path)"))
        }
        files["Package.swift", default: Data()] += Data(Self.manifestEnd.utf8)
        for (path, data) in files { try write(data, to: path) }
        // What was renamed or removed.
        for path in try Self.files(in: folder, Self.copied + ["Mutation", "MutatedMemory"]) where files[path] == nil {
            guard path != "Package.resolved" else { continue }
            try FileManager.default.removeItem(atPath: "\(folder)/\(path)")
        }
    }

    /// The path of a mutated file in the copy.
    static func path(of path: String) -> String {
        path.hasPrefix(memory) ? mutatedMemory + path.dropFirst(memory.count) : path
    }

    private func write(_ data: Data, to path: String) throws {
        let url = URL(fileURLWithPath: "\(folder)/\(path)")
        if let old = try? Data(contentsOf: url), old == data { return }
        try FileManager.default.createDirectory(at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
        try data.write(to: url)
    }

    /// The paths of the files below some of a folder's entries, hidden ones left out.
    static func files(in folder: String, _ entries: [String]) throws -> [String] {
        var found: [String] = []
        for entry in entries {
            var isDirectory: ObjCBool = false
            guard FileManager.default.fileExists(atPath: "\(folder)/\(entry)", isDirectory: &isDirectory) else {
                continue
            }
            guard isDirectory.boolValue else {
                found.append(entry)
                continue
            }
            let inside = try FileManager.default.contentsOfDirectory(atPath: "\(folder)/\(entry)").sorted()
            found += try files(in: folder, inside.filter { !$0.hasPrefix(".") }.map { "\(entry)/\($0)" })
        }
        return found
    }

    /// What the manifest of the copy has besides.
    private static let manifestEnd = """


        // Put here by Conformance/Mutation.
        let mutated = ["AgentSessions", "AgentSessionsSQLite"]
        for target in package.targets where mutated.contains(target.name) { target.dependencies.append("MutationSwitch") }
        package.targets += [
            .target(name: "MutationSwitch", path: "Mutation/Switch"),
            .target(
                name: "MutatedMemory", dependencies: ["AgentSessions", "MutationSwitch"], path: "MutatedMemory",
                swiftSettings: package.targets.first { $0.name == "AgentSessionsMemory" }?.swiftSettings),
            .executableTarget(
                name: "mutation-run",
                dependencies: [
                    "AgentSessions", "AgentSessionsConformance", "AgentSessionsSQLite", "MutatedMemory", "MutationSwitch",
                ],
                path: "Mutation/Runner"),
        ]
        package.products.append(.executable(name: "mutation-run", targets: ["mutation-run"]))

        """
}
