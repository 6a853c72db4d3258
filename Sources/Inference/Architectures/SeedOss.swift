import ModelFiles

/// Seed-OSS (github.com/ByteDance-Seed/seed-oss): as Llama, with biases of q, k and v, and, if the configuration says so,
/// of the other matrices.
enum SeedOss: ModelFamily {
    static let names = FamilyNames(huggingFace: ["seed_oss"], gguf: "seed_oss")

    static func describe(_ fields: ModelFields) throws(ModelError) -> TransformerDescription {
        var model = try TransformerDescription(fields, .init(kvHeadCount: 8, headSize: 128))
        model.rotary = [try fields.rotary(of: model)]
        let attention = AttentionDescription(
            scale: model.heads.usualScale,
            bias: try fields.bias("attention_bias"),
            outputBias: try fields.bias("attention_out_bias")
        )
        let layer = LayerDescription(mixer: .attention(attention), feedForward: try Llama.feedForward(fields))
        model.layers = Array(repeating: layer, count: try fields.layerCount())
        return model
    }
}
