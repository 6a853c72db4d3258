import ModelFiles

/// Mistral (arXiv 2310.06825): as Llama without biases, and each token sees a window of positions in every layer, if
/// the configuration names one. GGUF files of it call themselves Llama.
enum Mistral: ModelFamily {
    static let names = FamilyNames(huggingFace: ["mistral"])

    static func describe(_ fields: ModelFields) throws(ModelError) -> TransformerDescription {
        var model = try TransformerDescription(fields)
        model.rotary = [try fields.rotary(of: model)]
        let window = try fields.slidingWindow(ifAbsent: 4096)
        let layer = LayerDescription(
            mixer: .attention(AttentionDescription(scale: model.heads.usualScale, window: window)),
            feedForward: .dense(try fields.dense())
        )
        model.layers = Array(repeating: layer, count: try fields.layerCount())
        return model
    }
}
