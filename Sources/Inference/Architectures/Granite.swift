import ModelFiles

/// Granite 3 (arXiv 2405.04324 and later): as Llama, with numbers that multiply the embeddings, the scores of attention
/// and what each block adds to the hidden state, and one that divides the logits. GGUF files have the dense models of
/// Granite 4 under the same name, config.json under that of another family.
enum Granite: ModelFamily {
    static let names = FamilyNames(huggingFace: ["granite"], gguf: "granite")

    static func describe(_ fields: ModelFields) throws(ModelError) -> TransformerDescription {
        var model = try decoder(fields)
        let layer = LayerDescription(
            mixer: .attention(try attention(fields, model)),
            feedForward: try Llama.feedForward(fields),
            residualScale: try residualScale(fields)
        )
        model.layers = Array(repeating: layer, count: try fields.layerCount())
        return model
    }

    // MARK: What the families with experts have too

    /// Without layers.
    static func decoder(_ fields: ModelFields) throws(ModelError) -> TransformerDescription {
        var model = try Llama.decoder(fields)
        model.embeddingScale = try fields.scale("embedding_multiplier", gguf: "embedding_scale")
        model.logitScale = 1 / (try fields.scale("logits_scaling", gguf: "logit_scale"))
        return model
    }

    static func attention(
        _ fields: ModelFields,
        _ model: TransformerDescription
    ) throws(ModelError) -> AttentionDescription {
        var attention = try Llama.attention(fields, model)
        // A GGUF file that leaves it out means the usual scale, config.json means 1.
        let scale = fields.isGGUF ? Double(attention.scale) : 1
        attention.scale = try fields.scale("attention_multiplier", gguf: "attention.scale", default: scale)
        // llama.cpp's way to say that a Granite has no rotary positions.
        if try fields.optionalBool(gguf: "rope.scaling.finetuned") == false { attention.rotary = nil }
        return attention
    }

    static func residualScale(_ fields: ModelFields) throws(ModelError) -> Float {
        try fields.scale("residual_multiplier", gguf: "residual_scale")
    }
}
