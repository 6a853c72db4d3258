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
    package var ropeBase: Double
    package var contextLength: Int
    package var vocabularySize: Int
    package var tiesEmbeddings: Bool
    /// A token sees this many positions, itself included; nil is all.
    package var slidingWindow: Int?
    /// The tokens that end an answer.
    package var eosTokens: Set<Int>
    package var quantization: Quantization?
    /// Exceptions by the path of a layer; nil is "not quantised".
    package var quantizationOverrides: [String: Quantization?]

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
        let fields = try decodeJSON(Fields.self, from: source.requiredFile("config.json"), label: label)
        try self.init(fields, label: label)
        if let file = try source.file("generation_config.json") {
            let label = source.label("generation_config.json")
            let generation = try decodeJSON(GenerationFields.self, from: file, label: label)
            eosTokens.formUnion(generation.eos_token_id?.values ?? [])
        }
    }

    private init(_ fields: Fields, label: String) throws(ModelError) {
        let check = RangeCheck(label: label)
        modelType = fields.model_type
        hiddenSize = try check("hidden_size", fields.hidden_size, 1...(1 << 20))
        intermediateSize = try check("intermediate_size", fields.intermediate_size, 1...(1 << 22))
        layerCount = try check("num_hidden_layers", fields.num_hidden_layers, 1...4096)
        headCount = try check("num_attention_heads", fields.num_attention_heads, 1...65536)
        kvHeadCount = try check("num_key_value_heads", fields.num_key_value_heads ?? headCount, 1...headCount)
        guard headCount % kvHeadCount == 0 else {
            throw ModelError(
                "\(label): num_key_value_heads is \(kvHeadCount); a divisor of num_attention_heads, \(headCount), "
                    + "is expected"
            )
        }
        if fields.head_dim == nil, hiddenSize % headCount != 0 {
            throw ModelError("\(label): hidden_size is \(hiddenSize); a multiple of \(headCount) heads is expected")
        }
        headSize = try check("head_dim", fields.head_dim ?? hiddenSize / headCount, 1...65536)
        normEpsilon = Float(try check("rms_norm_eps", fields.rms_norm_eps ?? 1e-5, 1e-12...1))
        ropeBase = try check("rope_theta", fields.rope_parameters?.rope_theta ?? fields.rope_theta ?? 10000, 1...1e12)
        contextLength = try check("max_position_embeddings", fields.max_position_embeddings, 1...(1 << 24))
        vocabularySize = try check("vocab_size", fields.vocab_size, 1...(1 << 24))
        tiesEmbeddings = fields.tie_word_embeddings ?? false
        slidingWindow = nil
        if let window = fields.sliding_window {
            slidingWindow = try check("sliding_window", window, 1...(1 << 30))
        }
        eosTokens = Set(fields.eos_token_id?.values ?? [])
        (quantization, quantizationOverrides) = try fields.quantizationFields(label: label).checked(label: label)
        try fields.refuseUnsupported(label: label)
    }
}

/// Refuses values that no model has, so that later arithmetic cannot overflow.
private struct RangeCheck {
    let label: String

    func callAsFunction<Value: Comparable>(
        _ name: String,
        _ value: Value,
        _ range: ClosedRange<Value>
    ) throws(ModelError) -> Value {
        guard range.contains(value) else {
            throw ModelError(
                "\(label): \(name) is \(value); \(range.lowerBound) to \(range.upperBound) is expected"
            )
        }
        return value
    }
}

/// `config.json` as it is written; fields of no interest are left out.
private struct Fields: Decodable {
    var model_type: String
    var hidden_size: Int
    var intermediate_size: Int
    var num_hidden_layers: Int
    var num_attention_heads: Int
    var num_key_value_heads: Int?
    var head_dim: Int?
    var rms_norm_eps: Double?
    var rope_theta: Double?
    var rope_scaling: RopeFields?
    /// What newer files have in place of the two.
    var rope_parameters: RopeFields?
    var partial_rotary_factor: Double?
    var max_position_embeddings: Int
    var vocab_size: Int
    var tie_word_embeddings: Bool?
    var sliding_window: Int?
    var hidden_act: String?
    var eos_token_id: OneOrMany?
    var quantization: [String: QuantizationField]?
    /// The same again in MLX folders; in others, what some other tool has done.
    var quantization_config: [String: QuantizationField]?

    func refuseUnsupported(label: String) throws(ModelError) {
        for (name, rope) in [("rope_scaling", rope_scaling), ("rope_parameters", rope_parameters)] {
            if let kind = rope?.kind, kind != "default" {
                throw ModelError(
                    "\(label): \(name) of type \"\(kind)\" is not supported yet; only null or \"default\" is"
                )
            }
        }
        let rotary = rope_parameters?.partial_rotary_factor ?? partial_rotary_factor ?? 1
        guard rotary == 1 else {
            throw ModelError("\(label): partial_rotary_factor \(rotary) is not supported yet; only 1 is")
        }
        if let hidden_act, hidden_act != "silu", hidden_act != "swish" {
            throw ModelError("\(label): hidden_act \"\(hidden_act)\" is not supported; \"silu\" is")
        }
    }
}

extension Fields {
    fileprivate func quantizationFields(label: String) throws(ModelError) -> [String: QuantizationField] {
        if let quantization { return quantization }
        guard let fields = quantization_config else { return [:] }
        if case .text(let method)? = fields["quant_method"] {
            throw ModelError(
                "\(label): quantization_config: quant_method \"\(method)\" is not supported; folders in MLX form, GGUF "
                    + "files and weights that are not quantised are"
            )
        }
        return fields
    }
}

private struct GenerationFields: Decodable {
    var eos_token_id: OneOrMany?
}

private struct RopeFields: Decodable {
    var type: String?
    var rope_type: String?
    var rope_theta: Double?
    var partial_rotary_factor: Double?

    var kind: String? { rope_type ?? type }
}

/// A number or a list of numbers.
private struct OneOrMany: Decodable {
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

/// One value of the `quantization` object: a field, or the exception for one layer.
private enum QuantizationField: Decodable {
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
