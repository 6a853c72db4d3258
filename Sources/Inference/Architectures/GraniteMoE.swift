import ModelFiles

/// Granite 3 with experts (arXiv 2408.13359 and later): as Granite, with a feed-forward network of which each token goes to a
/// few parts, and in some models another that all tokens go to. GGUF files have the models of Granite 4 without recurrent
/// layers under the same name, also dense ones, config.json under that of another family.
enum GraniteMoE: ModelFamily {
    static let names = FamilyNames(
        huggingFace: ["granitemoe", "granitemoeshared"],
        gguf: "granitemoe",
        ggufTensors: tensorNames
    )

    static let tensorNames = [
        "ffn_gate_inp": "block_sparse_moe.router.layer",
        "ffn_gate_exps": "block_sparse_moe.experts.gate_proj",
        "ffn_up_exps": "block_sparse_moe.experts.up_proj",
        "ffn_down_exps": "block_sparse_moe.experts.down_proj",
        "ffn_gate_shexp": "shared_mlp.gate_proj",
        "ffn_up_shexp": "shared_mlp.up_proj",
        "ffn_down_shexp": "shared_mlp.down_proj",
    ]

    static let layerNames = LayerNames(
        feedForward: "shared_mlp",
        otherFeedForward: "mlp",
        experts: "block_sparse_moe",
        sharedExpert: "shared_mlp",
        down: "output_linear",
        gateUp: "input_linear",
        router: "router.layer",
        stacks: (gateUp: "input_linear", down: "output_linear")
    )

    static func describe(_ fields: ModelFields) throws(ModelError) -> TransformerDescription {
        var model = try Granite.decoder(fields)
        let layer = LayerDescription(
            mixer: .attention(try Granite.attention(fields, model)),
            feedForward: try feedForward(fields, leastExperts: fields.isGGUF ? 0 : 1),
            residualScale: try Granite.residualScale(fields)
        )
        model.layers = Array(repeating: layer, count: try fields.layerCount())
        return model
    }

    // MARK: What the family with recurrent layers has too

    /// - Parameters:
    ///   - least: how many experts there must be; without any, there is the shared network alone.
    ///   - size: of the shared network, where config.json leaves it out.
    static func feedForward(
        _ fields: ModelFields,
        leastExperts least: Int,
        sharedSize size: Int = 0
    ) throws(ModelError) -> FeedForwardKind {
        let sizes = 0...(1 << 22)
        let count = try fields.int(
            "num_local_experts",
            gguf: "expert_count",
            least...65_536,
            default: fields.isGGUF ? 0 : 8
        )
        let shared = try fields.int(
            "shared_intermediate_size",
            gguf: "expert_shared_feed_forward_length",
            sizes,
            default: fields.isGGUF ? 0 : size
        )
        let activation = try fields.activation("hidden_act", default: "silu")
        guard count > 0 else {
            let size = try fields.int(gguf: "feed_forward_length", sizes, default: fields.isGGUF ? nil : shared)
            guard size > 0 else {
                throw fields.error("shared_intermediate_size", "is 0; without experts, 1 or more is expected")
            }
            return .dense(DenseDescription(size: size, activation: activation, isFused: true))
        }
        return .experts(
            ExpertsDescription(
                count: count,
                chosenCount: try fields.int(
                    "num_experts_per_tok",
                    gguf: "expert_used_count",
                    1...count,
                    default: fields.isGGUF ? nil : 2
                ),
                normalizesWeights: true,
                expert: DenseDescription(
                    size: try fields.int("intermediate_size", gguf: "feed_forward_length", 1...(1 << 22)),
                    activation: activation,
                    isFused: true
                ),
                sharedSize: shared > 0 ? shared : nil
            )
        )
    }
}
