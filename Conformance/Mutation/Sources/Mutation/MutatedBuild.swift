import Foundation

/// Builds the mutated copy, and finds which mutants do not compile.
struct MutatedBuild {
    /// The folder of the package.
    let root: String
    /// The folder for the copy and for what is built.
    let folder: String
    /// What earlier builds refused.
    let memory: RefusedMutants
    /// Told what goes on.
    let log: (String) -> Void

    private var package: MutatedPackage { MutatedPackage(root: root, folder: "\(folder)/package") }

    /// The program that the build makes.
    var program: String { "\(folder)/build/debug/mutation-run" }

    /// Builds again and again without those mutants that the compiler refuses, until it refuses none.
    ///
    /// - Returns: The numbers of the mutants that do not compile.
    func build(_ files: [MutatedFile], only numbers: Set<Int>) throws -> Set<Int> {
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        var refused = memory.numbers().intersection(numbers)
        while true {
            let schemata = files.map { Schemata($0, only: numbers.subtracting(refused)) }
            let texts = zip(files, schemata).map { ($0.path, $1.text) }
            try package.write(Dictionary(uniqueKeysWithValues: texts))
            let start = Date()
            let result = try swiftBuild()
            let seconds = Int(Date().timeIntervalSince(start))
            if result.ending == .exited(0) {
                log("built in \(seconds) s; \(refused.count) mutants do not compile")
                try memory.add(refused)
                return refused
            }
            let errors = CompilerErrors(
                result.output + result.errors,
                in: Dictionary(
                    uniqueKeysWithValues: zip(files.map { MutatedPackage.path(of: $0.path) }, schemata)))
            guard !errors.mutants.isEmpty else {
                throw MutationError(
                    "The mutated copy does not build, and no mutant is the cause:\n"
                        + errors.others.joined(separator: "\n"))
            }
            log("in \(seconds) s the compiler refused \(errors.mutants.count) mutants; again without them")
            refused.formUnion(errors.mutants)
        }
    }

    private func swiftBuild() throws -> ChildProcess {
        let command = [
            "/usr/bin/env", "swift", "build", "--package-path", package.folder, "--scratch-path", "\(folder)/build",
            "--traits", "SQLite", "--product", "mutation-run", "-debug-info-format", "none",
            "-Xswiftc", "-diagnostic-style", "-Xswiftc", "llvm", "-Xswiftc", "-suppress-warnings",
        ]
        return try ChildProcess.run(
            command, environment: ["SWIFT_DETERMINISTIC_HASHING": "1"], folder: folder, seconds: 7200)
    }
}

/// What ended the run, for people.
public struct MutationError: Error, CustomStringConvertible {
    public let description: String

    init(_ description: String) { self.description = description }
}
