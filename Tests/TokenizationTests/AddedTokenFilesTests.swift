import Foundation
import Testing
import Tokenization

/// The files beside `tokenizer.json`, read as transformers reads them.
@Suite struct AddedTokenFilesTests {
    /// What Scripts/make_file_fixtures.py wrote.
    private struct Fixtures: Decodable {
        struct Case: Decodable {
            var name: String
            var files: [String: String]
            var special: [String: String]
            var encoded: [[Int32]]
            var decoded: [String]
        }

        var tokenizer: String
        var texts: [String]
        var cases: [Case]
    }

    private static func read(_ files: [String: String]) throws -> AddedTokenFiles {
        try AddedTokenFiles { name in files[name].map { Array($0.utf8) } }
    }

    @Test("Special and added tokens are those that transformers makes of all files")
    func sameTokens() throws {
        let fixtures = try JSONDecoder().decode(Fixtures.self, from: Fixture.data("files.json"))
        #expect(fixtures.cases.count > 12)
        for sample in fixtures.cases {
            let files = try Self.read(sample.files)
            #expect(files.specialTokens == sample.special, "\(sample.name)")
            let tokenizer = try Tokenizer(tokenizerJSON: Array(fixtures.tokenizer.utf8), files: files)
            try #require(sample.encoded.count == fixtures.texts.count && sample.decoded.count == fixtures.texts.count)
            for (index, text) in fixtures.texts.enumerated() {
                let tokens = tokenizer.encode(parsingSpecials: text)
                #expect(tokens == sample.encoded[index], "\(sample.name): \(text)")
                #expect(tokenizer.decode(tokens) == sample.decoded[index], "\(sample.name): \(text)")
            }
            for name in sample.special.values {
                let token = try #require(tokenizer.specialToken(name), "\(sample.name): \(name)")
                #expect(!tokenizer.encode("a\(name)b").contains(token), "\(sample.name): \(name)")
            }
        }
    }

    @Test("Beside an added_tokens_decoder the other files are ignored, whatever they hold")
    func ignored() throws {
        let decoder = #"{"added_tokens_decoder": {"1": {"content": "<a>"}}, "eos_token": "<a>"}"#
        let files = [
            "tokenizer_config.json": decoder, "special_tokens_map.json": "{", "added_tokens.json": #"{"b": -1}"#,
        ]
        #expect(try Self.read(files) == Self.read(["tokenizer_config.json": decoder]))
    }

    @Test(
        "What is wrong in one of the files is said with its name",
        arguments: [
            ("special_tokens_map.json", "[]"), ("special_tokens_map.json", "{"), ("added_tokens.json", #"{"a": -1}"#),
            ("added_tokens.json", #"{"a": "b"}"#), ("added_tokens.json", #"{"": 1}"#),
            ("tokenizer_config.json", #"{"added_tokens_decoder": {"x": {"content": "a"}}}"#),
            ("tokenizer_config.json", #"{"added_tokens_decoder": {"1": {}}}"#),
            ("tokenizer_config.json", #"{"added_tokens_decoder": []}"#),
        ]
    )
    func faults(_ name: String, _ contents: String) {
        let error = #expect(throws: TokenizerError.self) { try Self.read([name: contents]) }
        #expect(error?.description.hasPrefix(name) == true, "\(String(describing: error))")
    }
}
