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
        model.layers = try feedForwards(fields, experts(fields)).map {
            LayerDescription(mixer: .attention(attention), feedForward: $0)
        }
        return model
    }

    // MARK: What Qwen 3 Next has too

    /// The feed-forward network of each layer.
    static func feedForwards(
        _ fields: ModelFields,
        _ experts: ExpertsDescription?
    ) throws(ModelError) -> [FeedForwardKind] {
        let step = try fields.int("decoder_sparse_step", 1...4096, default: 1)
        let denseLayers = Set(try fields.list("mlp_only_layers", of: Int.self) ?? [])
        let count = try fields.layerCount()
        func hasExperts(_ index: Int) -> Bool {
            experts != nil && (index + 1) % step == 0 && !denseLayers.contains(index)
        }
        // Files may leave the dense width out where each layer has experts.
        let needsDense = !(0..<count).allSatisfy(hasExperts)
        let dense = try fields.dense(size: needsDense && !fields.isGGUF ? nil : experts?.expert.size)
        return (0..<count).map { index in
            if let experts, hasExperts(index) { .experts(experts) } else { .dense(dense) }
        }
    }

    /// - Returns: nil if there are none.
    /// - Parameter isNormalizedByDefault: what `norm_topk_prob` is where config.json leaves it out.
    static func experts(
        _ fields: ModelFields,
        isNormalizedByDefault: Bool = false
    ) throws(ModelError) -> ExpertsDescription? {
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
            normalizesWeights: try fields.optionalBool("norm_topk_prob") ?? (fields.isGGUF || isNormalizedByDefault),
            expert: DenseDescription(
                size: try fields.int("moe_intermediate_size", gguf: "expert_feed_forward_length", sizes),
                activation: try fields.activation("hidden_act", default: "silu")
            )
        )
    }
}
