import Chat
import Testing
import Tokenization

@Suite struct TokenizerConfigurationTests {
    private static func read(_ files: [String: String]) throws -> TokenizerConfiguration {
        try TokenizerConfiguration { name in files[name].map { Array($0.utf8) } }
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
            #expect(try Self.read(left).templates == ["default": expected])
        }
        let tools = try Self.read([
            "chat_template.json": #"{"chat_template": [{"name": "default", "template": "a"}]}"#,
            "additional_chat_templates/tool_use.jinja": "b",
        ])
        #expect(tools.templates == ["default": "a", "tool_use": "b"])
        #expect(try Self.read([:]).templates.isEmpty)
    }

    @Test("tokenizer_config.json gives templates and special tokens in all their forms")
    func forms() throws {
        func read(_ json: String) throws -> TokenizerConfiguration { try Self.read(["tokenizer_config.json": json]) }
        let plain = try read(
            #"{"chat_template":"t","bos_token":"<s>","eos_token":{"content":"</s>","lstrip":false},"pad_token":null,"x":[1]}"#
        )
        #expect(plain.templates == ["default": "t"])
        #expect(plain.addedTokens.specialTokens == ["bos_token": "<s>", "eos_token": "</s>"])
        let named = try read(
            #"{"chat_template":[{"name":"default","template":"a"},{"name":"tool_use","template":"b"}]}"#
        )
        #expect(named.templates == ["default": "a", "tool_use": "b"])
        #expect(try read("{}") == .init())
    }

    @Test(
        "A malformed file is named in the error",
        arguments: [
            ("tokenizer_config.json", ""), ("tokenizer_config.json", "[]"), ("tokenizer_config.json", "{\"a\":"),
            ("tokenizer_config.json", #"{"chat_template":1}"#),
            ("tokenizer_config.json", #"{"chat_template":[{"name":1}]}"#),
            ("processor_config.json", #"{"chat_template": 1}"#), ("chat_template.json", ""),
        ]
    )
    func errors(_ name: String, _ contents: String) {
        let error = #expect(throws: TokenizerError.self) { try Self.read([name: contents]) }
        #expect(error?.description.hasPrefix(name) == true, "\(String(describing: error))")
    }
}
