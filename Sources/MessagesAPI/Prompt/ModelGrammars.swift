import Chat
import Constraints
import EngineContract
import Synchronization
import Tokenization

/// A model's vocabulary as grammars need it, and the grammars made for it. Nothing is made before it is needed: a
/// vocabulary of 150,000 tokens takes a moment, and many servers never see a tool.
final class ModelGrammars: Sendable {
    let syntax: PrintedSyntax
    let stopTokens: Set<Token>
    let controlTokens: Set<Token>
    /// Control tokens that are part of a marker, by what they spell.
    let markerTexts: [Token: [UInt8]]
    private let tokenizer: Tokenizer
    private let made = Mutex<(vocabulary: Vocabulary, cache: GrammarCache)?>(nil)

    init(
        _ tokenizer: Tokenizer,
        _ syntax: AnswerSyntax,
        stopTokens: Set<Token>,
        controlTokens: Set<Token>,
        markerTexts: [Token: [UInt8]]
    ) {
        self.syntax = PrintedSyntax(syntax)
        self.markerTexts = markerTexts
        self.tokenizer = tokenizer
        self.stopTokens = stopTokens
        self.controlTokens = controlTokens
    }

    /// Takes time when it is called first: to be called where that delays nobody.
    /// - Parameter rows: how many tokens the model's weights have.
    func make(rows: Int) -> (vocabulary: Vocabulary, cache: GrammarCache) {
        made.withLock { made in
            if let made { return made }
            let vocabulary = Vocabulary(
                tokenizer,
                rows: rows,
                stopTokens: stopTokens,
                controlTokens: controlTokens
            )
            let new = (vocabulary, GrammarCache(vocabulary))
            made = new
            return new
        }
    }
}
