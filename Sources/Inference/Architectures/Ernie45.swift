import ModelFiles

/// ERNIE 4.5 without experts (yiyan.baidu.com/blog/publication/ERNIE_Technical_Report.pdf): as Llama, but dimensions that
/// are neighbours are rotated against each other, in files of every form; and one switch for all biases.
enum Ernie45: ModelFamily {
    static let names = FamilyNames(huggingFace: ["ernie4_5"], gguf: "ernie4_5")

    private static let defaults = TransformerDescription.Defaults(
        kvHeadCount: 2,
        headSize: 128,
        normEpsilon: 1e-5,
        tiesEmbeddings: true
    )

    static func describe(_ fields: ModelFields) throws(ModelError) -> TransformerDescription {
        var model = try TransformerDescription(fields, defaults)
        model.interleavesHeadRows = true
        model.rotary = [try fields.rotary(of: model, base: 500_000)]
        let bias = try fields.bias("use_bias")
        let layer = LayerDescription(
            mixer: .attention(AttentionDescription(scale: model.heads.usualScale, bias: bias, outputBias: bias)),
            feedForward: .dense(try fields.dense(bias: bias))
        )
        model.layers = Array(repeating: layer, count: try fields.layerCount())
        return model
    }
}
