import ModelFiles

/// gpt-oss (arXiv 2508.10925): experts in all layers, of floats of 4 bits in its own files; biases on all matrices; each
/// head's softmax has a sink. Every other layer, from the first on, sees a window of positions.
enum GptOss: ModelFamily {
    static let names = FamilyNames(
        huggingFace: ["gpt_oss"],
        gguf: "gpt-oss",
        ggufTensors: ["ffn_gate_inp": "mlp.router"]
    )

    static let layerNames = LayerNames(router: "router")

    private static let defaults = TransformerDescription.Defaults(kvHeadCount: 8, headSize: 64, normEpsilon: 1e-5)

    static func describe(_ fields: ModelFields) throws(ModelError) -> TransformerDescription {
        var model = try TransformerDescription(fields, defaults)
        model.rotary = [try rotary(fields, model)]
        let layerCount = try fields.layerCount()
        let size = try fields.slidingWindow(ifAbsent: fields.isGGUF ? nil : 128)
        let windows = try fields.windows(layerCount: layerCount, size: size, period: 2)
        let hasBias = try fields.optionalBool("attention_bias") ?? true
        var attention = AttentionDescription(
            scale: model.heads.usualScale,
            hasSinks: true,
            bias: hasBias ? .required : .none,
            outputBias: hasBias ? .required : .none
        )
        let experts = FeedForwardKind.experts(try experts(fields))
        model.layers = windows.map { window in
            attention.window = window
            return LayerDescription(mixer: .attention(attention), feedForward: experts)
        }
        return model
    }

    /// The ends of YaRN's blend are not rounded, which GGUF files do not say.
    private static func rotary(
        _ fields: ModelFields,
        _ model: TransformerDescription
    ) throws(ModelError) -> RotaryParameters {
        var rotary = try fields.rotary(of: model, base: 150_000)
        if fields.isGGUF { rotary.changeYaRN(truncates: false) }
        return rotary
    }

    private static func experts(_ fields: ModelFields) throws(ModelError) -> ExpertsDescription {
        let counts = 1...65_536
        let other = try fields.optionalInt("num_experts", counts)
        let count = try fields.int("num_local_experts", gguf: "expert_count", counts, default: other)
        let perToken = try fields.optionalInt("experts_per_token", counts)
        let sizes = 1...(1 << 22)
        let size = try fields.optionalInt("intermediate_size", gguf: "expert_feed_forward_length", sizes)
        return ExpertsDescription(
            count: count,
            chosenCount: try fields.int(
                "num_experts_per_tok",
                gguf: "expert_used_count",
                1...count,
                default: perToken
            ),
            normalizesWeights: true,
            expert: DenseDescription(
                size: try fields.int("intermediate_size", gguf: "feed_forward_length", sizes, default: size),
                activation: .clamped(
                    slope: try fields.scale("swiglu_alpha", default: 1.702),
                    limit: try fields.scale("swiglu_limit", default: 7)
                ),
                bias: .required,
                isFused: true,
                alternatesGateAndUp: true
            ),
            router: RouterDescription(bias: .required),
            transposesStacks: true
        )
    }
}
