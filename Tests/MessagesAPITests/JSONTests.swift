import Foundation
import Support
import Testing

@testable import MessagesAPI

@Suite("The JSON parser") struct JSONTests {
    private static func parse(_ text: String) -> JSON? { try? JSONParser.parse(Array(text.utf8)) }

    @Test("Reads what is JSON, with every escape and number for what it is")
    func reads() throws {
        let text = #" { "a" : [ null , true , false ] , "b" : { } , "é\u00e9\ud83c\udf89\/\b\f\n\r\t\"\\" : [ ] } "#
        #expect(
            try JSONParser.parse(Array(text.utf8)) == [
                "a": [nil, true, false], "b": [:], "éé🎉/\u{8}\u{c}\n\r\t\"\\": [],
            ]
        )
        let numbers = "[0,-0,7,-12,1.5,-0.25,1e2,1E-2,2e+1,9223372036854775807,9223372036854775808,-1e999]"
        #expect(
            Self.parse(numbers) == [
                0, 0, 7, -12, .double(1.5), .double(-0.25), .double(100), .double(0.01), .double(20), .integer(.max),
                .integer(.max), .double(-.infinity),
            ]
        )
        #expect(Self.parse(#"["\ud800","\udc00x","\ud83c\ud83c\udf89"]"#) == ["\u{FFFD}", "\u{FFFD}x", "\u{FFFD}🎉"])
        #expect(Self.parse(#"{"a":1,"a":2}"#)?["a"] == 2)
        #expect(Self.parse(String(repeating: "9", count: 100_000)) == .integer(.max))
    }

    @Test(
        "Refuses what is not",
        arguments: [
            "", " ", "{", "[", "]", "[1,]", "[,1]", "[1 2]", "{\"a\"}", "{\"a\":}", "{\"a\":1,}", "{a:1}", "{'a':1}",
            "nul", "nulll", "True", "NaN", "Infinity", "01", "+1", "1.", ".5", "1e", "1e+", "--1", "0x1", "\"",
            "\"\\\"",
            "\"\\x\"", "\"\\u12\"", "\"\\u12g4\"", "\"\t\"", "\"\u{0}\"", "[1]x", "1 2", "\u{FEFF}1", "/**/1",
        ]
    )
    func refuses(_ text: String) {
        #expect(Self.parse(text) == nil)
    }

    @Test("Refuses what is not UTF-8: overlong forms, surrogates, pieces of characters")
    func encoding() {
        for bytes: [UInt8] in [[0xFF], [0xC0, 0xAF], [0xED, 0xA0, 0x80], [0xE2, 0x82], [0xF5, 0x80, 0x80, 0x80]] {
            #expect(throws: JSONParser.Failure.self) { try JSONParser.parse([0x22] + bytes + [0x22]) }
            #expect(throws: JSONParser.Failure.self) { try JSONParser.parse([0x5B] + bytes + [0x5D]) }
        }
    }

    @Test("Bounds depth and number of values")
    func bounds() {
        func nested(_ depth: Int) -> String {
            String(repeating: "[", count: depth) + String(repeating: "]", count: depth)
        }
        #expect(Self.parse(nested(200)) != nil)
        for text in [nested(201), String(repeating: "[", count: 1 << 20), String(repeating: "{\"\":", count: 1 << 18)] {
            #expect(Self.parse(text) == nil)
        }
        let small = JSONParser.Bounds(depth: 3, values: 4)
        #expect((try? JSONParser.parse(Array("[1,2,3]".utf8), bounds: small)) != nil)
        #expect((try? JSONParser.parse(Array("[1,2,3,4]".utf8), bounds: small)) == nil)
        // Depth is that of the moment, not the sum.
        #expect((try? JSONParser.parse(Array("[[[]],[]]".utf8), bounds: small)) != nil)
    }

    @Test("Accepts of mutated texts what Foundation accepts, and what it accepts comes back as it was")
    func mutations() throws {
        var random = SeededGenerator(seed: 7)
        let original = Array(
            #"{"model":"m","max_tokens":-12,"t":0.5e1,"s":[true,null,{"x":"é🎉\ud83c\udf89\n"}],"":[],"o":{}}"#.utf8
        )
        let replacements = Array("{}[]\",:\\u0019eE+-.tfn \n\u{0}\u{7F}".utf8) + [0x80, 0xC3, 0xE2, 0xF0, 0xFF]
        var accepted = 0
        for _ in 0..<10_000 {
            var bytes = original
            for _ in 0..<Int.random(in: 1...3, using: &random) {
                let place = Int.random(in: 0..<bytes.count, using: &random)
                let byte = replacements[Int.random(in: 0..<replacements.count, using: &random)]
                switch Int.random(in: 0..<4, using: &random) {
                case 0: bytes[place] = byte
                case 1: bytes.insert(byte, at: place)
                case 2: bytes.remove(at: place)
                default: bytes.removeSubrange(place..<min(bytes.count, place + 9))
                }
                if bytes.isEmpty { bytes = [0x20] }
            }
            let value = try? JSONParser.parse(bytes)
            let isJSON = (try? JSONSerialization.jsonObject(with: Data(bytes), options: .fragmentsAllowed)) != nil
            let text = String(decoding: bytes, as: UTF8.self)
            if isJSON { #expect(value != nil, "\(text)") }
            guard let value else { continue }
            accepted += 1
            // A lone surrogate is U+FFFD here and an error there; all else must be the same.
            if !isJSON { #expect(text.contains("\\ud") || text.contains("\\uD"), "\(text)") }
            #expect(try JSONParser.parse(value.bytes) == value, "\(text)")
            _ = try JSONSerialization.jsonObject(with: Data(value.bytes), options: .fragmentsAllowed)
        }
        #expect(accepted > 500)
    }

    @Test("Writes one line, whatever a client takes for the end of one")
    func writesOneLine() throws {
        let text = String(String.UnicodeScalarView((0..<0x3000).compactMap(Unicode.Scalar.init)))
        let written = String(decoding: JSON.string(text).bytes, as: UTF8.self)
        #expect(!written.contains { $0.isNewline })
        #expect(try JSONParser.parse(Array(written.utf8)) == .string(text))
        let read = try JSONSerialization.jsonObject(with: Data(written.utf8), options: .fragmentsAllowed) as? String
        #expect(read.map { Array($0.utf8) } == Array(text.utf8))
    }
}
