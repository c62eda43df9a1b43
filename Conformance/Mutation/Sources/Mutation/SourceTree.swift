import Foundation

extension Area {
    /// Finds the area's files below `root` and their mutants, the first of which gets `number`.
    public func files(in root: String, from number: Int = 1) throws -> [MutatedFile] {
        var files: [MutatedFile] = []
        var next = number
        for sources in sources {
            let paths = try MutatedPackage.files(in: root, ["Sources/\(sources.target)"])
            for name in sources.files {
                guard let path = paths.first(where: { $0.hasSuffix("/\(name)") }) else {
                    throw MutationError(
                        "Area \(self.name): there is no \(name) in Sources/\(sources.target). See Areas.swift.")
                }
                let source = try String(contentsOfFile: "\(root)/\(path)", encoding: .utf8)
                let only = sources.only[name]
                let file = MutatedFile(path: path, source: source, from: next) { declaration in
                    sources.except[declaration] == nil && (only?.contains(declaration) ?? true)
                }
                if let missing = only?.first(where: { name in !file.declarations.contains(name) }) {
                    throw MutationError("Area \(self.name): there is no \(missing) in \(path). See Areas.swift.")
                }
                next += file.mutants.count
                files.append(file)
            }
        }
        return files
    }

    /// Checks that each file of a folder that must be mutated whole is in some area.
    public static func checkWholeFolders(in root: String) throws {
        for sources in all.flatMap(\.sources) {
            guard let folder = sources.whole else { continue }
            let named = Set(all.flatMap(\.sources).filter { $0.target == sources.target }.flatMap(\.files))
            for path in try MutatedPackage.files(in: root, ["Sources/\(sources.target)"])
            where path.contains("/\(folder)/") && !named.contains(String(path.split(separator: "/").last ?? "")) {
                throw MutationError("\(path) is in no area: name it in Areas.swift.")
            }
        }
    }
}

extension MutatedFile {
    /// The declarations of the file that have a body or a value.
    var declarations: Set<String> { Set(sites.map(\.declaration)) }

    /// Whether a mutant changes a value that stands by itself.
    func isConstant(_ mutant: Mutant) -> Bool {
        if case .expression = sites[mutant.site].form { true } else { false }
    }
}
