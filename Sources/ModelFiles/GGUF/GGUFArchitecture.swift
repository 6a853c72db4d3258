/// The kinds of models in GGUF files that have a counterpart in the Hugging Face form, by `general.architecture`.
enum GGUFArchitecture: String, CaseIterable {
    case llama, phi3, qwen2, qwen3, qwen3moe, gemma2, gemma3

    /// `model_type` of config.json.
    var modelType: String {
        switch self {
        case .llama, .phi3, .qwen2, .qwen3, .gemma2: rawValue
        case .qwen3moe: "qwen3_moe"
        case .gemma3: "gemma3_text"
        }
    }

    var isGemma: Bool { self == .gemma2 || self == .gemma3 }

    /// The name that the Hugging Face form has for a tensor, or nil if it has none: `blk.3.attn_q.weight` is
    /// `model.layers.3.self_attn.q_proj.weight`.
    func canonicalName(_ name: String) -> String? {
        let pieces = name.split(separator: ".", omittingEmptySubsequences: false)
        guard let suffix = pieces.last, suffix == "weight" || suffix == "bias" else { return nil }
        if pieces.count == 2 {
            return Self.modelNames[String(pieces[0])].map { "\($0).\(suffix)" }
        }
        guard pieces.count == 4, pieces[0] == "blk", let layer = Int(pieces[1]), layer >= 0 else { return nil }
        return layerName(String(pieces[2])).map { "model.layers.\(layer).\($0).\(suffix)" }
    }

    private static let modelNames = [
        "token_embd": "model.embed_tokens", "output_norm": "model.norm", "output": "lm_head",
    ]

    private func layerName(_ name: String) -> String? {
        switch (self, name) {
        case (.phi3, "ffn_up"): "mlp.gate_up_proj"
        case (.gemma2, "ffn_norm"), (.gemma3, "ffn_norm"): "pre_feedforward_layernorm"
        default: Self.layerNames[name]
        }
    }

    private static let layerNames = [
        "attn_norm": "input_layernorm",
        "attn_q": "self_attn.q_proj",
        "attn_k": "self_attn.k_proj",
        "attn_v": "self_attn.v_proj",
        "attn_qkv": "self_attn.qkv_proj",
        "attn_q_norm": "self_attn.q_norm",
        "attn_k_norm": "self_attn.k_norm",
        "attn_output": "self_attn.o_proj",
        "post_attention_norm": "post_attention_layernorm",
        "ffn_norm": "post_attention_layernorm",
        "post_ffw_norm": "post_feedforward_layernorm",
        "ffn_gate": "mlp.gate_proj",
        "ffn_up": "mlp.up_proj",
        "ffn_down": "mlp.down_proj",
        "ffn_gate_inp": "mlp.gate",
        // Stacks of all experts of a layer.
        "ffn_gate_exps": "mlp.experts.gate_proj",
        "ffn_up_exps": "mlp.experts.up_proj",
        "ffn_gate_up_exps": "mlp.experts.gate_up_proj",
        "ffn_down_exps": "mlp.experts.down_proj",
    ]

    /// What must be done to the tensor of this canonical name.
    func adjustment(_ name: String, heads: GGUFModel.Heads) -> Tensor.Adjustment {
        if isGemma, name.hasSuffix("norm.weight") { return .subtractOne }
        guard self == .llama else { return .none }
        switch name.split(separator: ".").dropLast().last {
        case "q_proj": return .separateHalves(heads: heads.count, headSize: heads.size)
        case "k_proj": return .separateHalves(heads: heads.kvCount, headSize: heads.size)
        case "qkv_proj": return .separateHalves(heads: heads.count + heads.kvCount, headSize: heads.size)
        default: return .none
        }
    }
}

extension GGUFModel {
    /// The heads of attention.
    struct Heads {
        var count: Int
        var kvCount: Int
        var size: Int
    }

    var architecture: GGUFArchitecture {
        get throws(ModelError) {
            let name = try value("general.architecture", "a text", \.text)
            guard let architecture = GGUFArchitecture(rawValue: name) else {
                throw ModelError(
                    "\(path): metadata general.architecture: \"\(name)\" is not supported; "
                        + GGUFArchitecture.allCases.map { "\"\($0.rawValue)\"" }.joined(separator: ", ") + " are"
                )
            }
            return architecture
        }
    }

    /// The heads as the metadata has them, within bounds that no model reaches.
    func heads(_ architecture: GGUFArchitecture) throws(ModelError) -> Heads {
        let prefix = architecture.rawValue
        func bounded(_ key: String, _ value: Int, _ range: ClosedRange<Int>) throws(ModelError) -> Int {
            guard range.contains(value) else {
                throw ModelError(
                    "\(path): metadata \(key): is \(value); \(range.lowerBound) to \(range.upperBound) is expected"
                )
            }
            return value
        }
        let countKey = "\(prefix).attention.head_count"
        let count = try bounded(countKey, value(countKey, "a whole number", \.sameInteger), 1...65_536)
        let kvKey = "\(prefix).attention.head_count_kv"
        let kvCount = try optional(kvKey, "a whole number, the same in all layers", \.sameInteger) ?? count
        let widthKey = "\(prefix).embedding_length"
        let width = try bounded(widthKey, value(widthKey, "a whole number", \.integer), 1...(1 << 20))
        let sizeKey = "\(prefix).attention.key_length"
        let size = try integer(sizeKey) ?? width / count
        if let valueSize = try integer("\(prefix).attention.value_length"), valueSize != size {
            throw ModelError("\(path): metadata \(prefix).attention.value_length: \(size), as for keys, is expected")
        }
        return Heads(
            count: count,
            kvCount: try bounded(kvKey, kvCount, 1...count),
            size: try bounded(sizeKey, size, 1...65_536)
        )
    }

    /// The tensors by the names of the Hugging Face form; what has no such name is left out.
    func namedTensors() throws(ModelError) -> [String: Tensor] {
        let architecture = try architecture
        let heads = try heads(architecture)
        var result: [String: Tensor] = [:]
        for tensor in tensors {
            guard let name = architecture.canonicalName(tensor.name) else { continue }
            let adjustment = architecture.adjustment(name, heads: heads)
            guard result.updateValue(tensor.named(name, adjustment: adjustment), forKey: name) == nil else {
                throw ModelError("\(tensor.label): occurs twice")
            }
        }
        return result
    }
}

extension GGUFValue {
    /// A whole number, also if it is given for each layer and is the same in all.
    var sameInteger: Int? {
        if let integer { return integer }
        guard let all = integers, let first = all.first, all.allSatisfy({ $0 == first }) else { return nil }
        return first
    }
}
