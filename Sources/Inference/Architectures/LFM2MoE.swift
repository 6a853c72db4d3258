import ModelFiles

/// LFM 2 with experts: as LFM 2, but after some dense layers a sigmoid router chooses a few experts for each token.
enum LFM2MoE: ModelFamily {
    static let names = FamilyNames(
        huggingFace: ["lfm2_moe"],
        gguf: "lfm2moe",
        ggufTensors: LFM2.tensorNames.merging(expertNames) { $1 }
    )

    private static let expertNames = [
        "ffn_gate_inp": "feed_forward.gate",
        "exp_probs_b": "feed_forward.expert",
        "ffn_gate_exps": "feed_forward.experts.gate_proj",
        "ffn_up_exps": "feed_forward.experts.up_proj",
        "ffn_down_exps": "feed_forward.experts.down_proj",
    ]

    static let layerNames = {
        var names = LFM2.layerNames
        names.correction = "expert"
        return names
    }()

    static func describe(_ fields: ModelFields) throws(ModelError) -> TransformerDescription {
        var model = try LFM2.decoder(fields)
        let denseCount = try fields.int(
            "num_dense_layers",
            gguf: "leading_dense_block_count",
            0...4096,
            default: fields.isGGUF ? 0 : 2
        )
        let experts = try experts(fields, firstLayer: denseCount)
        let sizes = 1...(1 << 22)
        let dense = DenseDescription(
            size: try fields.int(
                "intermediate_size",
                gguf: "feed_forward_length",
                sizes,
                default: fields.isGGUF ? nil : 7168
            ),
            activation: .silu
        )
        model.layers = try LFM2.mixers(fields, model).enumerated().map { index, mixer in
            LayerDescription(mixer: mixer, feedForward: index < denseCount ? .dense(dense) : .experts(experts))
        }
        return model
    }

    /// - Parameter layer: the first that has some.
    private static func experts(
        _ fields: ModelFields,
        firstLayer layer: Int
    ) throws(ModelError) -> ExpertsDescription {
        let (counts, sizes) = (1...65_536, 1...(1 << 22))
        func usual(_ value: Int) -> Int? { fields.isGGUF ? nil : value }
        let count = try fields.int("num_experts", gguf: "expert_count", counts, default: usual(32))
        var router = RouterDescription(scoring: .sigmoid, leastSum: 1e-6)
        if let gguf = fields.gguf {
            router.hasCorrection = gguf.hasTensor("blk.\(layer).exp_probs_b.bias")
        } else {
            router.hasCorrection = try fields.optionalBool("use_expert_bias") ?? true
        }
        router.weightScale = try fields.scale("routed_scaling_factor", gguf: "expert_weights_scale")
        return ExpertsDescription(
            count: count,
            chosenCount: try fields.int("num_experts_per_tok", gguf: "expert_used_count", 1...count, default: usual(4)),
            normalizesWeights: try fields.optionalBool("norm_topk_prob", gguf: "expert_weights_norm") ?? true,
            expert: DenseDescription(
                size: try fields.int(
                    "moe_intermediate_size",
                    gguf: "expert_feed_forward_length",
                    sizes,
                    default: usual(1792)
                ),
                activation: .silu
            ),
            router: router
        )
    }
}
