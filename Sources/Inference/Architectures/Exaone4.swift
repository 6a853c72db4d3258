import ModelFiles

/// EXAONE 4 (arXiv 2507.11407): norms behind attention and feed-forward network in place of those before, and a norm on
/// each head of q and k. In the larger models most layers see a window of positions, usually all but every fourth, and
/// only these have rotary positions; in the smaller ones all layers have them and none a window.
enum Exaone4: ModelFamily {
    static let names = FamilyNames(huggingFace: ["exaone4"], gguf: "exaone4")

    /// The layers of the model of which GGUF files need not say that it has a window.
    private static let layersOfLargest = 64

    static func describe(_ fields: ModelFields) throws(ModelError) -> TransformerDescription {
        var model = try TransformerDescription(fields, .init(normEpsilon: 1e-5))
        model.rotary = [try fields.rotary(of: model)]
        let layerCount = try fields.layerCount()
        let hasWindow = !fields.isGGUF || layerCount == layersOfLargest
        let size = try fields.slidingWindow(ifAbsent: hasWindow ? 4096 : nil)
        let windows = try fields.windows(layerCount: layerCount, size: size, period: 4)
        var attention = AttentionDescription(scale: model.heads.usualScale, hasHeadNorms: true)
        let feedForward = FeedForwardKind.dense(try fields.dense())
        model.layers = windows.map { window in
            attention.window = window
            attention.rotary = size == nil || window != nil ? 0 : nil
            return LayerDescription(mixer: .attention(attention), feedForward: feedForward, norms: .after)
        }
        return model
    }
}
