import AgentSessionsTestSupport
import Testing

@testable import AgentSessionsJSON

@Suite("Damaged JSON text")
struct JSONFuzzTests {
    /// Every way of reading must agree: the scanner's adoption, the rewriter, the parser, and skipping.
    private func check(_ bytes: [UInt8], _ context: () -> String) {
        let text = String(decoding: bytes, as: UTF8.self)
        let parsed = jsonOutcome(try JSONParser.parse(bytes))
        let (object, isRecognised) = bytes.withUnsafeBufferPointer { (buffer) throws(Never) in
            let scanner = LosslessScanner(bytes: buffer, maximumDepth: 64)
            return (jsonOutcome(try JSONObject(parsing: buffer)), scanner.endOfObject(at: 0) == buffer.count)
        }
        let skipped = bytes.withUnsafeBufferPointer { (buffer) throws(Never) in jsonOutcome(try skip(buffer)) }
        let isSkipped = (try? skipped.get()) != nil
        let isParsed = (try? parsed.get()) != nil
        #expect(isSkipped == isParsed || parsed.isBeyondSkipping, "\(context()): \(text)")
        switch (parsed, object) {
        case (.success(.object(let expected)), .success(let object)):
            let lossless = JSONValue.object(expected).lossless
            #expect((try? object.losslessText())?.isIdentical(to: lossless) == true, "\(context()): \(text)")
            #expect(!isRecognised || text.isIdentical(to: lossless), "\(context()): \(text)")
        case (_, .success):
            Issue.record("accepted although invalid, \(context()): \(text)")
        case (.success, .failure(let error)):
            #expect(error.kind == .notAnObject, "\(context()): \(text)")
        case (.failure(let expected), .failure(let error)):
            #expect(error.kind == .notAnObject || error == expected, "\(context()): \(text)")
        }
    }

    private func skip(_ bytes: UnsafeBufferPointer<UInt8>) throws(JSONError) {
        var cursor = try JSONCursor(bytes)
        _ = try cursor.skipValue()
        try cursor.finish()
    }

    @Test("Every reader treats mutated text alike", arguments: [UInt64.random(in: 0 ... .max), 4])
    func mutations(seed: UInt64) {
        var generator = JSONGenerator(seed: seed)
        let structural =
            Array("{}[]\",:\\u0123456789-+.eEtfn \n".utf8) + [0x00, 0x1F, 0x7F, 0x80, 0xC2, 0xED, 0xF4, 0xFF]
        for round in 0..<3_000 {
            let value = JSONValue.object(generator.object(depth: 2))
            let text = generator.below(3) == 0 ? generator.looseText(value) : value.lossless
            var bytes = Array(text.utf8)
            for _ in 0..<generator.below(4) {
                let position = generator.below(bytes.count)
                switch generator.below(6) {
                case 0: bytes[position] = UInt8(truncatingIfNeeded: generator.next())
                case 1: bytes[position] = structural[generator.below(structural.count)]
                case 2: bytes.insert(structural[generator.below(structural.count)], at: position)
                case 3 where bytes.count > 1: bytes.remove(at: position)
                case 4 where position > 0: bytes.removeLast(bytes.count - position)
                default:
                    let end = position + generator.below(bytes.count - position + 1)
                    bytes.insert(contentsOf: bytes[position..<end], at: generator.below(bytes.count))
                }
            }
            check(bytes) { "seed \(seed), round \(round)" }
        }
    }

    @Test("Every reader treats random numbers alike", arguments: [UInt64.random(in: 0 ... .max), 5])
    func numbers(seed: UInt64) {
        var generator = JSONGenerator(seed: seed)
        let characters = Array("00123456789.-e+".utf8)
        for round in 0..<5_000 {
            let number = (0..<1 + generator.below(22)).map { _ in characters[generator.below(characters.count)] }
            let bytes = Array("{\"a\":".utf8) + number + Array("}".utf8)
            check(bytes) { "seed \(seed), round \(round)" }
        }
        for round in 0..<5_000 {
            let whole = String(generator.below(3) == 0 ? 0 : generator.integer() >> 30)
            let fraction = (0..<1 + generator.below(12)).map { _ in String(max(0, generator.below(14) - 4)) }.joined()
            let text = "{\"a\":\(generator.below(4) == 0 ? "-" : "")\(whole).\(fraction)}"
            check(Array(text.utf8)) { "seed \(seed), round \(round)" }
        }
    }

    @Test("JSON text that is cut short anywhere is refused")
    func truncation() throws {
        let text = Array(#"{"a":[1,-2.5e+3,true,null,"é\n\u001f\ud83d\ude00"],"b":{"c":{}}}"#.utf8)
        #expect(throws: Never.self) { try JSONParser.parse(text) }
        for count in 0..<text.count {
            let cut = Array(text.prefix(count))
            #expect(throws: JSONError.self) { try JSONParser.parse(cut) }
            check(cut) { "\(count) bytes" }
        }
    }
}

extension Result where Failure == JSONError {
    /// Whether it is an error of a kind that skipping does not check.
    fileprivate var isBeyondSkipping: Bool {
        guard case .failure(let error) = self else { return false }
        return error.kind == .duplicateKey || error.kind == .numberOutOfRange
    }
}
