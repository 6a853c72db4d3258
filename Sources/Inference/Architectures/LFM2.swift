import ModelFiles

/// LFM 2 (arXiv 2511.23404): most layers are gated short convolutions, the others attention with a norm on each head of q and
/// k before it is rotated. The logits are read off the embedding.
enum LFM2: ModelFamily {
    static let names = FamilyNames(huggingFace: ["lfm2"], gguf: "lfm2", ggufTensors: tensorNames)

    static let tensorNames = [
        "attn_norm": "operator_norm",
        "ffn_norm": "ffn_norm",
        "attn_q_norm": "self_attn.q_layernorm",
        "attn_k_norm": "self_attn.k_layernorm",
        "attn_output": "self_attn.out_proj",
        "shortconv.conv": "conv.conv",
        "shortconv.in_proj": "conv.in_proj",
        "shortconv.out_proj": "conv.out_proj",
        "ffn_gate": "feed_forward.w1",
        "ffn_up": "feed_forward.w3",
        "ffn_down": "feed_forward.w2",
    ]

    static let layerNames = LayerNames(
        mixerNorm: "operator_norm",
        feedForwardNorm: "ffn_norm",
        feedForward: "feed_forward",
        queryNorm: "q_layernorm",
        keyNorm: "k_layernorm",
        attentionOutput: "out_proj",
        gate: "w1",
        up: "w3",
        down: "w2"
    )

    static func describe(_ fields: ModelFields) throws(ModelError) -> TransformerDescription {
        var model = try decoder(fields)
        let feedForward = FeedForwardKind.dense(
            DenseDescription(size: try feedForwardSize(fields), activation: .silu)
        )
        model.layers = try mixers(fields, model).map { LayerDescription(mixer: $0, feedForward: feedForward) }
        return model
    }

    // MARK: What it has with experts too

    /// Without layers.
    static func decoder(_ fields: ModelFields) throws(ModelError) -> TransformerDescription {
        var model = try TransformerDescription(
            fields,
            .init(tiesEmbeddings: try fields.optionalBool("tie_embedding") ?? true)
        )
        if !fields.isGGUF {
            model.normEpsilon = Float(try fields.double("norm_eps", 1e-12...1, default: 1e-5))
        }
        model.paths = [TensorPaths(norm: "embedding_norm")]
        model.rotary = [try fields.rotary(of: model, base: 1e6)]
        return model
    }

    /// The mixer of each layer.
    static func mixers(_ fields: ModelFields, _ model: TransformerDescription) throws(ModelError) -> [Mixer] {
        let convolution = ShortConvolutionDescription(
            channels: model.hiddenSize,
            taps: try fields.int("conv_L_cache", gguf: "shortconv.l_cache", 2...64, default: fields.isGGUF ? nil : 3),
            bias: try fields.bias("conv_bias")
        )
        let attention = AttentionDescription(scale: model.heads.usualScale, hasHeadNorms: true)
        return try convolutionLayers(fields).map { $0 ? .shortConvolution(convolution) : .attention(attention) }
    }

    /// Whether each layer is a convolution. A GGUF file has no heads of keys there.
    private static func convolutionLayers(_ fields: ModelFields) throws(ModelError) -> [Bool] {
        let count = try fields.layerCount()
        if fields.isGGUF {
            return try fields.ints(gguf: "attention.head_count_kv", 0...65_536, count: count).map { $0 == 0 }
        }
        if let isConvolution = try fields.layers(are: "conv", or: "full_attention", count: count) {
            return isConvolution
        }
        let attention = try fields.list("full_attn_idxs", of: Int.self).map { Set($0) }
        return (0..<count).map { attention?.contains($0) == false }
    }

    /// The width that `intermediate_size` comes to, unless it is meant as it is.
    private static func feedForwardSize(_ fields: ModelFields) throws(ModelError) -> Int {
        let sizes = 1...(1 << 22)
        let older = try fields.optionalInt("block_ff_dim", sizes)
        let size = try fields.int("intermediate_size", gguf: "feed_forward_length", sizes, default: older)
        guard !fields.isGGUF, try fields.optionalBool("block_auto_adjust_ff_dim") ?? true else { return older ?? size }
        let factor = try fields.double("block_ffn_dim_multiplier", 1e-3...1e3, default: 1)
        let multiple = try fields.int("block_multiple_of", sizes, default: 256)
        let scaled = Int(factor * Double(2 * (older ?? size) / 3))
        return (scaled + multiple - 1) / multiple * multiple
    }
}
