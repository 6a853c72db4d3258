import Foundation
import Testing
import Tokenization

/// The files beside `tokenizer.json`, read as transformers reads them.
@Suite struct TokenizerFilesTests {
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

    private static func configuration(_ files: [String: String]) throws -> TokenizerConfiguration {
        try TokenizerConfiguration { name in files[name].map { Array($0.utf8) } }
    }

    @Test("Special and added tokens are those that transformers makes of all files")
    func sameTokens() throws {
        let fixtures = try JSONDecoder().decode(Fixtures.self, from: Fixture.data("files.json"))
        #expect(fixtures.cases.count > 12)
        for sample in fixtures.cases {
            let configuration = try Self.configuration(sample.files)
            #expect(configuration.specialTokens == sample.special, "\(sample.name)")
            let tokenizer = try Tokenizer(
                tokenizerJSON: Array(fixtures.tokenizer.utf8),
                files: configuration.addedTokens
            )
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

    @Test(
        "A template is taken from a file of its own, else the tokenizer's, else the processor's, else the older one's"
    )
    func templates() throws {
        let files = [
            "chat_template.json": #"{"chat_template": "older"}"#,
            "processor_config.json": #"{"chat_template": "processor"}"#,
            "tokenizer_config.json": #"{"chat_template": "tokenizer"}"#, "chat_template.jinja": "own",
        ]
        let order = ["chat_template.jinja", "tokenizer_config.json", "processor_config.json", "chat_template.json"]
        for (count, expected) in ["own", "tokenizer", "processor", "older"].enumerated() {
            let left = files.filter { !order.prefix(count).contains($0.key) }
            #expect(try Self.configuration(left).templates == ["default": expected])
        }
        let tools = try Self.configuration([
            "chat_template.json": #"{"chat_template": [{"name": "default", "template": "a"}]}"#,
            "additional_chat_templates/tool_use.jinja": "b",
        ])
        #expect(tools.templates == ["default": "a", "tool_use": "b"])
        #expect(try Self.configuration([:]).templates.isEmpty)
    }

    @Test(
        "What is wrong in one of the files is said with its name",
        arguments: [
            ("special_tokens_map.json", "[]"), ("special_tokens_map.json", "{"), ("added_tokens.json", #"{"a": -1}"#),
            ("added_tokens.json", #"{"a": "b"}"#), ("added_tokens.json", #"{"": 1}"#),
            ("tokenizer_config.json", #"{"added_tokens_decoder": {"x": {"content": "a"}}}"#),
            ("tokenizer_config.json", #"{"added_tokens_decoder": {"1": {}}}"#),
            ("tokenizer_config.json", #"{"added_tokens_decoder": []}"#),
            ("processor_config.json", #"{"chat_template": 1}"#), ("chat_template.json", ""),
        ]
    )
    func faults(_ name: String, _ contents: String) {
        let error = #expect(throws: TokenizerError.self) { try Self.configuration([name: contents]) }
        #expect(error?.description.hasPrefix(name) == true, "\(String(describing: error))")
    }
}
