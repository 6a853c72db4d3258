import Foundation
import Tokenization

/// What Scripts/make_fixtures.py wrote: tokenizers, and what the `tokenizers` package does with them.
enum Fixture {
    static let main = ["bytes", "digits", "characters"]
    static let variants = [
        "digits-prefixed", "digits-runs", "ascii-whole", "threes", "contiguous", "explicit", "fused", "unfused",
    ]

    /// The added tokens that are not special, in "bytes" and "characters".
    static let addedWords = ["solo", "[left]", "[right]", "[rig", "new york", "new"]

    struct Encoded: Decodable {
        var text: String
        var plain: [Int32]
        var parsed: [Int32]

        init(from decoder: any Decoder) throws {
            var container = try decoder.unkeyedContainer()
            text = try container.decode(String.self)
            plain = try container.decode([Int32].self)
            parsed = container.isAtEnd ? plain : try container.decode([Int32].self)
        }
    }

    struct Decoded: Decodable {
        var text: String
        var tokens: [Int32]

        init(from decoder: any Decoder) throws {
            var container = try decoder.unkeyedContainer()
            text = try container.decode(String.self)
            tokens = try container.decode([Int32].self)
        }
    }

    struct Cases: Decodable {
        var encoded: [Encoded]
        var decoded: [Decoded]
    }

    static func file(_ name: String) throws -> [UInt8] {
        Array(try Data(contentsOf: Bundle.module.bundleURL.appendingPathComponent("Fixtures/\(name).json")))
    }

    static func tokenizer(_ name: String) throws -> Tokenizer {
        try Tokenizer(tokenizerJSON: file("\(name).tokenizer"))
    }

    static func cases(_ name: String) throws -> Cases {
        try JSONDecoder().decode(Cases.self, from: Data(file("\(name).cases")))
    }
}

/// A small generator whose numbers are the same in every run (SplitMix64).
struct SeededGenerator: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }
}
