import AgentSessionsTestSupport
import Testing

@testable import AgentSessionsJSON

@Suite("JSON round trips")
struct JSONRoundTripTests {
    @Test("20,000 random doubles survive lossless text", arguments: [UInt64.random(in: 0 ... .max), 1])
    func doubles(seed: UInt64) throws {
        var generator = JSONGenerator(seed: seed)
        for _ in 0..<20_000 {
            let value = generator.double()
            let text = JSONValue.double(value).lossless
            guard try JSONParser.parse(text) == .double(value) else {
                Issue.record("seed \(seed): \(value) became \(text)")
                return
            }
            // As in ECMAScript, the canonical text gives the same double, with no needless digits.
            let canonical = JSONValue.double(value).canonical
            guard Double(canonical) == value, canonical.filter(\.isNumber).count <= text.filter(\.isNumber).count else {
                Issue.record("seed \(seed): \(value) became \(canonical)")
                return
            }
        }
    }

    @Test(
        "Random values survive lossless text, and canonical text does not change",
        arguments: [
            UInt64.random(in: 0 ... .max), 2,
        ])
    func values(seed: UInt64) throws {
        var generator = JSONGenerator(seed: seed)
        for round in 0..<2_000 {
            let value = generator.value()
            let lossless = value.lossless
            let again = try JSONParser.parse(lossless)
            #expect(again == value, "seed \(seed), round \(round): \(lossless)")
            #expect(again.hashValue == value.hashValue, "seed \(seed), round \(round): \(lossless)")
            #expect(again.lossless.isIdentical(to: lossless), "seed \(seed), round \(round): \(lossless)")
            let canonical = value.canonical
            // A whole double beyond 64 bits is written as an integer that the parser refuses.
            if case .success(let parsed) = jsonOutcome(try JSONParser.parse(canonical)) {
                #expect(parsed.canonical.isIdentical(to: canonical), "seed \(seed), round \(round): \(canonical)")
            }
        }
    }

    @Test(
        "Random objects are the same from loose text, lossless text and members",
        arguments: [
            UInt64.random(in: 0 ... .max), 3,
        ])
    func objects(seed: UInt64) throws {
        var generator = JSONGenerator(seed: seed)
        for round in 0..<1_000 {
            let members = generator.object()
            let lossless = JSONValue.object(members).lossless
            let loose = generator.looseText(.object(members))
            for text in [lossless, loose] {
                let object = try JSONObject(parsing: text)
                #expect(object == members, "seed \(seed), round \(round): \(text)")
                #expect(object.hashValue == members.hashValue, "seed \(seed), round \(round): \(text)")
                #expect(try object.losslessText().isIdentical(to: lossless), "seed \(seed), round \(round): \(text)")
                #expect(try JSONParser.parse(text) == .object(members), "seed \(seed), round \(round): \(text)")
                #expect(object.depth == members.depth, "seed \(seed), round \(round): \(text)")
                #expect(object.keys.count == members.count, "seed \(seed), round \(round): \(text)")
                for (key, value) in members {
                    #expect(object[key] == value, "seed \(seed), round \(round): \(text)")
                }
                let canonical = (JSONValue.object(object).canonical, JSONValue.object(members).canonical)
                #expect(canonical.0.isIdentical(to: canonical.1), "seed \(seed), round \(round): \(text)")
            }
        }
    }
}
