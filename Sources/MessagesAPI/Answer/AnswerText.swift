import EngineContract
import Tokenization

/// Turns sampled tokens into the answer's text: whole characters only, and nothing of a stop sequence.
///
/// Plain answers and streams both go through here, so that their texts are equal.
struct AnswerText: Sendable {
    private var decoder: StreamDecoder
    private var filter: StopSequenceFilter
    private(set) var matchedSequence: String?

    /// - Parameter startsText: false where the answer goes on with a text that the client gave.
    init(tokenizer: Tokenizer, stopSequences: StopSequenceFilter, startsText: Bool) {
        decoder = StreamDecoder(tokenizer: tokenizer, startsText: startsText)
        filter = stopSequences
    }

    /// The text that this token makes certain; nothing after a stop sequence.
    mutating func push(_ token: Token) -> String {
        guard matchedSequence == nil else { return "" }
        return certain(decoder.push(token))
    }

    /// What was held back, once no more tokens come.
    mutating func finish() -> String {
        guard matchedSequence == nil else { return "" }
        let text = certain(decoder.finish())
        guard matchedSequence == nil else { return text }
        let rest = filter.finish()
        matchedSequence = rest.matched
        return text + rest.text
    }

    private mutating func certain(_ text: String) -> String {
        guard !text.isEmpty else { return "" }
        let result = filter.push(text)
        matchedSequence = result.matched
        return result.text
    }
}
