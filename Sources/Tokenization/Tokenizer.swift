import JSON
import Synchronization

/// Turns text into a model's tokens and back, as its `tokenizer.json` says.
package struct Tokenizer: Sendable {
    let added: AddedTokens
    let decoder: TokenDecoder
    let normalizer: Normalizer
    let preTokenizer: PreTokenizer
    let model: VocabularyModel
    /// Of the model's tokens; an added token with the same id replaces one.
    let tokenStrings: TokenStrings
    let postProcessor: PostProcessor
    private let workspaces = WorkspacePool()
    /// Warnings for the operator about how the vocabulary was read.
    package internal(set) var notes: [String] = []

    /// Reads a tokenizer from the bytes of a `tokenizer.json`.
    /// - Parameter files: what the files beside it say of its added tokens.
    /// - Throws: `TokenizerError` naming what is missing, malformed or not supported.
    package init(
        tokenizerJSON: [UInt8],
        files: AddedTokenFiles = AddedTokenFiles()
    ) throws(TokenizerError) {
        let file = try JSONNode.file(tokenizerJSON, named: "tokenizer.json") { (file) throws(JSONError) in
            try TokenizerFile(file, files)
        }
        try self.init(
            file.tokenStrings,
            file.model,
            try AddedTokens(file.addedTokens, normalizer: file.normalizer),
            file.normalizer,
            file.preTokenizer,
            file.decoder,
            file.postProcessor
        )
    }

    init(
        _ tokenStrings: TokenStrings,
        _ model: VocabularyModel,
        _ added: AddedTokens,
        _ normalizer: Normalizer,
        _ preTokenizer: PreTokenizer,
        _ decoder: TokenDecoder,
        _ postProcessor: PostProcessor
    ) throws(TokenizerError) {
        let tokenCount = tokenStrings.knownCount + added.tokens.count
        let limit = TokenIDs.limit(tokenCount: tokenCount)
        for token in added.tokens where token.id > limit {
            throw TokenizerError("tokenizer.json: has a token numbered \(token.id), far more than it has tokens")
        }
        vocabularySize = max(tokenStrings.count, (added.tokens.map { Int($0.id) }.max() ?? -1) + 1)
        self.tokenStrings = tokenStrings
        self.added = added
        self.normalizer = normalizer
        self.preTokenizer = preTokenizer
        self.model = model
        self.decoder = decoder
        self.postProcessor = postProcessor
    }

    /// One more than the largest token.
    package let vocabularySize: Int

    /// The tokens that the reference puts before a text when asked for special tokens: mostly none, or the
    /// beginning-of-text token. `encode` leaves them out.
    package var tokensBeforeText: [Int32] { postProcessor.before }

    /// The tokens that the reference puts after a text when asked for special tokens.
    package var tokensAfterText: [Int32] { postProcessor.after }

    /// The tokens of a text. A special token spelled in it is plain text here: no text can forge one.
    ///
    /// A text that the normalizer makes too long (a damaged or hostile file's) is encoded without normalization; prompts,
    /// which `ChatFormat` encodes, are refused instead.
    package func encode(_ text: String) -> [Int32] { encodeOrSkipNormalizing(Array(text.utf8), .none) }

    /// The tokens of a text in which added tokens are recognised, the longest first, as the reference does by default.
    package func encode(parsingSpecials text: String) -> [Int32] { encodeOrSkipNormalizing(Array(text.utf8), .all) }

    private func encodeOrSkipNormalizing(_ text: [UInt8], _ policy: SpecialTokenPolicy) -> [Int32] {
        if let tokens = try? encode(text, policy) { return tokens }
        return (try? encode(text, policy, normalizes: false)) ?? []
    }

    /// The tokens of a text in UTF-8, with special tokens where the policy allows them. The text is cut and merged as a
    /// whole, as in the reference.
    /// - Throws: `TokenizerError` if the normalizer makes the text too long.
    package func encode(_ text: [UInt8], _ policy: SpecialTokenPolicy, normalizes: Bool = true) throws(TokenizerError)
        -> [Int32]
    {
        var result: [Int32] = []
        result.reserveCapacity(text.count / 4 + 8)
        // All segments together: each alone may become what a short text may.
        let limit = GrowthLimit(ofTextWith: text.count)
        var normalizedCount = 0
        try workspaces.withWorkspace { (work) throws(TokenizerError) in
            for segment in added.segments(of: text, .raw, policy) {
                switch segment {
                case .token(let token): result.append(token)
                case .text(let range):
                    let source = NormalizedText(
                        range.count == text.count ? text : Array(text[range]),
                        isFirst: range.lowerBound == 0
                    )
                    let normalized = normalizes ? try normalizer.apply(source) : source
                    normalizedCount += normalized.bytes.count
                    if normalizes { try limit.check(normalizedCount) }
                    encode(normalized, policy.allowsSpecials(range), &work, to: &result)
                }
            }
        }
        return result
    }

    /// Encodes what stands between added tokens, normalized.
    private func encode(
        _ normalized: NormalizedText,
        _ allowsSpecials: Bool,
        _ work: inout EncodingWorkspace,
        to result: inout [Int32]
    ) {
        for segment in added.segments(of: normalized.bytes, .normalized, allowsSpecials ? .all : .none) {
            switch segment {
            case .token(let token): result.append(token)
            case .text(let range):
                let (text, pieces) = preTokenizer.pieces(of: normalized.part(range))
                for piece in pieces { model.encode(text, piece, &work, to: &result) }
            }
        }
    }

    /// The pieces that the normalizer and the pre-tokenizer make of a text without added tokens: for comparing them
    /// with the reference. Bytes are not spelled in the byte alphabet.
    package func pieces(of text: String) -> [[UInt8]] {
        let source = NormalizedText(Array(text.utf8), isFirst: true)
        let (bytes, ranges) = preTokenizer.pieces(of: (try? normalizer.apply(source)) ?? source)
        return ranges.map { Array(bytes[$0]) }
    }

    /// The token of an added token's text.
    package func specialToken(_ content: String) -> Int32? { added[content]?.id }

    package func isSpecial(_ token: Int32) -> Bool { added.isSpecial(token) }

    /// The bytes a token stands for; none for a token outside the vocabulary. May be part of a character.
    package func bytes(of token: Int32) -> [UInt8] { text(of: token, isFirst: false) }

    /// Whether a token has a place in a decoded text: it is known, and not special.
    func hasText(_ token: Int32) -> Bool {
        (tokenStrings.isKnown(token) || added[token] != nil) && !added.isSpecial(token)
    }

    /// The bytes a token stands for where it is the first of a text, or not.
    func text(of token: Int32, isFirst: Bool) -> [UInt8] {
        guard let own = added[token] else { return decoder.bytes(of: Array(tokenStrings[token]), isFirst: isFirst) }
        return own.isSpecial ? own.content : decoder.bytes(of: own.spelling, isFirst: isFirst)
    }

    /// Whether a token stands for a byte, where a vocabulary falls back to bytes.
    private func isByte(_ token: Int32) -> Bool {
        guard let own = added[token] else { return decoder.isByte(Array(tokenStrings[token])) }
        return !own.isSpecial && decoder.isByte(own.spelling)
    }

    /// The text of tokens, special ones left out, as the reference decodes them: bytes that are no UTF-8 become U+FFFD,
    /// and where a vocabulary falls back to bytes, each byte of a run that is not UTF-8 as a whole.
    package func decode(_ tokens: [Int32]) -> String {
        guard decoder.readsBytes else {
            var stream = StreamDecoder(tokenizer: self)
            return tokens.reduce(into: "") { $0 += stream.push($1) } + stream.finish()
        }
        var result: [UInt8] = []
        var run: [UInt8] = []
        func endRun() {
            if run.isUTF8 { result += run } else { for _ in run { result += "\u{FFFD}".utf8 } }
            run.removeAll()
        }
        var isFirst = true
        for token in tokens where hasText(token) {
            if isByte(token) {
                run += text(of: token, isFirst: isFirst)
            } else {
                endRun()
                result += text(of: token, isFirst: isFirst)
            }
            isFirst = false
        }
        endRun()
        return String(decoding: decoder.strip.apply(result), as: UTF8.self)
    }
}

