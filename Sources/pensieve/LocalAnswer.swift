import Chat
import EngineContract

/// What a model in this process says, from its tokens: text without markers, as the API gives it. What it thinks is shown
/// where a user sees it, and is no part of the text.
struct LocalAnswer {
    private var parser: AnswerTokenParser
    private var isThinking = false

    /// - Parameter prompt: what it answers.
    init(_ model: Model, to prompt: ChatPrompt) {
        parser = AnswerTokenParser(
            model.chatFormat.syntax,
            tokenizer: model.tokenizer,
            markerTexts: model.chatFormat.markerTexts(in: model.tokenizer),
            tools: [],
            isInsideThinking: prompt.isInsideThinking
        )
    }

    /// The text that this token makes certain.
    mutating func push(_ token: Token) -> String { shown(parser.push(token)) }

    /// What was held back, once no more tokens come.
    mutating func finish() -> String {
        let (last, held) = parser.finish()
        let text = shown(last + held)
        if isThinking { Terminal.thought("\n") }
        return text
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
