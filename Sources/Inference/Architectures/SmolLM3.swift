import ModelFiles

/// SmolLM 3 (huggingface.co/blog/smollm3): as Llama, without rotary positions in some layers, usually every fourth
/// (NoPE, arXiv 2501.18795). A window, if one is switched on, is in these.
enum SmolLM3: ModelFamily {
    static let names = FamilyNames(huggingFace: ["smollm3"], gguf: "smollm3")

    static func describe(_ fields: ModelFields) throws(ModelError) -> TransformerDescription {
        var model = try Llama.decoder(fields, .init(kvHeadCount: 4, tiesEmbeddings: true), ropeBase: 2e6)
        let isRotated = try rotatedLayers(fields)
        let size = try fields.optionalBool("use_sliding_window") == true ? fields.slidingWindow() : nil
        let windows = try fields.windows(layerCount: isRotated.count, size: size) { !isRotated[$0] }
        var attention = try Llama.attention(fields, model)
        let feedForward = try Llama.feedForward(fields)
        model.layers = zip(isRotated, windows).map { isRotated, window in
            attention.rotary = isRotated ? 0 : nil
            attention.window = window
            return LayerDescription(mixer: .attention(attention), feedForward: feedForward)
        }
        return model
    }

    /// Whether each layer has rotary positions, which `no_rope_layers` says by 1, and by 0 that it has none. A GGUF file
    /// says nothing.
    private static func rotatedLayers(_ fields: ModelFields) throws(ModelError) -> [Bool] {
        let count = try fields.layerCount()
        guard let flags = try fields.list("no_rope_layers", of: Int.self) else {
            let interval = try fields.int("no_rope_layer_interval", 1...4096, default: 4)
            return (1...count).map { $0 % interval != 0 }
        }
        guard flags.count >= count, flags.allSatisfy({ 0...1 ~= $0 }) else {
            throw fields.error("no_rope_layers", "is not a list of 0 or 1 for each of \(count) layers")
        }
        return flags.prefix(count).map { $0 == 1 }
    }
}
