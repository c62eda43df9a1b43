import Foundation

/// The mutants that the compiler refused before, as long as no source has changed since: a build need not find them again.
struct RefusedMutants {
    private struct Record: Codable {
        let fingerprint: UInt64
        let numbers: [Int]
    }

    private let path: String
    private let fingerprint: UInt64

    /// What is kept at `path` for the sources below `root` and these mutants of theirs.
    init(path: String, root: String, mutants: [Mutant]) throws {
        self.path = path
        // FNV-1a, over all that a mutated file is compiled with.
        var hash: UInt64 = 0xCBF2_9CE4_8422_2325
        func add(_ bytes: some Sequence<UInt8>) {
            for byte in bytes { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01B3 }
        }
        for path in try MutatedPackage.files(in: root, ["Package.swift", "Sources"]) {
            add(path.utf8)
            add(try Data(contentsOf: URL(fileURLWithPath: "\(root)/\(path)")))
        }
        for mutant in mutants { add("\(mutant.number) \(mutant.key.line)\n".utf8) }
        fingerprint = hash
    }

    /// Their numbers; none where a source has changed.
    func numbers() -> Set<Int> {
        guard let data = try? Data(contentsOf: URL(fileURLWithPath: path)),
            let record = try? JSONDecoder().decode(Record.self, from: data), record.fingerprint == fingerprint
        else { return [] }
        return Set(record.numbers)
    }

    /// Keeps more of them.
    func add(_ numbers: Set<Int>) throws {
        let record = Record(fingerprint: fingerprint, numbers: self.numbers().union(numbers).sorted())
        try JSONEncoder().encode(record).write(to: URL(fileURLWithPath: path))
    }
}
