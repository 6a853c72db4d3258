/// What `config.json` and `generation_config.json` say about a model, checked for range.
package struct ModelConfiguration: Sendable, Equatable {
    package var modelType: String
    package var hiddenSize: Int
    package var intermediateSize: Int
    package var layerCount: Int
    package var headCount: Int
    package var kvHeadCount: Int
    package var headSize: Int
    package var normEpsilon: Float
    package var contextLength: Int
    package var vocabularySize: Int
    package var tiesEmbeddings: Bool
    package var activation: Activation
    /// Whether q, k, v and output have biases; nil leaves it to the tensors.
    package var attentionBias: Bool?
    /// Whether gate, up and down have biases; nil leaves it to the tensors.
    package var mlpBias: Bool?

    package var rope: RotaryParameters
    /// Those of layers with a window, where they differ.
    package var localRope: RotaryParameters?
    /// A token sees this many positions, itself included, in layers with a window; nil: no layer has one.
    package var slidingWindow: Int?
    /// Which layers have a window, one element for each; nil: by the rule of the architecture.
    package var windowedLayers: [Bool]?
    /// Every so many layers one is without a window, where the architecture has such a rule.
    package var slidingWindowPattern: Int?
    /// So many layers, the first ones, are without a window, where the architecture has such a rule.
    package var maxWindowLayers: Int?

    /// q · k is divided by the root of this; nil: of the head's size.
    package var attentionScalar: Float?
    /// Scores s become cap × tanh(s / cap); nil: they stay.
    package var attentionSoftCap: Float?
    /// The same for logits.
    package var logitSoftCap: Float?

    package var experts: Experts?
    /// The tokens that end an answer.
    package var eosTokens: Set<Int>
    /// How answers are to be sampled.
    package var generation = GenerationConfiguration()
    package var quantization: Quantization?
    /// Exceptions by the path of a layer; nil is "not quantised".
    package var quantizationOverrides: [String: Quantization?]

    /// What the gate of a feed-forward layer goes through.
    package enum Activation: String, Sendable {
        case silu
        /// GELU in its approximation by tanh.
        case geluTanh
    }

    /// The mixture of experts in place of feed-forward layers.
    package struct Experts: Sendable, Equatable {
        package var count: Int
        /// Experts that each token goes to.
        package var chosenCount: Int
        package var intermediateSize: Int
        /// Whether the weights of the chosen are made to sum to 1.
        package var normalizesWeights: Bool
        /// Layers that have one feed-forward network as usual.
        package var denseLayers: Set<Int>

        package init(
            count: Int,
            chosenCount: Int,
            intermediateSize: Int,
            normalizesWeights: Bool,
            denseLayers: Set<Int>
        ) {
            self.count = count
            self.chosenCount = chosenCount
            self.intermediateSize = intermediateSize
            self.normalizesWeights = normalizesWeights
            self.denseLayers = denseLayers
        }
    }

    /// MLX affine quantisation: groups of columns with a scale and a bias.
    package struct Quantization: Sendable, Equatable {
        package var bits: Int
        package var groupSize: Int

        package init(bits: Int, groupSize: Int) {
            self.bits = bits
            self.groupSize = groupSize
        }
    }

    /// How the matrix at `path` is quantised, if its tensors are.
    package func quantization(of path: String) -> Quantization? {
        if let override = quantizationOverrides[path] { return override }
        return quantization
    }

    /// Reads the two files of `source`.
    package init(source: ModelSource) throws(ModelError) {
        let label = source.label("config.json")
        let file = try decodeJSON(ConfigurationFile.self, from: source.requiredFile("config.json"), label: label)
        try self.init(file.fields, label: label)
        var fields: GenerationFields?
        if let file = try source.file("generation_config.json") {
            let label = source.label("generation_config.json")
            fields = try decodeJSON(GenerationFields.self, from: file, label: label)
            eosTokens.formUnion(fields?.eos_token_id?.values ?? [])
        }
        generation = GenerationConfiguration(source: source, fields: fields)
    }

    private init(_ fields: ConfigurationFields, label: String) throws(ModelError) {
        let check = RangeCheck(label: label)
        guard let type = fields.model_type else { throw ModelError("\(label): \"model_type\" is missing") }
        let defaults = ConfigurationDefaults(modelType: type)
        modelType = type
        hiddenSize = try check.required("hidden_size", fields.hidden_size ?? defaults.hiddenSize, 1...(1 << 20))
        intermediateSize = try check.required(
            "intermediate_size",
            fields.intermediate_size ?? defaults.intermediateSize,
            1...(1 << 22)
        )
        layerCount = try check.required("num_hidden_layers", fields.num_hidden_layers ?? defaults.layerCount, 1...4096)
        (headCount, kvHeadCount, headSize) = try fields.heads(hiddenSize: hiddenSize, defaults, check)
        normEpsilon = Float(try check("rms_norm_eps", fields.rms_norm_eps ?? defaults.normEpsilon, 1e-12...1))
        contextLength = try check.required(
            "max_position_embeddings",
            fields.max_position_embeddings ?? defaults.contextLength,
            1...(1 << 24)
        )
        vocabularySize = try check.required("vocab_size", fields.vocab_size ?? defaults.vocabularySize, 1...(1 << 24))
        tiesEmbeddings = fields.tie_word_embeddings ?? defaults.tiesEmbeddings
        activation = try fields.activation(defaults, check)
        (attentionBias, mlpBias) = (fields.attention_bias, fields.mlp_bias)
        (rope, localRope) = try fields.rope(headSize: headSize, contextLength: contextLength, defaults, check)
        slidingWindow = try fields.window(defaults, check)
        windowedLayers = try fields.windowedLayers(layerCount: layerCount, check)
        slidingWindowPattern = try (fields.sliding_window_pattern ?? defaults.slidingWindowPattern).map {
            value throws(ModelError) in try check("sliding_window_pattern", value, 1...4096)
        }
        maxWindowLayers = try (fields.max_window_layers ?? defaults.maxWindowLayers).map {
            value throws(ModelError) in try check("max_window_layers", value, 0...4096)
        }
        attentionScalar = try check.positive(
            "query_pre_attn_scalar",
            fields.query_pre_attn_scalar ?? defaults.attentionScalar
        )
        attentionSoftCap = try check.positive(
            "attn_logit_softcapping",
            fields.attn_logit_softcapping.value(default: defaults.attentionSoftCap)
        )
        logitSoftCap = try check.positive(
            "final_logit_softcapping",
            fields.final_logit_softcapping.value(default: defaults.logitSoftCap)
        )
        experts = try fields.experts(layerCount: layerCount, check)
        eosTokens = Set(fields.eos_token_id?.values ?? [])
        (quantization, quantizationOverrides) = try fields.quantizationFields(label: label).checked(label: label)
    }
}

