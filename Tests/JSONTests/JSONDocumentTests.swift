import Foundation
import JSON
import Testing

@Suite("A JSON text") struct JSONDocumentTests {
    @Test("Is read with every escape and number for what it is")
    func reads() throws {
        let text = #" { "a" : [ null , true , false ] , "b" : { } , "é\u00e9\ud83c\udf89\/\b\f\n\r\t\"\\" : [ ] } "#
        #expect(value(text) == ["a": [nil, true, false], "b": [:], "éé🎉/\u{8}\u{c}\n\r\t\"\\": []])
        let numbers = "[0,-0,7,-12,1.5,-0.25,1e2,1E-2,2e+1,9223372036854775807,9223372036854775808,-1e999]"
        #expect(
            value(numbers) == [
                0, 0, 7, -12, 1.5, -0.25, .double(100), 0.01, .double(20), .integer(.max), .integer(.max),
                .double(-.infinity),
            ]
        )
        #expect(value("[-9223372036854775808,-9223372036854775809]") == [.integer(.min), .integer(.min)])
        #expect(value(String(repeating: "9", count: 100_000)) == .integer(.max))
    }

    @Test("Half a surrogate pair reads as U+FFFD, and what follows it is read by itself")
    func surrogates() {
        #expect(
            value(#"["\ud800","\udc00x","\ud83c\ud83c\udf89","\ud83c\u0041","\ud83cA","\ud83c\n"]"#)
                == ["\u{FFFD}", "\u{FFFD}x", "\u{FFFD}🎉", "\u{FFFD}A", "\u{FFFD}A", "\u{FFFD}\n"]
        )
    }

    @Test(
        "Is refused where it is none",
        arguments: [
            "", " ", "{", "[", "]", "[1,]", "[,1]", "[1 2]", "{\"a\"}", "{\"a\":}", "{\"a\":1,}", "{a:1}", "{'a':1}",
            "nul", "nulll", "True", "NaN", "Infinity", "-Infinity", "01", "+1", "1.", ".5", "1e", "1e+", "--1", "0x1",
            "\"", "\"\\\"", "\"\\x\"", "\"\\u12\"", "\"\\u12g4\"", "\"\\u１234\"", "\"\t\"", "\"\u{0}\"", "[1]x", "1 2",
            "\u{FEFF}1", "/**/1",
        ]
    )
    func refuses(_ text: String) {
        #expect(value(text) == nil)
    }

    @Test(
        "What is wrong with it is said with the byte",
        arguments: [
            ("", "unexpected end", 0), ("{} x", "unexpected bytes after the JSON value", 3),
            ("[\"\u{1}\"]", "control character in a string", 3), ("[1", "unexpected end", 2),
            ("[1 2]", "expected ',' or ']'", 3), ("{\"a\":1 2}", "expected ',' or '}'", 7),
            ("{1", "expected a member's name", 1),
            ("{\"a\" 1}", "expected ':'", 5), ("[x]", "unexpected byte", 1), ("-", "malformed number", 1),
            ("\"abcdefghij", "unterminated string", 11), ("\"\\q\"", "unknown escape in a string", 3),
            ("\"\\u00g0\"", "malformed \\u escape", 3),
        ]
    )
    func faults(_ text: String, _ what: String, _ byte: Int) {
        let error = #expect(throws: JSONError.self) { try JSONDocument(Array(text.utf8)) }
        #expect(error?.problem == .syntax(what, byte: byte))
        #expect(error?.description == "not valid JSON: \(what) at byte \(byte)")
    }

    @Test("Is refused where it is not UTF-8: overlong forms, surrogates, pieces of characters")
    func encoding() throws {
        for bytes: [UInt8] in [
            [0xFF], [0x80], [0xC0, 0xAF], [0xC1, 0xBF], [0xE0, 0x9F, 0xBF], [0xED, 0xA0, 0x80], [0xE2, 0x82],
            [0xE2, 0x82, 0x41], [0xF0, 0x8F, 0xBF, 0xBF], [0xF4, 0x90, 0x80, 0x80], [0xF5, 0x80, 0x80, 0x80],
            [0xF0, 0x9F, 0x8E], [0xC3, 0x5C, 0x6E, 0xA9],
        ] {
            for filler in ["", "a", "abcdefgh", "abcdefghijklm"].map({ Array($0.utf8) }) {
                let text = filler + bytes + filler
                let inString = #expect(throws: JSONError.self) { try JSONDocument([0x22] + text + [0x22]) }
                guard case .syntax("invalid UTF-8 in a string", _) = inString?.problem else {
                    Issue.record("\(bytes): \(String(describing: inString))")
                    continue
                }
                #expect(throws: JSONError.self) { try JSONDocument([0x5B] + text + [0x5D]) }
            }
        }
        for scalar: Unicode.Scalar in [
            "\u{80}", "\u{7FF}", "\u{800}", "\u{D7FF}", "\u{E000}", "\u{FFFF}", "\u{10000}", "\u{10FFFF}",
        ] {
            let text = "abcdefgh\(scalar)abc\(scalar)"
            #expect(value("\"\(text)\"") == .string(text))
        }
    }

    @Test("Has bounds of depth and length")
    func bounds() throws {
        func nested(_ depth: Int) -> [UInt8] {
            Array((String(repeating: "[", count: depth) + String(repeating: "]", count: depth)).utf8)
        }
        _ = try JSONDocument(nested(64))
        _ = try JSONDocument(nested(200), limits: JSONLimits(depth: 200))
        // The depth is that of the moment, not the sum.
        _ = try JSONDocument(Array("[[[]],[]]".utf8), limits: JSONLimits(depth: 3))
        let deep = String(repeating: "[", count: 1 << 20)
        for text in [nested(65), Array(deep.utf8), Array(String(repeating: "{\"\":", count: 1 << 18).utf8)] {
            let error = #expect(throws: JSONError.self) { try JSONDocument(text) }
            #expect(error?.problem == .syntax("nested too deeply", byte: text.first == UInt8(ascii: "[") ? 64 : 256))
        }
        _ = try JSONDocument(Array("[1]".utf8), limits: JSONLimits(bytes: 3))
        let error = #expect(throws: JSONError.self) {
            try JSONDocument(Array("[12]".utf8), limits: JSONLimits(bytes: 3))
        }
        #expect(error?.problem == .tooLong(most: 3))
    }

    @Test("Python's numbers are numbers in files alone, and no whole ones")
    func pythonNumbers() throws {
        let text = Array("[NaN,Infinity,-Infinity,-5,0]".utf8)
        #expect(throws: JSONError.self) { try JSONDocument(text) }
        let elements = Array(try JSONDocument(text, limits: .file).root.elements())
        #expect(elements.map(\.kind) == [.number, .number, .number, .integer, .integer])
        let numbers = try elements.map { try $0.double() }
        try #require(numbers.count == 5)
        #expect(numbers[0].isNaN && numbers[1...] == [.infinity, -.infinity, -5, 0])
        #expect(throws: JSONError.self) { try elements[0].double(in: 0...1) }
        #expect(throws: JSONError.self) { try elements[1].int() }
        for broken in ["Nan", "NaNs", "-NaN", "Infinit", "+Infinity", "-", "--Infinity", "Infinityx", "nan"] {
            #expect(throws: JSONError.self) { try JSONDocument(Array("{\"a\":\(broken)}".utf8), limits: .file) }
        }
    }

    @Test("Of mutated texts those are accepted that Foundation accepts, and come back as they were")
    func mutations() throws {
        var random = SplitMix(state: 7)
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
            let read = value(bytes)
            let isJSON = (try? JSONSerialization.jsonObject(with: Data(bytes), options: .fragmentsAllowed)) != nil
            let text = String(decoding: bytes, as: UTF8.self)
            if isJSON { #expect(read != nil, "\(text)") }
            guard let read else { continue }
            accepted += 1
            // A lone surrogate is U+FFFD here and an error there; all else must be the same.
            if !isJSON { #expect(text.contains("\\ud") || text.contains("\\uD"), "\(text)") }
            #expect(value(read.bytes) == read, "\(text)")
            _ = try JSONSerialization.jsonObject(with: Data(read.bytes), options: .fragmentsAllowed)
        }
        #expect(accepted > 500)
    }
}

/// The value of a text; nil if it is not JSON.
func value(_ text: String) -> JSONValue? { value(Array(text.utf8)) }

func value(_ text: [UInt8]) -> JSONValue? {
    guard let document = try? JSONDocument(text) else { return nil }
    return try? JSONValue(document.root, atMost: 1000)
}

/// A small generator with a seed, so that a failure can be repeated.
struct SplitMix: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }
}
