import ModelFiles

/// Qwen 3 (arXiv 2505.09388): as Llama, with a norm on each head of q and k before it is rotated, and biases only if the
/// configuration says so. Where a window is switched on, the layers from `max_window_layers` on have it.
enum Qwen3: ModelFamily {
    static let names = FamilyNames(huggingFace: ["qwen3"], gguf: "qwen3")

    static func describe(_ fields: ModelFields) throws(ModelError) -> TransformerDescription {
        var model = try TransformerDescription(fields, .init(headSize: 128))
        model.rotary = [try fields.rotary(of: model)]
        var attention = try attention(fields, model)
        let feedForward = FeedForwardKind.dense(try fields.dense())
        model.layers = try Qwen2.windows(fields).map { window in
            attention.window = window
            return LayerDescription(mixer: .attention(attention), feedForward: feedForward)
        }
        return model
    }

    static func attention(
        _ fields: ModelFields,
        _ model: TransformerDescription
    ) throws(ModelError) -> AttentionDescription {
        let bias = try fields.bias("attention_bias")
        return AttentionDescription(scale: model.heads.usualScale, hasHeadNorms: true, bias: bias, outputBias: bias)
    }
}
