import ModelFiles

/// Phi-3, Phi-3.5 and Phi-4-mini (arXiv 2404.14219): one matrix for q, k and v, one for gate and up, no biases.
///
/// The 4k models see a window of positions in every layer. The 128k models stretch their rotary positions by `longrope`,
/// of which `RotaryEmbedding` says when it uses which factors. Phi-4-mini rotates three quarters of each head and reads
/// the logits off the embedding.
enum Phi3: ModelFamily {
    static let names = FamilyNames(huggingFace: ["phi3"], gguf: "phi3", ggufTensors: ["ffn_up": "mlp.gate_up_proj"])

    static func describe(_ fields: ModelFields) throws(ModelError) -> TransformerDescription {
        var model = try TransformerDescription(fields, .init(normEpsilon: 1e-5))
        let rotary = try fields.rotary(of: model, originalLength: 4096)
        switch rotary.scaling {
        case .none, .longrope: model.rotary = [rotary]
        case .linear, .llama3, .proportional, .yarn:
            throw fields.error(
                "rope_scaling",
                gguf: "rope.scaling.type",
                "is not \"longrope\" or null, which are supported"
            )
        }
        let window = try fields.slidingWindow()
        let attention = AttentionDescription(scale: model.heads.usualScale, window: window, isFused: true)
        var feedForward = try fields.dense()
        feedForward.isFused = true
        let layer = LayerDescription(mixer: .attention(attention), feedForward: .dense(feedForward))
        model.layers = Array(repeating: layer, count: try fields.layerCount())
        return model
    }
}
