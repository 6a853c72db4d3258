/// Turns text into a model's tokens and back, as its `tokenizer.json` says.
///
/// Two kinds of byte-pair vocabulary are understood: byte-level (GPT-2 and its descendants), and SentencePiece's
/// characters with byte fallback (Llama 2, Phi-3).
package struct Tokenizer: Sendable {
    package struct AddedToken: Sendable {
        var id: Int32
        var bytes: [UInt8]
        var isSpecial: Bool
        var stripsLeft: Bool
        var stripsRight: Bool
    }

    let vocabulary: TokenizerVocabulary

    /// Reads a tokenizer from the bytes of a `tokenizer.json`.
    /// - Throws: `TokenizerError` naming what is missing, malformed or not supported.
    package init(tokenizerJSON: [UInt8]) throws(TokenizerError) {
        vocabulary = try TokenizerVocabulary(file: TokenizerFile(json: tokenizerJSON))
    }

    /// One more than the largest token.
    package var vocabularySize: Int { vocabulary.bytes.count }

    /// The tokens of a text. A special token spelled in it is plain text here: no text can forge one.
    package func encode(_ text: String) -> [Int32] {
        text.isEmpty ? [] : vocabulary.encode(Array(text.unicodeScalars))
    }

    /// The tokens of a text in which added tokens are recognised, the longest first, as the reference does by default.
    package func encode(parsingSpecials text: String) -> [Int32] {
        var result: [Int32] = []
        var plain = ""
        func flush() {
            result += encode(plain)
            plain = ""
        }
        var rest = text[...]
        while !rest.isEmpty {
            guard let added = vocabulary.added(at: rest) else {
                plain.unicodeScalars.append(rest.unicodeScalars.removeFirst())
                continue
            }
            if added.stripsLeft {
                while let last = plain.unicodeScalars.last, last.properties.isWhitespace {
                    plain.unicodeScalars.removeLast()
                }
            }
            flush()
            result.append(added.id)
            rest = rest[rest.utf8.index(rest.startIndex, offsetBy: added.bytes.count)...]
            if added.stripsRight {
                while let first = rest.unicodeScalars.first, first.properties.isWhitespace {
                    rest.unicodeScalars.removeFirst()
                }
            }
        }
        flush()
        return result
    }

    /// The token of an added token's text.
    package func specialToken(_ content: String) -> Int32? { vocabulary.addedByContent[content] }

    package func isSpecial(_ token: Int32) -> Bool { vocabulary.special.contains(token) }

    /// The bytes a token stands for; none for a token outside the vocabulary. May be part of a character.
    package func bytes(of token: Int32) -> [UInt8] {
        vocabulary.bytes.indices.contains(Int(token)) ? vocabulary.bytes[Int(token)] : []
    }

    /// The text of tokens, special ones left out; bytes that are no UTF-8 become U+FFFD.
    package func decode(_ tokens: [Int32]) -> String {
        var decoder = StreamDecoder(tokenizer: self)
        return tokens.reduce(into: "") { $0 += decoder.push($1) } + decoder.finish()
    }
}
