import FoundationEssentials

/// A GGUF file's metadata in the fields of `config.json`, so that one reader checks both.
struct GGUFConfiguration: Encodable {
    var model_type: String
    var hidden_size: Int
    var intermediate_size: Int
    var num_hidden_layers: Int
    var num_attention_heads: Int
    var num_key_value_heads: Int
    var head_dim: Int
    var rms_norm_eps: Double
    var max_position_embeddings: Int
    var vocab_size: Int
    var tie_word_embeddings: Bool
    var sliding_window: Nullable<Int>

    var rope_theta: Double
    var rope_local_base_freq: Double?
    var partial_rotary_factor: Double?
    var original_max_position_embeddings: Int?
    var rope_scaling: RopeScaling?

    var query_pre_attn_scalar: Double?
    var attn_logit_softcapping: Nullable<Double>?
    var final_logit_softcapping: Nullable<Double>?
    var hidden_activation: String?

    var num_experts: Int?
    var num_experts_per_tok: Int?
    var moe_intermediate_size: Int?
    var norm_topk_prob: Bool?

    struct RopeScaling: Encodable {
        var rope_type: String
        var factor: Double?
        var original_max_position_embeddings: Int?
        var attention_factor: Double?
        var beta_fast: Double?
        var beta_slow: Double?
        var short_factor: [Double]?
        var long_factor: [Double]?
    }

    /// A field that is written as `null` where it has no value: leaving it out would mean its default.
    struct Nullable<Value: Encodable>: Encodable {
        var value: Value?

        func encode(to encoder: any Encoder) throws {
            var container = encoder.singleValueContainer()
            if let value { try container.encode(value) } else { try container.encodeNil() }
        }
    }
}

extension GGUFConfiguration {
    init(_ file: GGUFModel) throws(ModelError) {
        let architecture = try file.architecture
        let keys = Keys(file: file, prefix: architecture.rawValue)
        let heads = try file.heads(architecture)
        model_type = architecture.modelType
        hidden_size = try keys.required("embedding_length", \.integer)
        num_hidden_layers = try keys.required("block_count", \.integer)
        num_attention_heads = heads.count
        num_key_value_heads = heads.kvCount
        head_dim = heads.size
        rms_norm_eps = try keys.required("attention.layer_norm_rms_epsilon", \.number)
        max_position_embeddings = try keys.required("context_length", \.integer)
        vocab_size = try file.vocabularySize()
        tie_word_embeddings = !file.tensors.contains { $0.name == "output.weight" }
        // Experts' files may leave it out, as every layer has experts.
        let expertSize = try keys.integer("expert_feed_forward_length")
        intermediate_size = try keys.optional("feed_forward_length", \.sameInteger) ?? expertSize ?? 0
        sliding_window = Nullable(value: nil)
        rope_theta = try keys.number("rope.freq_base") ?? 10_000
        try setRope(file, keys, headSize: heads.size)
        switch architecture {
        case .gemma2, .gemma3: try setGemma(keys, is3: architecture == .gemma3, heads: heads)
        case .qwen3moe:
            num_experts = try keys.required("expert_count", \.integer)
            num_experts_per_tok = try keys.required("expert_used_count", \.integer)
            moe_intermediate_size = expertSize
            // The file does not say; the published models have it so.
            norm_topk_prob = true
        case .phi3:
            // 0 stands for none.
            let window = try keys.integer("attention.sliding_window") ?? 0
            sliding_window = Nullable(value: window > 0 ? window : nil)
        case .llama, .qwen2, .qwen3: break
        }
        if architecture == .llama, let experts = try keys.integer("expert_count"), experts > 0 {
            throw ModelError(
                "\(file.path): metadata llama.expert_count: models with experts of this kind are not supported"
            )
        }
    }

    private mutating func setGemma(_ keys: Keys, is3: Bool, heads: GGUFModel.Heads) throws(ModelError) {
        let window = try keys.integer("attention.sliding_window") ?? (is3 ? 0 : 4096)
        sliding_window = Nullable(value: window > 0 ? window : nil)
        // The file does not say; the 27B models, known by their layers, are the exception among the published ones.
        let isLargest = num_hidden_layers == (is3 ? 62 : 46)
        query_pre_attn_scalar = isLargest ? Double(hidden_size / heads.count) : Double(heads.size)
        hidden_activation = "gelu_pytorch_tanh"
        if is3 {
            rope_local_base_freq = try keys.number("rope.freq_base_swa") ?? 10_000
            final_logit_softcapping = Nullable(value: try keys.number("final_logit_softcapping"))
        } else {
            attn_logit_softcapping = Nullable(value: try keys.number("attn_logit_softcapping") ?? 50)
            final_logit_softcapping = Nullable(value: try keys.number("final_logit_softcapping") ?? 30)
        }
    }

