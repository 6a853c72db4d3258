import ModelFiles

/// Gemma 2 (arXiv 2408.00118): norms before and after attention and feed-forward network, all with weights relative to
/// one; embeddings scaled by the root of their size; GELU gates; scores and logits capped by tanh. Layers alternate
/// between a window of positions and all, the first with a window. The logits are read off the embedding.
enum Gemma2: ModelFamily {
    static let names = FamilyNames(huggingFace: ["gemma2"], gguf: "gemma2", ggufTensors: tensorNames)
    static let tensorNames = ["ffn_norm": "pre_feedforward_layernorm"]

    static func describe(_ fields: ModelFields) throws(ModelError) -> TransformerDescription {
        var model = try decoder(fields, .init(headSize: 256, tiesEmbeddings: true))
        model.rotary = [try fields.rotary(of: model)]
        model.logitSoftCap = try fields.softCap("final_logit_softcapping", ifAbsent: 30)
        let period = try fields.int("sliding_window_pattern", 1...4096, default: 2)
        let layerCount = try fields.layerCount()
        let bias = try fields.bias("attention_bias")
        var attention = AttentionDescription(
            scale: try attentionScale(fields, model, isLargest: layerCount == 46),
            softCap: try fields.softCap("attn_logit_softcapping", ifAbsent: 50),
            bias: bias,
            outputBias: bias
        )
        let feedForward = try feedForward(fields)
        let window = try fields.slidingWindow(ifAbsent: 4096)
        let windows = try fields.windows(layerCount: layerCount, size: window) { ($0 + 1) % period != 0 }
        model.layers = windows.map { window in
            attention.window = window
            return LayerDescription(mixer: .attention(attention), feedForward: feedForward, norms: .beforeAndAfter)
        }
        return model
    }

    // MARK: What Gemma 3 has too

    /// Without layers and rotary positions.
    static func decoder(
        _ fields: ModelFields,
        _ defaults: TransformerDescription.Defaults
    ) throws(ModelError) -> TransformerDescription {
        var model = try TransformerDescription(fields, defaults)
        model.embeddingScale = Float(model.hiddenSize).squareRoot()
        // GGUF files hold 1 + weight.
        model.normOffset = fields.isGGUF ? 0 : 1
        return model
    }

    /// - Parameter isLargest: whether it is the 27B model, known by its layers: GGUF files do not have the scale, which
    ///   differs there from that of the other published models.
    static func attentionScale(
        _ fields: ModelFields,
        _ model: TransformerDescription,
        isLargest: Bool
    ) throws(ModelError) -> Float {
        guard fields.isGGUF else { return 1 / (try fields.scale("query_pre_attn_scalar", default: 256)).squareRoot() }
        return isLargest ? 1 / Float(model.hiddenSize / model.heads.count).squareRoot() : model.heads.usualScale
    }

    static func feedForward(
        _ fields: ModelFields,
        defaultSize: Int? = nil
    ) throws(ModelError) -> FeedForwardKind {
        // Files of an older date say "gelu" in hidden_act, which the reference does not look at.
        .dense(
            try fields.dense(
                size: fields.isGGUF ? nil : defaultSize,
                activation: "hidden_activation",
                default: "gelu_pytorch_tanh"
            )
        )
    }
}
