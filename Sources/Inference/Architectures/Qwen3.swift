import ModelFiles

/// Qwen 3 (arXiv 2505.09388): as Llama, with a norm on each head of q and k before they turn, and biases only if the
/// configuration says so. Where a window is switched on, the layers from `max_window_layers` on have it.
struct Qwen3: Architecture {
    let attention: Attention
    private let windows: [Int?]
    private let rotary: RotaryEmbedding
    private let decoder: Decoder  // model, lm_head
    private let layers: [DecoderLayer]  // model.layers.N

    init(_ configuration: ModelConfiguration, _ weights: WeightReader) throws(ModelError) {
        let hidden = configuration.hiddenSize
        let attention = Attention(configuration)
        self.attention = attention
        windows = configuration.windows { $0 >= configuration.maxWindowLayers ?? 0 }
        rotary = RotaryEmbedding(configuration.rope)
        decoder = try weights.decoder(configuration)
        layers = try weights.layers(configuration) { path, _ throws(ModelError) in
            DecoderLayer(
                inputNorm: try weights.norm("\(path).input_layernorm", hidden),
                attention: try weights.attention(
                    "\(path).self_attn",
                    attention,
                    hidden: hidden,
                    bias: configuration.attentionBias,
                    outputBias: configuration.attentionBias,
                    headNormOffset: 0
                ),
                postNorm: try weights.norm("\(path).post_attention_layernorm", hidden),
                feedForward: try weights.feedForward(
                    "\(path).mlp",
                    hidden: hidden,
                    size: configuration.intermediateSize,
                    activation: configuration.activation
                )
            )
        }
    }

    var layerCount: Int { layers.count }
    var maxColumns: Int { layers.reduce(decoder.maxColumns) { max($0, $1.maxColumns) } }
    var widestWindow: Int? { windows.widest }

    func forward(_ pass: ForwardPass, logitsOf rows: [Int]) {
        pass.embed(decoder.embedding)
        pass.turn(rotary, pass.rotary)
        for (index, layer) in layers.enumerated() {
            pass.run(layer, attention, index: index, window: windows[index])
        }
        pass.project(rows: rows, norm: decoder.norm, head: decoder.head)
    }
}
