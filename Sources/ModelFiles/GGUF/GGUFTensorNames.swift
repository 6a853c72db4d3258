/// The names that the Hugging Face form of a model has for the tensors of a GGUF file: `blk.3.attn_q.weight` is
/// `model.layers.3.self_attn.q_proj.weight`.
package struct GGUFTensorNames: Sendable {
    private let layerNames: [String: String]

    /// - Parameter exceptions: parts of layers that a family names otherwise than most, by their names in GGUF; where these
    ///   have a suffix (`ffn_gate_inp.scale`), they are of that tensor alone, whose whole name the other is.
    package init(_ exceptions: [String: String] = [:]) {
        layerNames = Self.commonLayerNames.merging(exceptions) { $1 }
    }

    /// The name in the Hugging Face form; nil if that has none.
    func canonicalName(_ name: String) -> String? {
        let pieces = name.split(separator: ".", omittingEmptySubsequences: false)
        if pieces.count > 2, pieces[0] == "blk", let layer = Int(pieces[1]), layer >= 0 {
            return nameInLayer(pieces[2...]).map { "model.layers.\(layer).\($0)" }
        }
        guard pieces.count == 2, let part = Self.modelNames[String(pieces[0])] else { return nil }
        return isParameter(pieces[1]) ? "\(part).\(pieces[1])" : nil
    }

    private func nameInLayer(_ pieces: ArraySlice<Substring>) -> String? {
        // A few tensors are no module's weight or bias.
        if let own = layerNames[pieces.joined(separator: ".")] { return own }
        guard let suffix = pieces.last, isParameter(suffix) else { return nil }
        return layerNames[pieces.dropLast().joined(separator: ".")].map { "\($0).\(suffix)" }
    }

    private func isParameter(_ suffix: Substring) -> Bool { suffix == "weight" || suffix == "bias" }

    private static let modelNames = [
        "token_embd": "model.embed_tokens", "output_norm": "model.norm", "output": "lm_head",
        "token_embd_norm": "model.embedding_norm",
        "per_layer_token_embd": "model.embed_tokens_per_layer",
        "per_layer_model_proj": "model.per_layer_model_projection",
        "per_layer_proj_norm": "model.per_layer_projection_norm",
    ]

    private static let commonLayerNames = [
        "attn_norm": "input_layernorm",
        "attn_q": "self_attn.q_proj",
        "attn_k": "self_attn.k_proj",
        "attn_v": "self_attn.v_proj",
        "attn_qkv": "self_attn.qkv_proj",
        "attn_q_norm": "self_attn.q_norm",
        "attn_k_norm": "self_attn.k_norm",
        "attn_output": "self_attn.o_proj",
        "attn_sinks": "self_attn.sinks",
        "post_attention_norm": "post_attention_layernorm",
        "ffn_norm": "post_attention_layernorm",
        "post_ffw_norm": "post_feedforward_layernorm",
        "ffn_gate": "mlp.gate_proj",
        "ffn_up": "mlp.up_proj",
        "ffn_down": "mlp.down_proj",
        "ffn_gate_inp": "mlp.gate",
        "ffn_gate_shexp": "mlp.shared_expert.gate_proj",
        "ffn_up_shexp": "mlp.shared_expert.up_proj",
        "ffn_down_shexp": "mlp.shared_expert.down_proj",
        "ffn_gate_inp_shexp": "mlp.shared_expert_gate",
        // Stacks of all experts of a layer.
        "ffn_gate_exps": "mlp.experts.gate_proj",
        "ffn_up_exps": "mlp.experts.up_proj",
        "ffn_gate_up_exps": "mlp.experts.gate_up_proj",
        "ffn_down_exps": "mlp.experts.down_proj",
        // Of a draft head.
        "nextn.eh_proj": "eh_proj",
        "nextn.enorm": "enorm",
        "nextn.hnorm": "hnorm",
        "nextn.shared_head_norm": "shared_head.norm",
        "nextn.embed_tokens": "embed_tokens",
        "nextn.shared_head_head": "shared_head.head",
    ]
}

extension GGUFModel {
    /// Factors are few: one for each pair of dimensions of a head.
    private static let maxFactors = 32_768

    package func hasTensor(_ name: String) -> Bool { tensors.contains { $0.name == name } }

    /// The rows of the embedding, which may be more than there are tokens, or of another matrix.
    /// - Throws: `ModelError` if there is no such tensor, or it is no matrix.
    package func rows(of name: String = "token_embd.weight") throws(ModelError) -> Int {
        guard let tensor = tensors.first(where: { $0.name == name }), tensor.shape.count == 2 else {
            throw ModelError("\(path): tensor \(name): missing or not of two dimensions")
        }
        return tensor.shape[0]
    }

    /// The values of a float32 tensor of one dimension; nil if there is none of that name.
    /// - Throws: `ModelError` if it is of another type or shape.
    package func factors(_ name: String) throws(ModelError) -> [Double]? {
        guard let tensor = tensors.first(where: { $0.name == name }) else { return nil }
        guard tensor.type == .float32, tensor.shape.count == 1, tensor.shape[0] <= Self.maxFactors else {
            throw ModelError("\(tensor.label): F32 of one dimension, up to \(Self.maxFactors), is expected")
        }
        return (0..<tensor.shape[0]).map { index in
            Double(Float(bitPattern: tensor.bytes.bytes.loadUnaligned(fromByteOffset: 4 * index, as: UInt32.self)))
        }
    }

    /// The tensors by their names in the Hugging Face form; those that it has no name for are left out.
    func tensors(named names: GGUFTensorNames) throws(ModelError) -> [String: Tensor] {
        var result: [String: Tensor] = [:]
        for tensor in tensors {
            guard let name = names.canonicalName(tensor.name) else { continue }
            guard result.updateValue(tensor.named(name), forKey: name) == nil else {
                throw ModelError("\(tensor.label): occurs twice")
            }
        }
        return result
    }
}
