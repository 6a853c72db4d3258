import ModelFiles

/// Granite 3 (arXiv 2405.04324 and later): as Llama, with numbers that multiply the embeddings, the scores of attention
/// and what each block adds to the hidden state, and one that divides the logits. GGUF files have the dense models of
/// Granite 4 under the same name, config.json under that of another family.
enum Granite: ModelFamily {
    static let names = FamilyNames(huggingFace: ["granite"], gguf: "granite")

    static func describe(_ fields: ModelFields) throws(ModelError) -> TransformerDescription {
        var model = try Llama.decoder(fields)
        model.embeddingScale = try fields.scale("embedding_multiplier", gguf: "embedding_scale")
        model.logitScale = 1 / (try fields.scale("logits_scaling", gguf: "logit_scale"))
        var attention = try Llama.attention(fields, model)
        // A GGUF file that leaves it out means the usual scale, config.json means 1.
        let scale = fields.isGGUF ? Double(attention.scale) : 1
        attention.scale = try fields.scale("attention_multiplier", gguf: "attention.scale", default: scale)
        // llama.cpp's way to say that a Granite has no rotary positions.
        if try fields.optionalBool(gguf: "rope.scaling.finetuned") == false { attention.rotary = nil }
        let layer = LayerDescription(
            mixer: .attention(attention),
            feedForward: try Llama.feedForward(fields),
            residualScale: try fields.scale("residual_multiplier", gguf: "residual_scale")
        )
        model.layers = Array(repeating: layer, count: try fields.layerCount())
        return model
    }
}
