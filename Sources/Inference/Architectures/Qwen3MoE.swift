import ModelFiles

/// Qwen 3 with a mixture of experts (arXiv 2505.09388): as Qwen 3, but most layers have many small feed-forward networks
/// of which a router chooses a few for each token. A window, if one is switched on, holds in every layer.
enum Qwen3MoE: ModelFamily {
    static let names = FamilyNames(huggingFace: ["qwen3_moe"], gguf: "qwen3moe")

    static func describe(_ fields: ModelFields) throws(ModelError) -> TransformerDescription {
        var model = try TransformerDescription(fields)
        model.rotary = [try fields.rotary(of: model)]
        var attention = try Qwen3.attention(fields, model)
        attention.window = try Qwen2.window(fields)
        let experts = try experts(fields)
        // A GGUF file may leave it out, as each of its layers has experts.
        let dense = try fields.dense(size: fields.isGGUF ? experts?.expert.size : nil)
        let step = try fields.int("decoder_sparse_step", 1...4096, default: 1)
        let denseLayers = Set(try fields.list("mlp_only_layers", of: Int.self) ?? [])
        for index in 0..<(try fields.layerCount()) {
            var layer = LayerDescription(mixer: .attention(attention), feedForward: .dense(dense))
            if let experts, (index + 1) % step == 0, !denseLayers.contains(index) {
                layer.feedForward = .experts(experts)
            }
            model.layers.append(layer)
        }
        return model
    }

    /// - Returns: nil if there are none.
    private static func experts(_ fields: ModelFields) throws(ModelError) -> ExpertsDescription? {
        let counts = 0...65_536
        // As transformers 5 writes it, then as older ones do.
        let local = try fields.optionalInt("num_local_experts", counts)
        let none = fields.isGGUF ? nil : 0
        let count = try fields.int("num_experts", gguf: "expert_count", counts, default: local ?? none)
        guard count > 0 else { return nil }
        let sizes = 1...(1 << 22)
        return ExpertsDescription(
            count: count,
            chosenCount: try fields.int("num_experts_per_tok", gguf: "expert_used_count", 1...count),
            // A GGUF file does not say; the published models have it so.
            normalizesWeights: try fields.optionalBool("norm_topk_prob") ?? fields.isGGUF,
            expert: DenseDescription(
                size: try fields.int("moe_intermediate_size", gguf: "expert_feed_forward_length", sizes),
                activation: try fields.activation("hidden_act", default: "silu")
            )
        )
    }
}
