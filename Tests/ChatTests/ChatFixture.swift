import Foundation
import Support
import Tokenization

/// What Scripts/make_chat_fixtures.py wrote: tokenizers, and the tokens that transformers makes of conversations.
enum ChatFixture {
    struct Conversation: Decodable {
        var turns: [[String]]
        var tokens: [Int32]
    }

    /// The file of a tokenizer with the special tokens of several families, `bytes` or `characters`.
    static func tokenizerFile(_ kind: String) throws -> String {
        String(decoding: try FixtureFile.data("ChatTests/Fixtures/\(kind).tokenizer.json"), as: UTF8.self)
    }

    static func tokenizer(_ kind: String) throws -> Tokenizer {
        try Tokenizer(tokenizerJSON: Array(tokenizerFile(kind).utf8))
    }

    /// A tokenizer of TokenizationTests, with Phi-3's special tokens only.
    static func phi3Tokenizer(_ kind: String) throws -> Tokenizer {
        try Tokenizer(tokenizerJSON: FixtureFile.tokenizer(kind))
    }

    /// A chat template of TemplatesTests.
    static func template(_ name: String) throws -> String {
        String(decoding: try FixtureFile.data("TemplatesTests/Fixtures/\(name).jinja"), as: UTF8.self)
    }

    static func templateNames() throws -> [String] {
        try FixtureFile.names(in: "TemplatesTests/Fixtures", suffix: ".jinja")
    }

    /// By `tokenizer/template`.
    static func conversations() throws -> [String: [Conversation]] {
        try JSONDecoder().decode(
            [String: [Conversation]].self,
            from: FixtureFile.data("ChatTests/Fixtures/tokens.json")
        )
    }
}
