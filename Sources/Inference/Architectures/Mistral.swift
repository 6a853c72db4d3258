import ModelFiles

/// Mistral (arXiv 2310.06825): as Llama without biases, and each token sees a window of positions in every layer, if
/// the configuration names one.
struct Mistral: Architecture {
    let attention: Attention
    let widestWindow: Int?
    private let rotary: RotaryEmbedding
    private let decoder: Decoder  // model, lm_head
    private let layers: [DecoderLayer]  // model.layers.N

    init(_ configuration: ModelConfiguration, _ weights: WeightReader) throws(ModelError) {
        let hidden = configuration.hiddenSize
        let attention = Attention(configuration)
        self.attention = attention
        widestWindow = configuration.slidingWindow
        rotary = RotaryEmbedding(configuration.rope)
        decoder = try weights.decoder(configuration)
        layers = try weights.layers(configuration) { path, _ throws(ModelError) in
            DecoderLayer(
                inputNorm: try weights.norm("\(path).input_layernorm", hidden),
                attention: try weights.attention("\(path).self_attn", attention, hidden: hidden),
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

    func forward(_ pass: ForwardPass, logitsOf rows: [Int]) {
        pass.embed(decoder.embedding)
        pass.turn(rotary, pass.rotary)
        for (index, layer) in layers.enumerated() {
            pass.run(layer, attention, index: index, window: widestWindow)
        }
        pass.project(rows: rows, norm: decoder.norm, head: decoder.head)
    }
}
