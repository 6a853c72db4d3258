import ModelFiles

/// Qwen 2 and 2.5 (arXiv 2407.10671): as Llama, with biases on q, k and v. Where a window is switched on, the layers from
/// `max_window_layers` on have it.
enum Qwen2: ModelFamily {
    static let names = FamilyNames(huggingFace: ["qwen2"], gguf: "qwen2")

    static func describe(_ fields: ModelFields) throws(ModelError) -> TransformerDescription {
        var model = try TransformerDescription(fields)
        model.rotary = [try fields.rotary(of: model)]
        let feedForward = FeedForwardKind.dense(try fields.dense())
        model.layers = try windows(fields).map { window in
            LayerDescription(
                mixer: .attention(
                    AttentionDescription(scale: model.heads.usualScale, window: window, bias: .required)
                ),
                feedForward: feedForward
            )
        }
        return model
    }

    /// The window of each layer, as Qwen 3 has it too.
    static func windows(_ fields: ModelFields) throws(ModelError) -> [Int?] {
        let first = try fields.int("max_window_layers", 0...4096, default: 28)
        let size = try window(fields)
        return try fields.windows(layerCount: fields.layerCount(), size: size) { $0 >= first }
    }

    /// The window of the layers that have one; nil unless it is switched on.
    static func window(_ fields: ModelFields) throws(ModelError) -> Int? {
        try fields.optionalBool("use_sliding_window") == true ? fields.slidingWindow() : nil
    }
}
