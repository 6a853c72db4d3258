/// Turns text into a model's tokens and back, as its `tokenizer.json` says.
///
/// Two kinds of byte-pair vocabulary are understood: byte-level (GPT-2 and its descendants), and SentencePiece's
/// characters with byte fallback (Llama 2, Phi-3).
package struct Tokenizer: Sendable {
    let added: AddedTokens
    /// The spaces a decoded text loses at its beginning.
    let leadingSpaces: Int
    private let normalizer: Normalizer
    private let preTokenizer: PreTokenizer
    private let vocabulary: Vocabulary

    /// Reads a tokenizer from the bytes of a `tokenizer.json`.
    /// - Throws: `TokenizerError` naming what is missing, malformed or not supported.
    package init(tokenizerJSON: [UInt8]) throws(TokenizerError) {
        let file = JSONNode(try JSONReader.read(tokenizerJSON))
        normalizer = try Normalizer(file.member("normalizer"))
        preTokenizer = try PreTokenizer(file.member("pre_tokenizer"))
        let decoder = try TokenDecoder(file.member("decoder"), isByteLevel: preTokenizer.isByteLevel)
        leadingSpaces = decoder.leadingSpaces
        added = try AddedTokens(file.member("added_tokens"), normalizer: normalizer)
        var vocabulary = try Vocabulary(file.required("model"), decoder: decoder)
        for token in added.tokens {
            // One that is found after normalization stands for what was there before it.
            let isSpelled = token.isNormalized && !token.isSpecial && !decoder.isByteLevel
            let bytes = isSpelled ? decoder.bytes(of: normalizer.apply(token.content)) : token.content
            vocabulary.setBytes(bytes, of: token.id)
        }
        self.vocabulary = vocabulary
    }

    /// One more than the largest token.
    package var vocabularySize: Int { vocabulary.bytes.count }

    /// The tokens of a text. A special token spelled in it is plain text here: no text can forge one.
    package func encode(_ text: String) -> [Int32] { encode(Array(text.utf8), specials: false) }

    /// The tokens of a text in which added tokens are recognised, the longest first, as the reference does by default.
    package func encode(parsingSpecials text: String) -> [Int32] { encode(Array(text.utf8), specials: true) }

    func encode(_ text: [UInt8], specials: Bool) -> [Int32] {
        var result: [Int32] = []
        var work = BytePairMerger.Workspace()
        for segment in added.segments(of: text, .raw, specials: specials) {
            switch segment {
            case .token(let token): result.append(token)
            case .text(let range):
                let normalized = normalizer.apply(Array(text[range]))
                for segment in added.segments(of: normalized, .normalized, specials: specials) {
                    switch segment {
                    case .token(let token): result.append(token)
                    case .text(let range): encode(Array(normalized[range]), &work, to: &result)
                    }
                }
            }
        }
        return result
    }

    private func encode(_ text: [UInt8], _ work: inout BytePairMerger.Workspace, to result: inout [Int32]) {
        let (text, ranges) = preTokenizer.pieces(of: text)
        for range in ranges { vocabulary.encode(text, range, &work, to: &result) }
    }

    /// The token of an added token's text.
    package func specialToken(_ content: String) -> Int32? { added[content]?.id }

    package func isSpecial(_ token: Int32) -> Bool { added.isSpecial(token) }

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
