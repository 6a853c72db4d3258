/// How the families of byte-level vocabularies cut texts, by the names that GGUF files give them.
///
/// The patterns are those of the families' own `tokenizer.json`. Their normalizers are not: llama.cpp, for which these
/// files are made, normalizes no text.
struct ByteLevelFamily {
    /// The text is cut at the matches of each in turn.
    var patterns: [String]
    /// A word that is a token is that token, whatever the merges make of it.
    var ignoresMerges = false
    /// Texts begin with the beginning-of-text token, if the file does not say otherwise.
    var addsBeginning = false

    init?(named name: String) {
        guard let family = Self.family(name) else { return nil }
        self = family
    }

    private init(
        _ patterns: String...,
        ignoresMerges: Bool = false,
        addsBeginning: Bool = false
    ) {
        self.patterns = patterns
        self.ignoresMerges = ignoresMerges
        self.addsBeginning = addsBeginning
    }

    private static func family(_ name: String) -> ByteLevelFamily? {
        switch name {
        case "gpt-2", "phi-2", "mpt", "olmo", "jais", "trillion", "granite-docling", "roberta-bpe", "gigachat",
            "exaone4",
            "mellum", "modern-bert", "a.x-4.0", "jina-es", "jina-de", "jina-v1-en", "jina-v2-es", "jina-v2-de",
            "jina-v2-code":
            ByteLevelFamily(gpt2)
        case "llama3", "llama-v3", "llama-bpe", "falcon3", "falcon-h1", "pixtral", "midm-2.0", "lfm2", "jina-v5-nano":
            ByteLevelFamily(llama3, ignoresMerges: true, addsBeginning: true)
        case "glm4", "glm5": ByteLevelFamily(llama3, ignoresMerges: true)
        case "dbrx", "smaug-bpe", "chatglm-bpe": ByteLevelFamily(llama3)
        case "qwen2", "deepseek-r1-qwen", "kormo", "f2llmv2", "megrez", "stablelm2", "hunyuan", "solar-open", "grok-2":
            ByteLevelFamily(qwen2)
        case "qwen35": ByteLevelFamily(qwen35)
        case "smollm", "starcoder", "refact", "command-r", "codeshell", "exaone", "minerva-7b", "mellum2":
            ByteLevelFamily(#"\p{N}"#, gpt2)
        case "tekken": ByteLevelFamily(tekken, ignoresMerges: true, addsBeginning: true)
        case "gpt-4o", "llama4", "kanana2", "talkie", "minimax-m2": ByteLevelFamily(gpt4o)
        case "deepseek-llm":
            ByteLevelFamily(
                "[\r\n]",
                deepseekLetters,
                #"\s?[!-/:-~！-／：-～‘-‟　-。]+"#,
                #"\s+$"#,
                deepseekIdeographs,
                #"\p{N}+"#
            )
        case "deepseek-coder": ByteLevelFamily("[\r\n]", #"\s?\p{L}+"#, #"\s?\p{P}+"#, deepseekIdeographs, #"\p{N}"#)
        case "deepseek-v3", "hunyuan-dense", "joyai-llm", "hy_v4":
            ByteLevelFamily(#"\p{N}{1,3}"#, "[一-龥\u{3040}-ゟ゠-ヿ]+", deepseek3)
        case "falcon": ByteLevelFamily(#"[\p{P}\$\+<=>\^~\|`]+"#, gpt2, "[0-9][0-9][0-9]")
        case "bloom", "poro-chat", "gpt3-finnish": ByteLevelFamily(bloom)
        case "viking": ByteLevelFamily(bloom, #"\p{N}"#)
        case "bailingmoe", "bailingmoe2", "llada-moe": ByteLevelFamily(bailing)
        case "seed-coder": ByteLevelFamily(seedCoder)
        case "superbpe": ByteLevelFamily(#"\p{N}+"#, #"(?=(\d{3})+(?!\d))"#)
        case "default": ByteLevelFamily(#"[\p{P}\$\+<=>\^~\|]+"#, gpt2, #"\p{N}+"#, "[0-9][0-9][0-9]")
        default: nil
        }
    }

    private static let gpt2 = GPT2Scanner.pattern
    private static let llama3 = Llama3Scanner.pattern(mostDigits: 3)
    private static let qwen2 = Llama3Scanner.pattern(mostDigits: 1)
    private static let contractions = "(?i:'s|'t|'re|'ve|'m|'ll|'d)"
    private static let spaces = #"|\s*[\r\n]+|\s+(?!\S)|\s+"#
    private static let qwen35 =
        contractions + #"|[^\r\n\p{L}\p{N}]?[\p{L}\p{M}]+|\p{N}| ?[^\s\p{L}\p{M}\p{N}]+[\r\n]*"# + spaces

    // Words by their case, as GPT-4o and Tekken have them.
    private static let lead = #"[^\r\n\p{L}\p{N}]?"#
    private static let upper = #"[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]"#
    private static let lower = #"[\p{Ll}\p{Lm}\p{Lo}\p{M}]"#
    private static let symbols = #"| ?[^\s\p{L}\p{N}]+[\r\n/]*"# + spaces
    private static let tekken = "\(lead)\(upper)*\(lower)+|\(lead)\(upper)+\(lower)*" + #"|\p{N}"# + symbols
    private static let gpt4o =
        "\(lead)\(upper)*\(lower)+\(contractions)?|\(lead)\(upper)+\(lower)*\(contractions)?" + #"|\p{N}{1,3}"#
        + symbols

    /// Letters that have a case, but for those that an older list lacked.
    private static let deepseekLetters =
        #"\s?[\p{LC}&&[^\x{560}-\x{588}\x{10C7}-\x{10FF}\x{1C80}-\x{1C8A}\x{2D00}-\x{2D2D}\x{A790}-\x{A7FA}"#
        + #"\x{AB30}-\x{AB68}\x{10570}-\x{105BC}\x{10D50}-\x{10D85}\x{16E40}-\x{16E7F}\x{1D400}-\x{1DF2A}]]+"#
    private static let deepseekIdeographs = "[一-龥\u{800}-一가-\u{D7FF}]+"
    private static let deepseek3 =
        ##"[!"#$%&'()*+,\-./:;<=>?@\[\\\]^_`{|}~][A-Za-z]+|[^\r\n\p{L}\p{P}\p{S}]?[\p{L}\p{M}]+"##
        + #"| ?[\p{P}\p{S}]+[\r\n]*"# + spaces

    private static let bloom = #" ?[^(\s|[.,!?…。，、।۔،])]+"#
    private static let bailing =
        #"'(?i:[sdmt]|ll|ve|re)|[^\r\n\p{L}\p{N}]?+\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]++[\r\n]*|\s*[\r\n]|\s+(?!\S)|\s+"#
    private static let seedCoder =
        contractions + #"|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1}| ?[^\s\p{L}\p{N}\r\n]+"# + spaces
}
