import Chat
import Foundation
import JSON
import Support
import Templates
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

extension ChatFormat {
    /// Phi-3's format, for a tokenizer of its family.
    static func phi3(_ tokenizer: Tokenizer) throws -> ChatFormat {
        try ChatFormat(TokenizerConfiguration(), architecture: "phi3", endTokens: [], tokenizer: tokenizer)
    }

    /// The tokens of turns as transformers writes them by default: with the model's thinking as the template has it.
    func encode(_ turns: [ChatTurn], tools: [ToolDefinition] = [], with tokenizer: Tokenizer) throws -> [Int32] {
        try prompt(Self.conversation(turns, tools), with: tokenizer).tokens
    }

    func preview(_ turns: [ChatTurn], tools: [ToolDefinition] = []) throws -> String {
        try preview(Self.conversation(turns, tools))
    }

    private static func conversation(_ turns: [ChatTurn], _ tools: [ToolDefinition]) -> ChatConversation {
        var conversation = ChatConversation(turns: turns, tools: tools)
        conversation.thinking = .on(nil)
        return conversation
    }
}

extension ToolDefinition {
    init(_ name: String, _ description: String? = nil, schema: String = "{\"type\": \"object\"}") throws {
        self.init(name: name, description: description, inputSchema: try JSONDocument(Array(schema.utf8)).root)
    }
}
