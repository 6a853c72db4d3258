import ModelFiles

/// Nemotron-H (arXiv 2504.03624) and Nemotron 3: each layer is one of Mamba-2's state space, attention without rotary
/// positions, a feed-forward network without a gate, and, in newer models, experts of such networks, beside one that all
/// tokens go to. The layers that predict several tokens at a time are left out.
enum NemotronH: ModelFamily {
    static let names = FamilyNames(
        huggingFace: ["nemotron_h"],
        gguf: "nemotron_h",
        "nemotron_h_moe",
        ggufTensors: tensorNames.merging(HybridLayers.tensorNames(in: "mixer")) { $1 }
    )

    private static let tensorNames = [
        "attn_norm": "norm",
        "attn_q": "mixer.q_proj",
        "attn_k": "mixer.k_proj",
        "attn_v": "mixer.v_proj",
        "attn_output": "mixer.o_proj",
        "ffn_up": "mixer.up_proj",
        "ffn_down": "mixer.down_proj",
        "ffn_gate_inp": "mixer.gate",
        "exp_probs_b": "mixer.gate.e_score_correction",
        "ffn_latent_down": "mixer.fc1_latent_proj",
        "ffn_latent_up": "mixer.fc2_latent_proj",
        "ffn_up_exps": "mixer.experts.up_proj",
        "ffn_down_exps": "mixer.experts.down_proj",
        "ffn_up_shexp": "mixer.shared_experts.up_proj",
        "ffn_down_shexp": "mixer.shared_experts.down_proj",
    ]

    static let layerNames = LayerNames(
        mixerNorm: "norm",
        feedForwardNorm: "norm",
        attention: "mixer",
        stateSpace: "mixer",
        feedForward: "mixer"
    )

    static func describe(_ fields: ModelFields) throws(ModelError) -> TransformerDescription {
        let size = try fields.optionalInt("attention_head_dim", 1...65_536)
        var model = try TransformerDescription(fields, .init(headCount: 32, kvHeadCount: 8, headSize: size ?? 128))
        if !fields.isGGUF {
            model.normEpsilon = Float(try fields.double("layer_norm_epsilon", 1e-12...1, default: 1e-5))
            // As the hub has them, and as transformers 5 names them.
            model.paths = ["backbone", "model"].map {
                TensorPaths(decoder: $0, embedding: "embeddings", norm: "norm_f")
            }
        }
        try checkActivations(fields)
        let kinds = try kinds(fields)
        let space = kinds.contains(.stateSpace) ? try stateSpace(fields) : nil
        let attention = try attention(fields, model)
        let dense = kinds.contains(.dense) ? try dense(fields) : nil
        let experts = kinds.contains(.experts) ? try experts(fields) : nil
        model.layers = kinds.map { kind in
            switch kind {
            case .stateSpace: LayerDescription(mixer: space.map { .stateSpace($0) })
            case .attention: LayerDescription(mixer: .attention(attention))
            case .dense: LayerDescription(feedForward: dense.map { .dense($0) })
            case .experts: LayerDescription(feedForward: experts.map { .experts($0) })
            }
        }
        return model
    }

    private static func checkActivations(_ fields: ModelFields) throws(ModelError) {
        for (name, expected) in [("mlp_hidden_act", "relu2"), ("mamba_hidden_act", "silu")] {
            if let activation = try fields.optionalString(name), activation != expected {
                throw fields.error(name, "\"\(activation)\" is not supported; \"\(expected)\" is")
            }
        }
    }

    private static func kinds(_ fields: ModelFields) throws(ModelError) -> [HybridLayers.Kind] {
        guard fields.isGGUF else {
            let count = try fields.optionalInt("num_hidden_layers", 1...4096)
            guard let kinds = try HybridLayers.kinds(fields, HybridLayers.Kind.allCases, count: count) else {
                throw fields.error("layers_block_type", "is missing")
            }
            return kinds
        }
        let all = try fields.int(gguf: "block_count", 1...4096)
        let kvHeads = try fields.ints(gguf: "attention.head_count_kv", 0...65_536, count: all)
        let sizes = try fields.ints(gguf: "feed_forward_length", 0...(1 << 22), count: all)
        let hasExperts = try fields.int(gguf: "expert_count", 0...65_536, default: 0) > 0
        let kinds: [HybridLayers.Kind] = zip(kvHeads, sizes).map { heads, size in
            size > 0 ? hasExperts ? .experts : .dense : heads > 0 ? .attention : .stateSpace
        }
        return Array(kinds.prefix(try fields.layerCount()))
    }

    private static func stateSpace(_ fields: ModelFields) throws(ModelError) -> StateSpaceDescription {
        let isGGUF = fields.isGGUF
        return try HybridLayers.stateSpace(
            fields,
            .init(
                headSize: "mamba_head_dim",
                groups: "n_groups",
                stateSize: "ssm_state_size",
                taps: "conv_kernel",
                convolutionBias: "use_conv_bias",
                bias: "use_bias",
                usualGroups: 8,
                usualStateSize: 128
            ),
            heads: try fields.int("mamba_num_heads", gguf: "ssm.time_step_rank", 1...4096, default: isGGUF ? nil : 128),
            headSize: isGGUF ? nil : try fields.int("mamba_head_dim", 1...4096, default: 64)
        )
    }

    private static func attention(
        _ fields: ModelFields,
        _ model: TransformerDescription
    ) throws(ModelError) -> AttentionDescription {
        let bias = try fields.bias("attention_bias")
        return AttentionDescription(scale: model.heads.usualScale, rotary: nil, bias: bias, outputBias: bias)
    }

    private static func dense(_ fields: ModelFields) throws(ModelError) -> DenseDescription {
        let sizes = 1...(1 << 22)
        // A GGUF file has one for each layer, 0 where there is none.
        let ofLayers = Set(fields.integers(gguf: "feed_forward_length") ?? []).subtracting([0])
        guard ofLayers.count < 2 else {
            throw fields.error(gguf: "feed_forward_length", "has \(ofLayers.count) widths; one is supported")
        }
        let size =
            if let size = ofLayers.first { size } else {
                try fields.int("intermediate_size", gguf: "feed_forward_length", sizes)
            }
        return DenseDescription(size: size, activation: .squaredReLU, bias: try fields.bias("mlp_bias"))
    }

    private static func experts(_ fields: ModelFields) throws(ModelError) -> ExpertsDescription {
        let sizes = 1...(1 << 22)
        var experts = try GroupedExperts.describe(fields, .init(scoring: .sigmoid, normalizes: true))
        let bias = try fields.bias("mlp_bias")
        // The experts themselves have none.
        let own = bias == .required ? .optional : bias
        experts.expert = DenseDescription(size: experts.expert.size, activation: .squaredReLU, bias: own)
        experts.sharedSize = try fields.int(
            "moe_shared_expert_intermediate_size",
            gguf: "expert_shared_feed_forward_length",
            sizes
        )
        experts.latentSize = try fields.optionalInt("moe_latent_size", gguf: "moe_latent_size", 16...(1 << 18))
        experts.latentBias = bias
        return experts
    }
}
