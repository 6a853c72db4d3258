import ModelFiles

/// GLM-4.5 and later (arXiv 2508.06471): as Qwen 3 with experts, of which a sigmoid router chooses a few beside one that all
/// tokens go to, after some dense layers; half of each head is rotated. Some have norms on the heads of q and k. The
/// layer behind the others is a draft head.
enum Glm4MoE: ModelFamily {
    static let names = FamilyNames(
        huggingFace: ["glm4_moe"],
        gguf: "glm4moe",
        ggufTensors: GroupedExperts.tensorNames
    )

    static func describe(_ fields: ModelFields) throws(ModelError) -> TransformerDescription {
        var model = try TransformerDescription(fields, .init(normEpsilon: 1e-5))
        model.rotary = [try fields.rotary(of: model, share: 0.5)]
        let attention = AttentionDescription(
            scale: model.heads.usualScale,
            hasHeadNorms: try hasHeadNorms(fields),
            bias: try fields.bias("attention_bias")
        )
        let experts = try GroupedExperts.describe(fields, .init(scoring: .sigmoid, normalizes: true))
        let denseCount = try GroupedExperts.denseLayers(fields, ifAbsent: 1)
        model.layers = try GroupedExperts.feedForwards(fields, experts, dense: { $0 < denseCount }).map {
            LayerDescription(mixer: .attention(attention), feedForward: $0)
        }
        model.draftHead = try GroupedExperts.draftHead(fields, model)
        return model
    }

    private static func hasHeadNorms(_ fields: ModelFields) throws(ModelError) -> Bool {
        if let gguf = fields.gguf { return gguf.hasTensor("blk.0.attn_q_norm.weight") }
        return try fields.optionalBool("use_qk_norm") ?? false
    }
}
