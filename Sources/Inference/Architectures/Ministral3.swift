import ModelFiles

/// Ministral 3 (arXiv 2601.08584) and what Mistral has made like it: as Mistral, with rotary positions stretched by YaRN
/// and queries that grow with their position. Models that also see pictures are called Mistral 3, also those of which the
/// language model is a plain Mistral; the rest of them is not read.
enum Ministral3: ModelFamily {
    static let names = FamilyNames(huggingFace: ["ministral3", "mistral3"], gguf: "mistral3")

    private static let defaults = TransformerDescription.Defaults(kvHeadCount: 8, headSize: 128, normEpsilon: 1e-5)

    static func describe(_ fields: ModelFields) throws(ModelError) -> TransformerDescription {
        if !fields.isGGUF, try fields.textArchitecture != "ministral3" {
            var model = try Mistral.describe(fields)
            model.paths = TensorPaths.withPictures
            return model
        }
        try Llama.refuseExperts(fields)
        var model = try Llama.decoder(fields, defaults, ropeBase: 1e6)
        model.paths = TensorPaths.withPictures
        model.rotary[0].queryGrowth = try queryGrowth(fields, contextLength: model.contextLength)
        let attention = AttentionDescription(scale: model.heads.usualScale, window: try window(fields))
        let layer = LayerDescription(mixer: .attention(attention), feedForward: .dense(try fields.dense()))
        model.layers = Array(repeating: layer, count: try fields.layerCount())
        return model
    }

    private static func window(_ fields: ModelFields) throws(ModelError) -> Int? {
        fields.isGGUF ? nil : try fields.slidingWindow()
    }

    private static func queryGrowth(
        _ fields: ModelFields,
        contextLength: Int
    ) throws(ModelError) -> RotaryParameters.QueryGrowth? {
        let betas = 0.0...1e3
        if fields.isGGUF {
            let beta = try fields.double(gguf: "attention.temperature_scale", betas, default: 0)
            guard beta > 0 else { return nil }
            return .init(
                beta: beta,
                length: try fields.int(gguf: "rope.scaling.original_context_length", 1...(1 << 24))
            )
        }
        guard let parameters = try fields.rotaryScaling else { throw fields.error("rope_parameters", "is missing") }
        let beta = try parameters.double("llama_4_scaling_beta", betas, default: 0)
        let length = try parameters.int("original_max_position_embeddings", 1...(1 << 24), default: contextLength)
        return beta > 0 ? .init(beta: beta, length: length) : nil
    }
}
