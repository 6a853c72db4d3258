/// The vocabulary of a GGUF file, as its metadata `tokenizer.ggml.…` has it: plain values for a tokenizer to be made of.
package struct GGUFVocabulary: Sendable, Equatable {
    /// How text becomes tokens: `llama` (SentencePiece BPE with scores), `gpt2` (byte-level BPE with merges), `gemma4`, …
    package var model: String
    /// The name of the pre-tokenizer: `llama-bpe`, `qwen2`, …
    package var pre: String?
    /// The text of each token.
    package var tokens: [String]
    /// As many as tokens, or none.
    package var scores: [Float]
    /// As many as tokens, or none: 1 normal, 2 unknown, 3 control, 4 user defined, 5 unused, 6 byte.
    package var types: [Int]
    /// Pairs of tokens with a space between, the first to be merged first.
    package var merges: [String]

    package var bosToken: Int?
    package var eosToken: Int?
    package var unknownToken: Int?
    package var paddingToken: Int?
    package var addsBOS: Bool?
    package var addsEOS: Bool?
    package var addsSpacePrefix: Bool?
    package var removesExtraSpaces: Bool?

    /// The tokens that end an answer: those that the file names, and those known by their text.
    package var endTokens: [Int]
    /// The chat template, in Jinja, and the one for conversations with tools.
    package var chatTemplate: String?
    package var toolTemplate: String?
    /// `general.name`: the flags of one family's special tokens are known by it.
    package var modelName: String?

    /// - Returns: nil if the file has no vocabulary.
    package init?(_ file: GGUFModel) throws(ModelError) {
        guard let model = try file.text("tokenizer.ggml.model"), model != "no_vocab" else { return nil }
        self.model = model
        pre = try file.text("tokenizer.ggml.pre")
        for key in ["tokens", "scores", "token_type", "merges"] {
            guard let count = file.metadata["tokenizer.ggml.\(key)"]?.elementCount, count > Self.maxElements else {
                continue
            }
            throw ModelError("\(file.path): metadata tokenizer.ggml.\(key): more than \(Self.maxElements) elements")
        }
        tokens = try file.value("tokenizer.ggml.tokens", "an array of texts", \.texts)
        let scores = try file.optional("tokenizer.ggml.scores", "an array of numbers", \.numbers) ?? []
        self.scores = scores.map { Float($0) }
        types = try file.optional("tokenizer.ggml.token_type", "an array of whole numbers", \.integers) ?? []
        merges = try file.optional("tokenizer.ggml.merges", "an array of texts", \.texts) ?? []
        for (name, count) in [("scores", self.scores.count), ("token_type", types.count)] {
            guard count == 0 || count == tokens.count else {
                throw ModelError(
                    "\(file.path): metadata tokenizer.ggml.\(name): has \(count) elements; one for each of "
                        + "\(tokens.count) tokens is expected"
                )
            }
        }
        addsBOS = try file.flag("tokenizer.ggml.add_bos_token")
        addsEOS = try file.flag("tokenizer.ggml.add_eos_token")
        addsSpacePrefix = try file.flag("tokenizer.ggml.add_space_prefix")
        removesExtraSpaces = try file.flag("tokenizer.ggml.remove_extra_whitespaces")
        chatTemplate = try file.text("tokenizer.chat_template")
        toolTemplate = try file.text("tokenizer.chat_template.tool_use")
        modelName = try file.text("general.name")
        let ids = TokenIDs(file: file, count: tokens.count)
        bosToken = try ids["bos"]
        eosToken = try ids["eos"]
        unknownToken = try ids["unknown"]
        paddingToken = try ids["padding"]
        let named = Set(try [ids["eos"], ids["eot"], ids["eom"]].compactMap(\.self))
        endTokens = Self.ends(named, tokens, types)
    }

    /// Several times what the largest vocabularies have, of tokens or of merges.
    private static let maxElements = 1 << 20

    /// Files of older date name only one end of text; the ends of a turn are then known by their text alone.
    private static let endTexts: Set<String> = [
        "<|eot_id|>", "<|eom_id|>", "<|im_end|>", "<|end|>", "<end_of_turn>", "<|endoftext|>", "<|end_of_text|>",
        // Gemma 4 stops for the result of a call.
        "<turn|>", "<|tool_response>",
    ]
    /// Harmony's ends of an answer, in whose vocabulary `<|end|>` only ends a message, such as a thought.
    private static let harmonyEnds: Set<String> = ["<|return|>", "<|call|>"]

    /// - Parameter named: what the file names as ends.
    private static func ends(_ named: Set<Int>, _ tokens: [String], _ types: [Int]) -> [Int] {
        // Control and user-defined tokens only: any text can spell a normal one.
        let special = zip(tokens.indices, types).filter { 3...4 ~= $1 }.map(\.0)
        let isHarmony = harmonyEnds.isSubset(of: special.map { tokens[$0] })
        let texts = isHarmony ? endTexts.union(harmonyEnds) : endTexts
        let ends = named.union(special.filter { texts.contains(tokens[$0]) })
        return ends.filter { !isHarmony || tokens[$0] != "<|end|>" }.sorted()
    }

    /// The tokens with a part to play, by the names of their parts.
    private struct TokenIDs {
        let file: GGUFModel
        let count: Int

        subscript(_ name: String) -> Int? {
            get throws(ModelError) {
                let key = "tokenizer.ggml.\(name)_token_id"
                guard let id = try file.integer(key) else { return nil }
                // Some files say "none" by a number that no token has.
                return 0..<count ~= id ? id : nil
            }
        }
    }
}