    private mutating func setRope(_ file: GGUFModel, _ keys: Keys, headSize: Int) throws(ModelError) {
        if let dimensions = try keys.integer("rope.dimension_count"), dimensions > 0, dimensions < headSize {
            partial_rotary_factor = Double(dimensions) / Double(headSize)
        }
        let originalLength = try keys.integer("rope.scaling.original_context_length")
        // Llama 3.1 has the outcome of its scaling rule, a factor for each frequency, in place of the rule.
        if let factors = try file.numbers(ofTensor: "rope_freqs.weight") {
            rope_scaling = RopeScaling(
                rope_type: "longrope",
                original_max_position_embeddings: max_position_embeddings,
                attention_factor: 1,
                short_factor: factors,
                long_factor: factors
            )
            return
        }
        if let short = try file.numbers(ofTensor: "rope_factors_short.weight"),
            let long = try file.numbers(ofTensor: "rope_factors_long.weight")
        {
            original_max_position_embeddings = originalLength
            rope_scaling = RopeScaling(
                rope_type: "longrope",
                original_max_position_embeddings: originalLength,
                attention_factor: try keys.number("rope.scaling.attn_factor"),
                short_factor: short,
                long_factor: long
            )
            return
        }
        switch try keys.text("rope.scaling.type") ?? "none" {
        case "none", "longrope": break
        case "linear":
            rope_scaling = RopeScaling(rope_type: "linear", factor: try keys.required("rope.scaling.factor", \.number))
        case "yarn":
            rope_scaling = RopeScaling(
                rope_type: "yarn",
                factor: try keys.required("rope.scaling.factor", \.number),
                original_max_position_embeddings: originalLength,
                attention_factor: try keys.number("rope.scaling.yarn_attn_factor"),
                beta_fast: try keys.number("rope.scaling.yarn_beta_fast"),
                beta_slow: try keys.number("rope.scaling.yarn_beta_slow")
            )
        case let kind:
            throw ModelError("\(file.path): metadata \(keys.prefix).rope.scaling.type: \"\(kind)\" is not supported")
        }
    }

    /// Values under the name of the architecture.
    private struct Keys {
        let file: GGUFModel
        let prefix: String

        func required<Value>(_ key: String, _ read: (GGUFValue) -> Value?) throws(ModelError) -> Value {
            try file.value("\(prefix).\(key)", "a value of another kind", read)
        }

        func optional<Value>(_ key: String, _ read: (GGUFValue) -> Value?) throws(ModelError) -> Value? {
            try file.optional("\(prefix).\(key)", "a value of another kind", read)
        }

        func integer(_ key: String) throws(ModelError) -> Int? { try file.integer("\(prefix).\(key)") }
        func number(_ key: String) throws(ModelError) -> Double? { try file.number("\(prefix).\(key)") }
        func text(_ key: String) throws(ModelError) -> String? { try file.text("\(prefix).\(key)") }
    }
}

extension GGUFModel {
    /// Factors are few: one for each pair of dimensions of a head.
    private static let maxFactors = 32_768

    /// The rows of the embedding, which may be more than there are tokens.
    fileprivate func vocabularySize() throws(ModelError) -> Int {
        guard let tensor = tensors.first(where: { $0.name == "token_embd.weight" }), tensor.shape.count == 2 else {
            throw ModelError("\(path): tensor token_embd.weight: missing or not of two dimensions")
        }
        return tensor.shape[0]
    }

    /// The values of a float32 tensor of one dimension, if it is there.
    fileprivate func numbers(ofTensor name: String) throws(ModelError) -> [Double]? {
        guard let tensor = tensors.first(where: { $0.name == name }) else { return nil }
        guard tensor.type == .float32, tensor.shape.count == 1, tensor.shape[0] <= Self.maxFactors else {
            throw ModelError("\(tensor.label): F32 of one dimension, up to \(Self.maxFactors), is expected")
        }
        return (0..<tensor.shape[0]).map { index in
            Double(Float(bitPattern: tensor.bytes.bytes.loadUnaligned(fromByteOffset: 4 * index, as: UInt32.self)))
        }
    }
}
