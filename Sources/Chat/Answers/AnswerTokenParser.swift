package import Tokenization

/// Takes an answer apart as its tokens come: their text has the special tokens that are part of markers, and the parser of
/// that text knows which these are.
package struct AnswerTokenParser: Sendable {
    private var decoder: StreamDecoder
    private var parser: AnswerParser
    private let markerTexts: [Int32: [UInt8]]

    /// - Parameters:
    ///   - markerTexts: see `ChatFormat.markerTexts`.
    ///   - startsText: see `StreamDecoder`; the others see `AnswerParser`.
    package init(
        _ syntax: AnswerSyntax,
        tokenizer: Tokenizer,
        markerTexts: [Int32: [UInt8]],
        tools: [ToolDefinition],
        isInsideThinking: Bool,
        callsComeFirst: Bool = false,
        startsText: Bool = true
    ) {
        self.markerTexts = markerTexts
        decoder = StreamDecoder(tokenizer: tokenizer, startsText: startsText, visible: Set(markerTexts.keys))
        parser = AnswerParser(
            syntax,
            tools: tools,
            isInsideThinking: isInsideThinking,
            specialTexts: Array(markerTexts.values),
            callsComeFirst: callsComeFirst
        )
    }

    /// Whether the answer so far ends inside a block of thinking.
    package var isThinking: Bool { parser.isThinking }

    /// The parts that a token makes certain.
    package mutating func push(_ token: Int32) -> [AnswerPart] {
        let text = decoder.push(token)
        return text.isEmpty ? [] : parser.push(text, special: markerTexts[token]?.count ?? 0)
    }

    /// Once no more tokens come: what the last character makes certain, and what was held back.
    package mutating func finish() -> (last: [AnswerPart], held: [AnswerPart]) {
        let text = decoder.finish()
        let last = text.isEmpty ? [] : parser.push(text)
        return (last, parser.finish())
    }
}
