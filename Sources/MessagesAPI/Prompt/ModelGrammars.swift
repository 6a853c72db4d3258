import Constraints
import EngineContract
import Synchronization
import Tokenization

/// A model's vocabulary as grammars need it, and the grammars made for it. Nothing is made before it is needed: a
/// vocabulary of 150,000 tokens takes a moment, and many servers never see a tool.
final class ModelGrammars: Sendable {
    private let tokenizer: Tokenizer
    private let stopTokens: [Token]
    private let made = Mutex<(vocabulary: Vocabulary, cache: GrammarCache)?>(nil)

    init(_ tokenizer: Tokenizer, stopTokens: Set<Token>) {
        self.tokenizer = tokenizer
        self.stopTokens = stopTokens.sorted()
    }

    /// Takes time when it is called first: to be called where that delays nobody.
    /// - Parameter rows: how many tokens the model's weights have.
    func make(rows: Int) -> (vocabulary: Vocabulary, cache: GrammarCache) {
        made.withLock { made in
            if let made { return made }
            let texts = (0..<rows).map { row -> [UInt8] in
                let token = Token(row)
                // Control tokens stand for themselves: no text leads to one.
                return tokenizer.isSpecial(token) ? [] : tokenizer.bytes(of: token)
            }
            let vocabulary = Vocabulary(texts: texts, stopTokens: stopTokens) { [tokenizer] text in
                (try? tokenizer.encode(text, .none)) ?? []
            }
            let new = (vocabulary, GrammarCache(vocabulary))
            made = new
            return new
        }
    }
}
