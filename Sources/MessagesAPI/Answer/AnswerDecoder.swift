import Chat
import EngineContract
import Tokenization

/// Turns sampled tokens into the parts of an answer: whole characters only, nothing of a marker, and nothing of a stop
/// sequence.
///
/// Stop sequences are looked for in text alone, in each run of it: neither thinking nor calls can end an answer.
struct AnswerDecoder: Sendable {
    private var decoder: StreamDecoder
    private var parser: AnswerParser
    private var filter: StopSequenceFilter
    /// The filter as it is at the beginning of a text.
    private let freshFilter: StopSequenceFilter
    private let specialTexts: [Token: [UInt8]]
    private let hasTools: Bool
    private var isInText = false
    private(set) var matchedSequence: String?

    /// - Parameters:
    ///   - specialTexts: those of the special tokens that are part of markers.
    ///   - hasTools: whether the parser looks for calls.
    init(
        decoder: StreamDecoder,
        parser: AnswerParser,
        specialTexts: [Token: [UInt8]],
        hasTools: Bool,
        stopSequences: StopSequenceFilter
    ) {
        self.decoder = decoder
        self.parser = parser
        self.specialTexts = specialTexts
        self.hasTools = hasTools
        filter = stopSequences
        freshFilter = stopSequences
    }

    /// Whether the model is thinking.
    var isThinking: Bool { parser.isThinking }

    /// What this token makes certain; nothing after a stop sequence.
    mutating func push(_ token: Token) -> [AnswerPart] {
        guard matchedSequence == nil else { return [] }
        let text = decoder.push(token)
        return text.isEmpty ? [] : certain(parser.push(text, special: specialTexts[token]?.count ?? 0))
    }

    /// What was held back, once no more tokens come.
    /// - Parameter isCut: whether there would have been more. Then the beginning of a call's marker is no text.
    mutating func finish(isCut: Bool) -> [AnswerPart] {
        guard matchedSequence == nil else { return [] }
        let text = decoder.finish()
        let last = text.isEmpty ? [] : parser.push(text)
        let held = parser.finish().filter { part in
            if isCut, hasTools, case .text = part { false } else { true }
        }
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
