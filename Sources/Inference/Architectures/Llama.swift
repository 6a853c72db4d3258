import ModelFiles

/// Llama 2, 3 and later (arXiv 2302.13971, 2407.21783), and what is built like them: TinyLlama, SmolLM2.
///
/// Some have biases on all matrices of attention or of the feed-forward network; from 3.1 on, rotary positions are
/// stretched by `llama3`.
enum Llama: ModelFamily {
    static let names = FamilyNames(huggingFace: ["llama"], gguf: "llama")

    static func describe(_ fields: ModelFields) throws(ModelError) -> TransformerDescription {
        try refuseExperts(fields)
        var model = try decoder(fields)
        let layer = LayerDescription(
            mixer: .attention(try attention(fields, model)),
            feedForward: try feedForward(fields)
        )
        model.layers = Array(repeating: layer, count: try fields.layerCount())
        return model
    }

    // MARK: What families built like it have too

    /// GGUF files have models with experts under the same name.
    static func refuseExperts(_ fields: ModelFields) throws(ModelError) {
        guard try fields.int(gguf: "expert_count", 0...65_536, default: 0) == 0 else {
            throw fields.error(gguf: "expert_count", "is not 0; models with experts of this kind are not supported")
        }
    }

    /// Without layers.
    static func decoder(
        _ fields: ModelFields,
        _ defaults: TransformerDescription.Defaults = .init(),
        ropeBase: Double = 10_000
    ) throws(ModelError) -> TransformerDescription {
        var model = try TransformerDescription(fields, defaults)
        // llama.cpp's converter reorders them.
        model.interleavesHeadRows = fields.isGGUF
        model.rotary = [try fields.rotary(of: model, base: ropeBase)]
        return model
    }

    static func attention(
        _ fields: ModelFields,
        _ model: TransformerDescription
    ) throws(ModelError) -> AttentionDescription {
        let bias = try fields.bias("attention_bias")
        return AttentionDescription(scale: model.heads.usualScale, bias: bias, outputBias: bias)
    }

    static func feedForward(_ fields: ModelFields) throws(ModelError) -> FeedForwardKind {
        .dense(try fields.dense(bias: fields.bias("mlp_bias")))
    }
}