/// One value of the `quantization` object: a field, or the exception for one layer.
enum QuantizationField: Decodable {
    case number(Int)
    case text(String)
    case flag(Bool)
    case layer(bits: Int?, groupSize: Int?, mode: String?)
    /// Something of another tool.
    case other

    private struct Layer: Decodable {
        var bits: Int?
        var group_size: Int?
        var mode: String?
    }

    init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        if let flag = try? container.decode(Bool.self) {
            self = .flag(flag)
        } else if let number = try? container.decode(Int.self) {
            self = .number(number)
        } else if let text = try? container.decode(String.self) {
            self = .text(text)
        } else if let layer = try? container.decode(Layer.self) {
            self = .layer(bits: layer.bits, groupSize: layer.group_size, mode: layer.mode)
        } else {
            self = .other
        }
    }
}

extension [String: QuantizationField] {
    fileprivate typealias Quantization = ModelConfiguration.Quantization

    fileprivate func checked(label: String) throws(ModelError) -> (Quantization?, [String: Quantization?]) {
        if isEmpty { return (nil, [:]) }
        guard case .number(let bits)? = self["bits"], case .number(let groupSize)? = self["group_size"] else {
            throw ModelError("\(label): quantization: bits and group_size are expected")
        }
        var mode = "affine"
        if case .text(let text)? = self["mode"] { mode = text }
        let common = try Self.quantization(bits: bits, groupSize: groupSize, mode: mode, label: label)
        var overrides: [String: Quantization?] = [:]
        for (path, field) in self {
            switch field {
            case .flag(false): overrides[path] = .some(nil)
            case .layer(let layerBits, let layerGroup, let layerMode):
                overrides[path] = try Self.quantization(
                    bits: layerBits ?? bits,
                    groupSize: layerGroup ?? groupSize,
                    mode: layerMode ?? mode,
                    label: label
                )
            case .flag(true), .number, .text, .other: break
            }
        }
        return (common, overrides)
    }

    private static func quantization(
        bits: Int,
        groupSize: Int,
        mode: String,
        label: String
    ) throws(ModelError) -> Quantization {
        guard mode == "affine", [2, 3, 4, 5, 6, 8].contains(bits), [32, 64, 128].contains(groupSize) else {
            throw ModelError(
                "\(label): quantization \"\(mode)\" of \(bits) bits in groups of \(groupSize) is not supported; "
                    + "\"affine\" of 2, 3, 4, 5, 6 or 8 bits in groups of 32, 64 or 128 is"
            )
        }
        return Quantization(bits: bits, groupSize: groupSize)
    }
}
