import Chat
import EngineContract
import Scheduling
import Tokenization

/// An engine without a model, for client development: it answers `Mock response to: <last user text>`.
///
/// HTTP server, tokenizer and scheduler are the real ones; only the forward pass is replaced by a script, which decodes
/// the last user turn from the prompt's tokens.
struct MockModel: Sendable {
    let tokenizer: Tokenizer
    private let user: Token
    private let assistant: Token
    private let end: Token

    /// - Throws: `ConfigurationError` if the tokenizer lacks the chat format's special tokens.
    init(tokenizer: Tokenizer) throws(ConfigurationError) {
        guard let user = tokenizer.specialToken("<|user|>"), let assistant = tokenizer.specialToken("<|assistant|>"),
            let end = tokenizer.specialToken("<|end|>")
        else { throw ConfigurationError("the tokenizer has no chat tokens such as <|user|>") }
        self.tokenizer = tokenizer
        self.user = user
        self.assistant = assistant
        self.end = end
    }

    func engine(tokensPerSecond: Double) -> ScriptedEngine {
        let description = EngineDescription(
            modelID: "pensieve-mock",
            displayName: "Mock (no model: answers with the request's own text)",
            architecture: "none",
            parameterCount: 0,
            quantization: "none",
            contextLength: 32_768,
            vocabularySize: tokenizer.vocabularySize,
            blockSize: 16,
            blockCount: 65_536,
            kvBytesPerToken: 4,
            weightBytes: 0,
            threads: 1,
            kernelVariant: "none",
            isMock: true
        )
        return ScriptedEngine(
            description: description,
            stepDuration: .seconds(1 / tokensPerSecond),
            substitutes: closers
        ) { prefix in
            next(after: prefix)
        }
    }

    /// Tokens that end a string, an object and an array, and a number: where an answer must be JSON and the reply is no part
    /// of it, they bring it to its end.
    private var closers: [Token] {
        let all = (0..<Token(clamping: tokenizer.vocabularySize)).map { (token: $0, bytes: tokenizer.bytes(of: $0)) }
        return ["\"", "}", "]", "0"].compactMap { text in
            all.first { $0.bytes.elementsEqual(text.utf8) && !tokenizer.isSpecial($0.token) }?.token
        }
    }

    /// The reply's next token, given everything before it.
    func next(after prefix: [Token]) -> Token {
        guard let turn = prefix.lastIndex(of: assistant) else { return end }
        // The answer begins after the special token and the line break that follows it.
        let answered = prefix.count - turn - 1 - tokenizer.encode("\n").count
        let reply = tokenizer.encode("Mock response to: " + lastUserText(prefix[..<turn]))
        return answered >= 0 && answered < reply.count ? reply[answered] : end
    }

    private func lastUserText(_ prompt: ArraySlice<Token>) -> String {
        guard let start = prompt.lastIndex(of: user) else { return "" }
        let turn = prompt[(start + 1)...]
        let text = turn.prefix(upTo: turn.firstIndex(of: end) ?? turn.endIndex)
        let bytes = text.flatMap { tokenizer.bytes(of: $0) }
        return String(decoding: bytes.drop { $0 == UInt8(ascii: "\n") }, as: UTF8.self)
    }
}
