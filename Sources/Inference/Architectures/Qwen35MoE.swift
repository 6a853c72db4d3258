import ModelFiles

/// Qwen 3.5 with a mixture of experts: as Qwen 3.5, with the feed-forward networks of Qwen 3 Next.
enum Qwen35MoE: ModelFamily {
    static let names = FamilyNames(
        huggingFace: ["qwen3_5_moe_text", "qwen3_5_moe"],
        gguf: "qwen35moe",
        ggufTensors: Qwen3Next.tensorNames
    )

    static func describe(_ fields: ModelFields) throws(ModelError) -> TransformerDescription {
        var model = try Qwen35.decoder(fields)
        model.layers = try Qwen3Next.layers(fields, model, Qwen35.deltaNet(fields), Qwen3Next.feedForwards(fields))
        model.draftHead = try Qwen35.draftHead(fields, model)
        return model
    }

    static func adjusted(
        _ model: TransformerDescription,
        at path: String,
        _ weights: WeightReader
    ) -> TransformerDescription {
        Qwen3Next.adjusted(model, at: path, weights)
    }
}
