import AgentSessionsTestSupport
import Testing

@testable import AgentSessionsJSON

@Suite("RFC 8785")
struct RFC8785Tests {
    @Test(
        "Doubles are written as in appendix B of RFC 8785",
        arguments: [
            (0x0000_0000_0000_0000, "0"),
            (0x8000_0000_0000_0000, "0"),
            (0x0000_0000_0000_0001, "5e-324"),
            (0x8000_0000_0000_0001, "-5e-324"),
            (0x7FEF_FFFF_FFFF_FFFF, "1.7976931348623157e+308"),
            (0xFFEF_FFFF_FFFF_FFFF, "-1.7976931348623157e+308"),
            (0x4340_0000_0000_0000, "9007199254740992"),
            (0xC340_0000_0000_0000, "-9007199254740992"),
            (0x4430_0000_0000_0000, "295147905179352830000"),
            (0x44B5_2D02_C7E1_4AF5, "9.999999999999997e+22"),
            (0x44B5_2D02_C7E1_4AF6, "1e+23"),
            (0x44B5_2D02_C7E1_4AF7, "1.0000000000000001e+23"),
            (0x444B_1AE4_D6E2_EF4E, "999999999999999700000"),
            (0x444B_1AE4_D6E2_EF4F, "999999999999999900000"),
            (0x444B_1AE4_D6E2_EF50, "1e+21"),
            (0x3EB0_C6F7_A0B5_ED8C, "9.999999999999997e-7"),
            (0x3EB0_C6F7_A0B5_ED8D, "0.000001"),
            (0x41B3_DE43_5555_5553, "333333333.3333332"),
            (0x41B3_DE43_5555_5554, "333333333.33333325"),
            (0x41B3_DE43_5555_5555, "333333333.3333333"),
            (0x41B3_DE43_5555_5556, "333333333.3333334"),
            (0x41B3_DE43_5555_5557, "333333333.33333343"),
            (0xBECB_F647_612F_3696, "-0.0000033333333333333333"),
            (0x4314_3FF3_C1CB_0959, "1424953923781206.2"),
        ] as [(UInt64, String)])
    func appendixB(bits: UInt64, text: String) throws {
        #expect(JSONValue.double(Double(bitPattern: bits)).canonical == text)
    }

    @Test(
        "Doubles that are not finite are refused",
        arguments: [0x7FFF_FFFF_FFFF_FFFF, 0x7FF0_0000_0000_0000, 0xFFF0_0000_0000_0000] as [UInt64])
    func nonFinite(bits: UInt64) {
        let value = JSONValue.double(Double(bitPattern: bits))
        #expect(jsonErrorKind(try CanonicalJSON.encode(value)) == .nonFiniteNumber)
        #expect(jsonErrorKind(try LosslessJSON.encode(value)) == .nonFiniteNumber)
    }

    @Test("The example of section 3.2.2 of RFC 8785 is written as in section 3.2.4")
    func example() throws {
        let text = #"""
            {
              "numbers": [333333333.33333329, 1E30, 4.50,
                          2e-3, 0.000000000000000000000000001],
              "string": "\u20ac$\u000F\u000aA'\u0042\u0022\u005c\\\"\/",
              "literals": [null, true, false]
            }
            """#
        let expected =
            #"{"literals":[null,true,false],"numbers":[333333333.3333333,1e+30,4.5,0.002,1e-27],"#
            + #""string":"€$\u000f\nA'B\"\\\\\"/"}"#
        #expect(try JSONParser.parse(text).canonical == expected)
        #expect(try JSONObject(parsing: text).losslessText() == expected)
    }

    @Test("Keys are sorted as in section 3.2.3 of RFC 8785")
    func keyOrder() throws {
        let text = #"""
            {
              "\u20ac": "Euro Sign",
              "\r": "Carriage Return",
              "\ufb33": "Hebrew Letter Dalet With Dagesh",
              "1": "One",
              "\ud83d\ude00": "Emoji: Grinning Face",
              "\u0080": "Control",
              "\u00f6": "Latin Small Letter O With Diaeresis"
            }
            """#
        let expected = [
            "Carriage Return", "One", "Control", "Latin Small Letter O With Diaeresis", "Euro Sign",
            "Emoji: Grinning Face", "Hebrew Letter Dalet With Dagesh",
        ]
        let object = try JSONObject(parsing: text)
        #expect(object.map(\.value) == expected.map { .string($0) })
        #expect(object.keys == ["\r", "1", "\u{80}", "ö", "€", "😀", "\u{FB33}"])
        #expect(try JSONParser.parse(text).objectValue?.map(\.value) == expected.map { .string($0) })
    }

    @Test("Every pair of keys is ordered by its UTF-16 code units")
    func pairwiseOrder() {
        let keys = [
            "", "a", "aa", "ab", "b", "\u{7F}", "\u{80}", "\u{7FF}", "\u{800}", "\u{D7FF}", "\u{E000}", "\u{EFFF}",
            "\u{F000}", "\u{FFFF}", "\u{10000}", "\u{3FFFF}", "\u{40000}", "\u{10FFFF}", "a\u{E000}", "a\u{10000}",
        ]
        for left in keys {
            for right in keys {
                #expect(KeyOrder.precedes(left, right) == left.utf16.lexicographicallyPrecedes(right.utf16))
            }
        }
    }

    @Test("Integers keep all their digits", arguments: [Int64.min, -1, 0, 9_007_199_254_740_993, Int64.max])
    func integers(value: Int64) {
        #expect(JSONValue.integer(value).canonical == String(value))
        #expect(JSONValue.integer(value).lossless == String(value))
    }

    @Test(
        "Strings use the short escapes, and other escapes only for control characters",
        arguments: [
            ("\u{8}\t\n\u{C}\r", #""\b\t\n\f\r""#),
            ("\u{0}\u{1}\u{B}\u{1F}\u{7F}", "\"\\u0000\\u0001\\u000b\\u001f\u{7F}\""),
            (#"a"b\c/d"#, #""a\"b\\c/d""#),
            ("é€😀\u{2028}", "\"é€😀\u{2028}\""),
            ("", "\"\""),
        ])
    func strings(value: String, text: String) {
        #expect(JSONValue.string(value).canonical == text)
        #expect(JSONValue.string(value).lossless == text)
    }

    @Test(
        "The lossless form marks doubles that look like integers",
        arguments: [
            (0.0, "0.0"), (-0.0, "-0.0"), (1.0, "1.0"), (-12.0, "-12.0"), (1e20, "100000000000000000000.0"),
            (1e21, "1e+21"), (0.1, "0.1"), (1e-6, "0.000001"), (1e-7, "1e-7"), (1.5e300, "1.5e+300"),
            (123.456, "123.456"), (9_007_199_254_740_992, "9007199254740992.0"),
        ])
    func losslessDoubles(value: Double, text: String) {
        #expect(JSONValue.double(value).lossless == text)
    }
}
