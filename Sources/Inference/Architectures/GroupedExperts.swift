import ModelFiles

/// What the families have in common whose experts form groups, beside shared ones, after some dense layers: DeepSeek's and
/// GLM's.
enum GroupedExperts {
    static let tensorNames = [
        "exp_probs_b": "mlp.gate.e_score_correction",
        "ffn_gate_shexp": "mlp.shared_experts.gate_proj",
        "ffn_up_shexp": "mlp.shared_experts.up_proj",
        "ffn_down_shexp": "mlp.shared_experts.down_proj",
    ]

    /// What the reference implementation takes for fields that config.json leaves out.
    struct Defaults {
        var scoring = RouterDescription.Scoring.softmax
        var normalizes = false
        var weightScale = 1.0
        var groups = 1
        var chosenGroups = 1
    }

    static func describe(
        _ fields: ModelFields,
        _ defaults: Defaults
    ) throws(ModelError) -> ExpertsDescription {
        let counts = 1...65_536
        let count = try fields.int("n_routed_experts", gguf: "expert_count", counts)
        let size = try fields.int("moe_intermediate_size", gguf: "expert_feed_forward_length", 1...(1 << 22))
        let sharedCount = try fields.int("n_shared_experts", gguf: "expert_shared_count", 0...1024, default: 1)
        let chosen = try fields.int("num_experts_per_tok", gguf: "expert_used_count", 1...count)
        let normalizes = try fields.optionalBool("norm_topk_prob", gguf: "expert_weights_norm")
        let router = try router(fields, defaults, count: count, chosen: chosen)
        return ExpertsDescription(
            count: count,
            chosenCount: chosen,
            normalizesWeights: normalizes ?? (defaults.normalizes && !fields.isGGUF),
            expert: DenseDescription(size: size, activation: try fields.activation("hidden_act", default: "silu")),
            router: router,
            sharedSize: sharedCount > 0 ? sharedCount * size : nil
        )
    }

    private static func router(
        _ fields: ModelFields,
        _ defaults: Defaults,
        count: Int,
        chosen: Int
    ) throws(ModelError) -> RouterDescription {
        var router = RouterDescription(scoring: defaults.scoring)
        router.hasCorrection = defaults.scoring == .sigmoid
        router.weightScale = Float(
            try fields.double(
                "routed_scaling_factor",
                gguf: "expert_weights_scale",
                1e-6...1e6,
                default: fields.isGGUF ? 1 : defaults.weightScale
            )
        )
        let (name, key) = ("n_group", "expert_group_count")
        let standard = fields.isGGUF ? Defaults() : defaults
        router.groups = max(1, try fields.int(name, gguf: key, 0...count, default: standard.groups))
        router.chosenGroups = try fields.int(
            "topk_group",
            gguf: "expert_group_used_count",
            router.groups == 1 ? 0...count : 1...router.groups,
            default: standard.chosenGroups
        )
        let size = count / router.groups
        // The two best of a group count.
        let least = router.scoring == .sigmoid && router.groups > 1 ? 2 : 1
        guard router.groups == 1 || count % router.groups == 0 && size >= least && chosen <= router.chosenGroups * size
        else {
            throw fields.error(
                name,
                gguf: key,
                "is \(router.groups), of which \(router.chosenGroups) are chosen: \(count) experts cannot be so divided "
                    + "that \(chosen) are in these"
            )
        }
        if router.groups == 1 { router.chosenGroups = 1 }
        return router
    }

    /// How many layers come before those with experts.
    static func denseLayers(_ fields: ModelFields, ifAbsent absent: Int) throws(ModelError) -> Int {
        try fields.int(
            "first_k_dense_replace",
            gguf: "leading_dense_block_count",
            0...4096,
            default: fields.isGGUF ? 0 : absent
        )
    }

    /// The feed-forward network of each layer.
    /// - Parameter isDense: whether that of a layer has no experts.
    static func feedForwards(
        _ fields: ModelFields,
        _ experts: ExpertsDescription,
        dense isDense: (Int) -> Bool
    ) throws(ModelError) -> [FeedForwardKind] {
        let layers = 0..<(try fields.layerCount())
        guard layers.contains(where: isDense) else { return layers.map { _ in .experts(experts) } }
        let dense = try fields.dense()
        return layers.map { isDense($0) ? .dense(dense) : .experts(experts) }
    }

    /// A layer behind the model's, as its last one.
    static func draftHead(
        _ fields: ModelFields,
        _ model: TransformerDescription
    ) throws(ModelError) -> DraftHeadDescription? {
        guard try fields.hasDraftHead("num_nextn_predict_layers"), let layer = model.layers.last else { return nil }
        return DraftHeadDescription(
            layer: layer,
            places: DraftHeadPaths.ofLayer(model.layers.count, in: model.paths)
        )
    }
}
