/// `config.json` as it is written; fields of no interest are left out.
struct ConfigurationFields: Decodable {
    var model_type: String?
    var hidden_size: Int?
    var intermediate_size: Int?
    var num_hidden_layers: Int?
    var num_attention_heads: Int?
    var num_key_value_heads: Int?
    var head_dim: Int?
    var vocab_size: Int?
    var max_position_embeddings: Int?
    var rms_norm_eps: Double?
    var tie_word_embeddings: Bool?
    var hidden_act: String?
    var hidden_activation: String?
    var attention_bias: Bool?
    var mlp_bias: Bool?
    var eos_token_id: OneOrMany?

    var rope_theta: Double?
    var rope_local_base_freq: Double?
    var rope_scaling: RopeFields?
    /// What newer files have in place of the three.
    var rope_parameters: NestedRopeFields?
    var partial_rotary_factor: Double?
    var original_max_position_embeddings: Int?

    var sliding_window: Setting<Int>
    var use_sliding_window: Bool?
    var max_window_layers: Int?
    var sliding_window_pattern: Int?
    var layer_types: [String]?
    var use_bidirectional_attention: Bool?

    var query_pre_attn_scalar: Double?
    var attn_logit_softcapping: Setting<Double>
    var final_logit_softcapping: Setting<Double>

    var num_experts: Int?
    /// The same, as transformers 5 writes it.
    var num_local_experts: Int?
    var num_experts_per_tok: Int?
    var moe_intermediate_size: Int?
    var norm_topk_prob: Bool?
    var decoder_sparse_step: Int?
    var mlp_only_layers: [Int]?

    var quantization: [String: QuantizationField]?
    /// The same again in MLX folders; in others, what some other tool has done.
    var quantization_config: [String: QuantizationField]?
}

/// The top level of `config.json`. Models of several parts have the fields of the language model in `text_config`.
struct ConfigurationFile: Decodable {
    let fields: ConfigurationFields

    private enum Key: CodingKey { case text_config }

    init(from decoder: any Decoder) throws {
        let outer = try ConfigurationFields(from: decoder)
        let container = try decoder.container(keyedBy: Key.self)
        guard var inner = try container.decodeIfPresent(ConfigurationFields.self, forKey: .text_config) else {
            fields = outer
            return
        }
        inner.model_type = outer.model_type
        inner.quantization = outer.quantization ?? inner.quantization
        inner.quantization_config = outer.quantization_config ?? inner.quantization_config
        inner.eos_token_id = outer.eos_token_id ?? inner.eos_token_id
        inner.vocab_size = inner.vocab_size ?? outer.vocab_size
        inner.tie_word_embeddings = inner.tie_word_embeddings ?? outer.tie_word_embeddings
        fields = inner
    }
}

/// A field for which leaving it out and writing `null` mean different things.
enum Setting<Value: Decodable & Sendable>: Sendable {
    case absent
    case null
    case value(Value)

    func value(default fallback: Value?) -> Value? {
        switch self {
        case .absent: fallback
        case .null: nil
        case .value(let value): value
        }
    }
}

extension KeyedDecodingContainer {
    /// Chosen by the compiler for fields of type `Setting`.
    func decode<Value>(_: Setting<Value>.Type, forKey key: Key) throws -> Setting<Value> {
        guard contains(key) else { return .absent }
        return try decodeNil(forKey: key) ? .null : .value(decode(Value.self, forKey: key))
    }
}

extension Setting: Decodable {
    init(from decoder: any Decoder) throws {
        self = .value(try Value(from: decoder))
    }
}

/// Rotary parameters of all layers, or those of layers with and without a window by themselves.
struct NestedRopeFields: Decodable {
    let all: RopeFields
    let full: RopeFields?
    let sliding: RopeFields?

    private enum Key: CodingKey { case full_attention, sliding_attention }

    init(from decoder: any Decoder) throws {
        all = try RopeFields(from: decoder)
        let container = try decoder.container(keyedBy: Key.self)
        full = try container.decodeIfPresent(RopeFields.self, forKey: .full_attention)
        sliding = try container.decodeIfPresent(RopeFields.self, forKey: .sliding_attention)
    }
}

/// A number or a list of numbers.
struct OneOrMany: Decodable {
    let values: [Int]

    init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        if let one = try? container.decode(Int.self) {
            values = [one]
        } else {
            values = try container.decode([Int].self)
        }
    }
}

/// What the reference implementation takes for fields that `config.json` leaves out, by the kind of model.
struct ConfigurationDefaults {
    var hiddenSize: Int?
    var intermediateSize: Int?
    var layerCount: Int?
    var headCount: Int?
    var kvHeadCount: Int?
    var headSize: Int?
    var vocabularySize: Int?
    var contextLength: Int?
    var normEpsilon = 1e-6
    var ropeBase = 10_000.0
    var originalLength: Int?
    var tiesEmbeddings = false
    var activation = "silu"
    var slidingWindow: Int?
    var usesSlidingWindow = true
    var slidingWindowPattern: Int?
    var maxWindowLayers: Int?
    var attentionScalar: Double?
    var attentionSoftCap: Double?
    var logitSoftCap: Double?

    init(modelType: String) {
        switch modelType {
        case "phi3": (normEpsilon, originalLength) = (1e-5, 4096)
        case "mistral": slidingWindow = 4096
        case "qwen2", "qwen3_moe": (usesSlidingWindow, maxWindowLayers) = (false, 28)
        case "qwen3": (usesSlidingWindow, maxWindowLayers, headSize) = (false, 28, 128)
        case "gemma2":
            setGemma()
            (attentionSoftCap, logitSoftCap, slidingWindowPattern) = (50, 30, 2)
        case "gemma3", "gemma3_text":
            setGemma()
            (hiddenSize, intermediateSize, layerCount) = (2304, 9216, 26)
            (headCount, kvHeadCount, vocabularySize, contextLength) = (8, 4, 262_208, 131_072)
            (ropeBase, slidingWindowPattern) = (1e6, 6)
        default: break
        }
    }

    private mutating func setGemma() {
        (headSize, attentionScalar, slidingWindow) = (256, 256, 4096)
        (tiesEmbeddings, activation) = (true, "gelu_pytorch_tanh")
    }
}
