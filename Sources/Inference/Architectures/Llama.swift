import ModelFiles

/// Llama 2, 3 and later (arXiv 2302.13971, 2407.21783), and what is built like them: TinyLlama, SmolLM2.
///
/// Some have biases on all matrices of attention or of the feed-forward network; from 3.1 on, rotary positions are
/// stretched by `llama3`.
struct Llama: Architecture {
    let attention: Attention
    let widestWindow: Int? = nil
    private let rotary: RotaryEmbedding
    private let decoder: Decoder  // model, lm_head
    private let layers: [DecoderLayer]  // model.layers.N

    init(_ configuration: ModelConfiguration, _ weights: WeightReader) throws(ModelError) {
        let hidden = configuration.hiddenSize
        let attention = Attention(configuration)
        self.attention = attention
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
                    outputBias: configuration.attentionBias
                ),
                postNorm: try weights.norm("\(path).post_attention_layernorm", hidden),
                feedForward: try weights.feedForward(
                    "\(path).mlp",
                    hidden: hidden,
                    size: configuration.intermediateSize,
                    activation: configuration.activation,
                    bias: configuration.mlpBias
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
            pass.run(layer, attention, index: index, window: nil)
        }
        pass.project(rows: rows, norm: decoder.norm, head: decoder.head)
    }
}
