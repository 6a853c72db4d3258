import ModelFiles

/// GLM-4.5, 4.6 and 4.7 (arXiv 2508.06471): biases on q, k and v, in some models norms on each head of q and k, and half
/// of each head is rotated. All layers but the first few have experts, chosen by scores of their own and a correction, and
/// one network besides for all tokens. Layers that predict further tokens are not used.
enum Glm4MoE: ModelFamily {
    static let names = FamilyNames(
        huggingFace: ["glm4_moe"],
        gguf: "glm4moe",
        ggufTensors: [
            "exp_probs_b": "mlp.gate.e_score_correction", "ffn_gate_shexp": "mlp.shared_experts.gate_proj",
            "ffn_up_shexp": "mlp.shared_experts.up_proj", "ffn_down_shexp": "mlp.shared_experts.down_proj",
        ]
    )

    static func describe(_ fields: ModelFields) throws(ModelError) -> TransformerDescription {
        var model = try TransformerDescription(fields, .init(kvHeadCount: 8, normEpsilon: 1e-5))
        model.rotary = [try rotary(fields, model)]
        let isNormed = try fields.optionalBool("use_qk_norm") ?? false
        let hasNorms = fields.gguf?.hasTensor("blk.0.attn_q_norm.weight") ?? isNormed
        let attention = AttentionDescription(
            scale: model.heads.usualScale,
            hasHeadNorms: hasNorms,
            bias: try fields.bias("attention_bias")
        )
        let all = try fields.layerCount()
        let count = all - (try fields.int(gguf: "nextn_predict_layers", 0...(all - 1), default: 0))
        let first = try fields.int("first_k_dense_replace", gguf: "leading_dense_block_count", 0...4096, default: 1)
        let dense = FeedForwardKind.dense(try fields.dense())
        let experts = FeedForwardKind.experts(try experts(fields))
        model.layers = (0..<count).map { index in
            LayerDescription(mixer: .attention(attention), feedForward: index < first ? dense : experts)
        }
        return model
    }

    /// Half of a head, if the file does not say.
    private static func rotary(
        _ fields: ModelFields,
        _ model: TransformerDescription
    ) throws(ModelError) -> RotaryParameters {
        var rotary = try fields.rotary(of: model)
        let (name, shares) = ("partial_rotary_factor", 0.0...1.0)
        let nested = try fields.object("rope_parameters")?.optionalDouble(name, shares)
        let own = try fields.optionalDouble(name, shares)
        if !fields.isGGUF, nested == nil, own == nil { rotary.dimensions = model.heads.size / 2 }
        return rotary
    }

    private static func experts(_ fields: ModelFields) throws(ModelError) -> ExpertsDescription {
        let counts = 1...65_536
        let count = try fields.int("n_routed_experts", gguf: "expert_count", counts)
        let groups = try fields.int("n_group", gguf: "expert_group_count", 1...count, default: 1)
        guard count % groups == 0, groups == 1 || count / groups > 1 else {
            throw fields.error(
                "n_group",
                gguf: "expert_group_count",
                "is \(groups), which does not divide \(count) experts"
            )
        }
        let chosenGroups = try fields.int("topk_group", gguf: "expert_group_used_count", 1...groups, default: 1)
        let most = count / groups * chosenGroups
        let size = try fields.int("moe_intermediate_size", gguf: "expert_feed_forward_length", 1...(1 << 22))
        let shared = try fields.int("n_shared_experts", gguf: "expert_shared_count", 0...1024, default: 1)
        return ExpertsDescription(
            count: count,
            chosenCount: try fields.int("num_experts_per_tok", gguf: "expert_used_count", 1...most),
            normalizesWeights: try fields.optionalBool("norm_topk_prob", gguf: "expert_weights_norm") ?? true,
            expert: DenseDescription(size: size, activation: try fields.activation("hidden_act", default: "silu")),
            router: RouterDescription(
                isSigmoid: true,
                groups: groups,
                chosenGroups: chosenGroups,
                scale: try fields.scale("routed_scaling_factor", gguf: "expert_weights_scale")
            ),
            sharedSize: shared > 0 ? shared * size : nil
        )
    }
}
