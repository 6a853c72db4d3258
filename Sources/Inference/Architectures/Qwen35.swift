import ModelFiles

/// Qwen 3.5, its language model: layers as in Qwen 3 Next, with a dense feed-forward network in each. Models that also see
/// pictures have the language model under a longer name; the rest of them is not read. For text, the three kinds of rotary
/// positions that they tell apart are one.
enum Qwen35: ModelFamily {
    static let names = FamilyNames(
        huggingFace: ["qwen3_5_text", "qwen3_5"],
        gguf: "qwen35",
        ggufTensors: Qwen3Next.tensorNames
    )

    static func describe(_ fields: ModelFields) throws(ModelError) -> TransformerDescription {
        var model = try decoder(fields)
        let feedForward = FeedForwardKind.dense(try fields.dense())
        let feedForwards = [FeedForwardKind](repeating: feedForward, count: try fields.layerCount())
        model.layers = try Qwen3Next.layers(fields, model, try deltaNet(fields), feedForwards)
        model.draftHead = try draftHead(fields, model)
        return model
    }

    static func adjusted(
        _ model: TransformerDescription,
        at path: String,
        _ weights: WeightReader
    ) -> TransformerDescription {
        Qwen3Next.adjusted(model, at: path, weights)
    }

    // MARK: What it has with experts too

    static func decoder(_ fields: ModelFields) throws(ModelError) -> TransformerDescription {
        var model = try Qwen3Next.decoder(fields)
        model.paths = TensorPaths.withPictures
        return model
    }

    static func deltaNet(_ fields: ModelFields) throws(ModelError) -> GatedDeltaNetDescription {
        var net = try Qwen3Next.deltaNet(fields)
        // llama.cpp's converter reorders value heads.
        net.isTiled = fields.isGGUF
        return net
    }

    static func draftHead(
        _ fields: ModelFields,
        _ model: TransformerDescription
    ) throws(ModelError) -> DraftHeadDescription? {
        guard try fields.hasDraftHead("mtp_num_hidden_layers"),
            try fields.optionalBool("mtp_use_dedicated_embeddings") != true
        else { return nil }
        return try Qwen3Next.draftHead(fields, model)
    }
}
