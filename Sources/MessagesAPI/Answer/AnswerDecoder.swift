import Chat
import EngineContract
import Tokenization

/// Turns sampled tokens into the parts of an answer: whole characters only, nothing of a marker, and nothing of a stop
/// sequence.
///
/// Stop sequences are looked for in text alone, in each run of it: neither thinking nor calls can end an answer.
struct AnswerDecoder: Sendable {
    private var parser: AnswerTokenParser
    private var filter: StopSequenceFilter
    /// The filter as it is at the beginning of a text.
    private let freshFilter: StopSequenceFilter
    private let hasTools: Bool
    private var isInText = false
    private(set) var matchedSequence: String?

    /// - Parameter hasTools: whether the parser looks for calls.
    init(parser: AnswerTokenParser, hasTools: Bool, stopSequences: StopSequenceFilter) {
        self.parser = parser
        self.hasTools = hasTools
        filter = stopSequences
        freshFilter = stopSequences
    }

    /// Whether the model is thinking.
    var isThinking: Bool { parser.isThinking }

    /// What this token makes certain; nothing after a stop sequence.
    mutating func push(_ token: Token) -> [AnswerPart] {
        guard matchedSequence == nil else { return [] }
        return certain(parser.push(token))
    }

    /// What was held back, once no more tokens come.
    /// - Parameter isCut: whether there would have been more. Then the beginning of a call's marker is no text.
    mutating func finish(isCut: Bool) -> [AnswerPart] {
        guard matchedSequence == nil else { return [] }
        var (last, held) = parser.finish()
        if isCut, hasTools { held.removeAll { if case .text = $0 { true } else { false } } }
        var parts = certain(last + held)
        if matchedSequence == nil { parts += endText() }
        return parts
    }

    private mutating func certain(_ parts: [AnswerPart]) -> [AnswerPart] {
        var result: [AnswerPart] = []
        for part in parts {
            if case .text(let text) = part {
                isInText = true
                result += found(filter.push(text))
            } else {
                result += endText()
                if matchedSequence == nil { result.append(part) }
            }
            if matchedSequence != nil { break }
        }
        return result
    }

    private mutating func endText() -> [AnswerPart] {
        guard isInText else { return [] }
        isInText = false
        defer { filter = freshFilter }
        return found(filter.finish())
    }

    private mutating func found(_ result: (text: String, matched: String?)) -> [AnswerPart] {
        matchedSequence = result.matched
        return result.text.isEmpty ? [] : [.text(result.text)]
    }
}
