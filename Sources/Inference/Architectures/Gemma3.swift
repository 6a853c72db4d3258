import ModelFiles

/// Gemma 3, its language model (arXiv 2503.19786): layers as in Gemma 2, with norms on each head of q and k and without
/// a cap on scores. Every sixth layer sees all positions, the others a window; the two kinds rotate q and k by bases of
/// their own, and only the first kind's is stretched for long contexts.
///
/// Models that also see pictures have the language model under a longer name; the rest of them is not read.
enum Gemma3: ModelFamily {
    static let names = FamilyNames(
        huggingFace: ["gemma3_text", "gemma3"],
        gguf: "gemma3",
        ggufTensors: Gemma2.tensorNames
    )

    private static let defaults = TransformerDescription.Defaults(
        hiddenSize: 2304,
        headCount: 8,
        kvHeadCount: 4,
        headSize: 256,
        vocabularySize: 262_208,
        contextLength: 131_072,
        tiesEmbeddings: true
    )

    /// As text models have it, then as models with pictures have it, older ones first.
    static let paths = [
        TensorPaths(),
        TensorPaths(decoder: "language_model.model", head: "language_model.lm_head"),
        TensorPaths(decoder: "model.language_model"),
    ]

    static func describe(_ fields: ModelFields) throws(ModelError) -> TransformerDescription {
        var model = try Gemma2.decoder(fields, defaults)
        model.paths = paths
        model.rotary = [try fields.rotary(of: model, base: 1e6), try localRotary(fields, model)]
        model.logitSoftCap = try fields.softCap("final_logit_softcapping")
        let period = try fields.int("sliding_window_pattern", 1...4096, default: 6)
        let layerCount = try fields.layerCount(default: 26)
        let bias = try fields.bias("attention_bias")
        var attention = AttentionDescription(
            scale: try Gemma2.attentionScale(fields, model, isLargest: layerCount == 62),
            hasHeadNorms: true,
            bias: bias,
            outputBias: bias
        )
        let feedForward = try Gemma2.feedForward(fields, defaultSize: 9216)
        let window = try fields.slidingWindow(ifAbsent: fields.isGGUF ? nil : 4096)
        let windows = try fields.windows(layerCount: layerCount, size: window) { ($0 + 1) % period != 0 }
        model.layers = windows.map { window in
            attention.window = window
            attention.rotary = window == nil ? 0 : 1
            return LayerDescription(mixer: .attention(attention), feedForward: feedForward, norms: .beforeAndAfter)
        }
        return model
    }

    /// The rotary positions of layers with a window.
    private static func localRotary(
        _ fields: ModelFields,
        _ model: TransformerDescription
    ) throws(ModelError) -> RotaryParameters {
        let base = try fields.double("rope_local_base_freq", gguf: "rope.freq_base_swa", 1...1e12, default: 10_000)
        let scaling = try fields.object("rope_parameters")?.object("sliding_attention")
        return try fields.rotary(of: model, base: base, scaling)
    }
}
