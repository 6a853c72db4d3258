import ModelFiles

/// OLMo 2 and 3 (arXiv 2501.00656, 2512.13961): as Llama, with norms behind attention and feed-forward network in place of
/// those before, and norms of q and of k over all their heads.
///
/// In OLMo 3 most layers see a window of positions, usually all but every fourth; only the others stretch their rotary
/// positions for long contexts. GGUF files have it under the name of OLMo 2.
enum Olmo2: ModelFamily {
    static let names = FamilyNames(huggingFace: ["olmo2", "olmo3"], gguf: "olmo2")

    static func describe(_ fields: ModelFields) throws(ModelError) -> TransformerDescription {
        var model = try TransformerDescription(fields, .init(normEpsilon: 1e-5))
        let size = try window(fields)
        let layerCount = try fields.layerCount()
        let base = try fields.architecture == "olmo3" ? 500_000.0 : 10_000
        let full = try fields.rotary(of: model, base: base)
        var windows = [Int?](repeating: nil, count: layerCount)
        model.rotary = [full]
        if let size {
            windows = try fields.windows(layerCount: layerCount, size: size, period: 4)
            let scaling = try fields.object("rope_parameters")?.object("sliding_attention")
            model.rotary.append(try fields.rotary(of: model, base: full.base, scaling))
        }
        let bias = try fields.bias("attention_bias")
        var attention = AttentionDescription(
            scale: model.heads.usualScale,
            hasHeadNorms: true,
            headNorms: .ofAllHeads,
            bias: bias,
            outputBias: bias
        )
        let feedForward = FeedForwardKind.dense(try fields.dense())
        model.layers = windows.map { window in
            attention.window = window
            attention.rotary = window == nil ? 0 : 1
            return LayerDescription(mixer: .attention(attention), feedForward: feedForward, norms: .after)
        }
        return model
    }

    /// Of the layers that have one; nil for OLMo 2.
    private static func window(_ fields: ModelFields) throws(ModelError) -> Int? {
        if fields.isGGUF { return try fields.slidingWindow() }
        guard try fields.architecture == "olmo3" else { return nil }
        return try fields.int("sliding_window", 1...(1 << 30), default: 4096)
    }
}
