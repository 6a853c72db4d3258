import ModelFiles

/// Phi-3, Phi-3.5 and Phi-4-mini (arXiv 2404.14219): one matrix for q, k and v, one for gate and up, no biases.
///
/// The 4k models see a window of positions in every layer. The 128k models stretch their rotary positions by `longrope`,
/// of which `RotaryEmbedding` says when it uses which factors. Phi-4-mini turns three quarters of each head and reads
/// the logits off the embedding.
struct Phi3: Architecture {
    let attention: Attention
    let widestWindow: Int?
    private let rotary: RotaryEmbedding
    private let decoder: Decoder  // model, lm_head
    private let layers: [DecoderLayer]  // model.layers.N

    init(_ configuration: ModelConfiguration, _ weights: WeightReader) throws(ModelError) {
        switch configuration.rope.scaling {
        case .none, .longrope: break
        case .linear, .llama3, .yarn:
            throw ModelError(
                "config.json: rope_scaling of a phi3 model is \"longrope\" or null; another is not supported"
            )
        }
        let hidden = configuration.hiddenSize
        let attention = Attention(configuration)
        self.attention = attention
        widestWindow = configuration.slidingWindow
        rotary = RotaryEmbedding(configuration.rope)
        decoder = try weights.decoder(configuration)
        layers = try weights.layers(configuration) { path, _ throws(ModelError) in
            DecoderLayer(
                inputNorm: try weights.norm("\(path).input_layernorm", hidden),
                attention: try weights.attention(
                    "\(path).self_attn",
                    attention,
                    hidden: hidden,
                    expectsFused: true
                ),
                postNorm: try weights.norm("\(path).post_attention_layernorm", hidden),
                feedForward: try weights.feedForward(
                    "\(path).mlp",
                    hidden: hidden,
                    size: configuration.intermediateSize,
                    activation: configuration.activation,
                    expectsFused: true
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