/// What a `tokenizer.json` says.
private struct TokenizerFile {
    let normalizer: Normalizer
    private(set) var preTokenizer: PreTokenizer
    let decoder: TokenDecoder
    let postProcessor: PostProcessor
    private(set) var addedTokens: [AddedToken]
    let model: VocabularyModel
    let tokenStrings: TokenStrings

    init(_ file: JSONNode, _ files: AddedTokenFiles) throws(JSONError) {
        normalizer = try Normalizer(file["normalizer"])
        preTokenizer = try PreTokenizer(file["pre_tokenizer"])
        decoder = try TokenDecoder(file["decoder"])
        postProcessor = try PostProcessor(file["post_processor"])
        var tokens: [AddedToken] = []
        if let list = try file["added_tokens"].nullable {
            for token in try list.elements(atMost: AddedTokens.most) { tokens.append(try AddedToken(token)) }
        }
        addedTokens = files.merged(with: tokens)
        var endsInByteAlphabet = preTokenizer.endsInByteAlphabet
        let forbidden = Set(addedTokens.filter { !$0.mayAppearInText }.map(\.content))
        var reader = ModelReader(file["model"], forbidden: forbidden)
        model = try reader.read(endsInByteAlphabet: &endsInByteAlphabet)
        tokenStrings = reader.tokenStrings
        if !endsInByteAlphabet { preTokenizer.spellByteAlphabet() }
        AddedTokenFiles.assignIDs(&addedTokens, model, modelCount: tokenStrings.knownCount)
    }
}
