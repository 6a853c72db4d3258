/// A vocabulary in plain values, as a GGUF file's metadata holds it (`tokenizer.ggml.…`).
package struct VocabularyValues: Sendable {
    /// What a token is (`tokenizer.ggml.token_type`).
    package enum Kind: Int32, Sendable {
        case normal = 1
        case unknown, control, userDefined, unused, byte
    }

    /// The kind of vocabulary: `llama` (SentencePiece's), `gpt2` (byte-level) or `gemma4` (spaces marked, with merges).
    package var model: String
    /// `gpt2` only: the name of the pre-tokenizer, for example `llama-bpe`.
    package var preTokenizer: String?
    /// The tokens' strings, by their ids.
    package var tokens: [String]
    /// `llama` only: for each token how early it is merged.
    package var scores: [Float]
    /// For each token what it is; empty if all are normal.
    package var kinds: [Int32]
    /// `gpt2` and `gemma4` only: two token strings separated by a space.
    package var merges: [String]
    /// The special tokens' ids.
    package var beginningToken: Int?
    package var endToken: Int?
    package var unknownToken: Int?
    /// All tokens that end an answer.
    package var endTokens: [Int]
    /// Whether texts begin or end with those; nil where the file does not say.
    package var addsBeginning: Bool?
    package var addsEnd: Bool?
    /// Whether a text's first word gets a space before it; nil where the file does not say.
    package var addsSpacePrefix: Bool?
    /// The model's name (`general.name`): GGUF lacks the flags of special tokens, and of one family they are known.
    package var modelName: String?

    package init(
        model: String,
        preTokenizer: String? = nil,
        tokens: [String],
        scores: [Float] = [],
        kinds: [Int32] = [],
        merges: [String] = [],
        beginningToken: Int? = nil,
        endToken: Int? = nil,
        unknownToken: Int? = nil,
        endTokens: [Int] = [],
        addsBeginning: Bool? = nil,
        addsEnd: Bool? = nil,
        addsSpacePrefix: Bool? = nil,
        modelName: String? = nil
    ) {
        self.model = model
        self.preTokenizer = preTokenizer
        self.tokens = tokens
        self.scores = scores
        self.kinds = kinds
        self.merges = merges
        self.beginningToken = beginningToken
        self.endToken = endToken
        self.unknownToken = unknownToken
        self.endTokens = endTokens
        self.addsBeginning = addsBeginning
        self.addsEnd = addsEnd
        self.addsSpacePrefix = addsSpacePrefix
        self.modelName = modelName
    }
}

extension VocabularyValues {
    func kind(of token: Int) -> Kind { kinds.isEmpty ? .normal : Kind(rawValue: kinds[token]) ?? .normal }

    static func error(_ what: String) -> TokenizerError { TokenizerError("tokenizer.ggml: \(what)") }

    /// Checks what all other functions rely on.
    func check() throws(TokenizerError) {
        guard tokens.count <= TokenIDs.range.count else { throw Self.error("it has \(tokens.count) tokens") }
        guard byteCount < Int32.max else {
            throw Self.error("its tokens have more than 2 GiB of letters")
        }
        guard kinds.isEmpty || kinds.count == tokens.count else {
            throw Self.error("it has \(tokens.count) tokens, but \(kinds.count) kinds of them")
        }
        for (name, token) in [("beginning", beginningToken), ("end", endToken), ("unknown", unknownToken)] {
            guard let token, !tokens.indices.contains(token) else { continue }
            throw Self.error("its \(name) token, \(token), is none of its \(tokens.count) tokens")
        }
    }

    /// The bytes of all token strings together.
    private var byteCount: Int { tokens.reduce(0) { $0 + $1.utf8.count } }

    func makeTokenStrings() -> TokenStrings {
        tokens.reduce(into: TokenStrings(capacity: tokens.count, byteCapacity: byteCount)) { $0.append($1.utf8) }
    }

    /// The tokens that are found in a text as they stand: control tokens, those that the model's makers added, and those
    /// that begin a text or end one, whatever the file says they are.
    func addedTokens() -> [AddedToken] {
        let name = modelName?.lowercased() ?? ""
        // As in Phi-3's own file.
        let stripsRight = name.contains("phi-3") || name.contains("phi3")
        let ends = Set([beginningToken, endToken].compactMap(\.self) + endTokens)
        return tokens.indices.compactMap { index -> AddedToken? in
            let kind = kind(of: index)
            let isEnd = ends.contains(index) && !PlainText.contains(tokens[index].replacing("▁", with: " "))
            guard isEnd || [.control, .unknown, .userDefined].contains(kind), !tokens[index].isEmpty else { return nil }
            var token = AddedToken(
                id: Int32(truncatingIfNeeded: index),
                content: Array(tokens[index].utf8),
                isSpecial: isEnd || kind != .userDefined
            )
            token.stripsRight = stripsRight && !["<unk>", "<s>", "<|endoftext|>"].contains(tokens[index])
            return token
        }
    }

    func postProcessor(addsBeginning: Bool, beginning: Int?, end: Int?) -> PostProcessor {
        func token(_ number: Int?) -> [Int32] { number.map { [Int32(truncatingIfNeeded: $0)] } ?? [] }
        return PostProcessor(
            before: self.addsBeginning ?? addsBeginning ? token(beginningToken ?? beginning) : [],
            after: addsEnd ?? false ? token(endToken ?? end) : []
        )
    }
}
