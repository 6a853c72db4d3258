import Foundation
import Support
import Synchronization
import Tokenization

/// What Scripts/make_fixtures.py wrote: tokenizers, and what the `tokenizers` package does with them.
enum Fixture {
    /// The kinds of GPT-2, SmolLM and Llama 2.
    static let main = ["bytes", "digits", "characters"]
    /// Every kind there is a fixture of.
    static let kinds = (try? FixtureFile.names(in: "TokenizationTests/Fixtures", suffix: ".cases.json")) ?? []

    /// The added tokens that are not special.
    static let addedWords = ["solo", "[left]", "[right]", "[rig", "new york", "new"]

    struct Decoded: Decodable {
        var text: String
        var tokens: [Int32]
    }

    /// What a kind makes of the shared texts.
    struct Cases: Decodable {
        /// Nil where the reference lets the text forge a special token.
        var plain: [[Int32]?]
        /// With special tokens recognised, where that makes a difference, by the number of the text.
        var parsed: [String: [Int32]]
        var before: [Int32]
        var after: [Int32]
        var decoded: [Decoded]

        func parsed(_ index: Int) -> [Int32] { parsed["\(index)"] ?? plain[index] ?? [] }
    }

    static func data(_ name: String) throws -> Data { try FixtureFile.data("TokenizationTests/Fixtures/\(name)") }

    static func texts() throws -> [String] { try JSONDecoder().decode([String].self, from: data("texts.json")) }

    static func tokenizer(_ name: String) throws -> Tokenizer {
        if let known = tokenizers.withLock({ $0[name] }) { return known }
        let tokenizer = try Tokenizer(tokenizerJSON: FixtureFile.tokenizer(name))
        tokenizers.withLock { $0[name] = tokenizer }
        return tokenizer
    }

    private static let tokenizers = Mutex<[String: Tokenizer]>([:])

    static func cases(_ name: String) throws -> Cases {
        try JSONDecoder().decode(Cases.self, from: data("\(name).cases.json"))
    }
}
