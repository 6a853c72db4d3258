package import Constraints
package import EngineContract
package import Tokenization

extension Vocabulary {
    /// A model's tokens as texts. Control tokens have none.
    /// - Parameters:
    ///   - rows: how many tokens the model's weights have.
    ///   - controlTokens: tokens that no text has, beside those that the tokenizer calls special.
    package convenience init(_ tokenizer: Tokenizer, rows: Int, stopTokens: Set<Token>, controlTokens: Set<Token> = [])
    {
        let texts = (0..<max(0, rows)).map { row -> [UInt8] in
            let token = Token(clamping: row)
            return tokenizer.isSpecial(token) || controlTokens.contains(token) ? [] : tokenizer.bytes(of: token)
        }
        self.init(texts: texts, stopTokens: stopTokens.sorted()) { text in
            tokenizer.encode(String(decoding: text, as: UTF8.self))
        }
    }
}
