import Chat
import EngineContract
import Tokenization

/// What a model in this process says, from its tokens: text without markers, as the API gives it. What it thinks is shown
/// where a user sees it, and is no part of the text.
struct LocalAnswer {
    private var decoder: StreamDecoder
    private var parser: AnswerParser
    private let specialTexts: [Token: [UInt8]]
    private var isThinking = false

    /// - Parameter prompt: what it answers.
    init(_ model: Model, to prompt: ChatPrompt) {
        let visible = model.chatFormat.visibleTokens(in: model.tokenizer)
        specialTexts = Dictionary(uniqueKeysWithValues: visible.map { ($0, model.tokenizer.bytes(of: $0)) })
        decoder = StreamDecoder(tokenizer: model.tokenizer, visible: visible)
        parser = AnswerParser(
            model.chatFormat.syntax,
            tools: [],
            isInsideThinking: prompt.isInsideThinking,
            specialTexts: Array(specialTexts.values)
        )
    }

    /// The text that this token makes certain.
    mutating func push(_ token: Token) -> String {
        let text = decoder.push(token)
        return text.isEmpty ? "" : shown(parser.push(text, special: specialTexts[token]?.count ?? 0))
    }

    /// What was held back, once no more tokens come.
    mutating func finish() -> String {
        let text = decoder.finish()
        let rest = shown((text.isEmpty ? [] : parser.push(text)) + parser.finish())
        if isThinking { Terminal.thought("\n") }
        return rest
    }

    private mutating func shown(_ parts: [AnswerPart]) -> String {
        var result = ""
        for part in parts {
            switch part {
            case .thinking(let text):
                Terminal.thought(text)
                isThinking = true
            case .text(let text):
                if isThinking { Terminal.thought("\n\n") }
                isThinking = false
                result += text
            case .toolCallStart, .toolCallArguments, .toolCallEnd: break
            }
        }
        return result
    }
}
