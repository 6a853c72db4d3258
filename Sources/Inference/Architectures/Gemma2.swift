import ModelFiles

/// Gemma 2 (arXiv 2408.00118): norms before and after attention and feed-forward network, all with weights relative to
/// one; embeddings scaled by the root of their size; GELU gates; scores and logits capped by tanh. Layers alternate
/// between a window of positions and all, the first with a window. The logits are read off the embedding.
struct Gemma2: Architecture {
    let attention: Attention
    private let windows: [Int?]
    private let rotary: RotaryEmbedding
    private let logitSoftCap: Float?
    private let decoder: Decoder  // model
    private let layers: [GemmaLayer]  // model.layers.N

    init(_ configuration: ModelConfiguration, _ weights: WeightReader) throws(ModelError) {
        let attention = Attention(configuration, softCap: configuration.attentionSoftCap)
        self.attention = attention
        windows = configuration.windows { ($0 + 1) % (configuration.slidingWindowPattern ?? 2) != 0 }
        rotary = RotaryEmbedding(configuration.rope)
        logitSoftCap = configuration.logitSoftCap
        decoder = try weights.decoder(configuration, normOffset: 1)
        layers = try weights.layers(configuration) { path, _ throws(ModelError) in
            try GemmaLayer(path, attention, configuration, weights, headNormOffset: nil)
        }
    }

    var layerCount: Int { layers.count }
    var maxColumns: Int { layers.reduce(decoder.maxColumns) { max($0, $1.maxColumns) } }
    var widestWindow: Int? { windows.widest }

    func forward(_ pass: ForwardPass, logitsOf rows: [Int]) {
        pass.embed(decoder.embedding, scale: Float(decoder.embedding.columns).squareRoot())
        pass.turn(rotary, pass.rotary)
        for (index, layer) in layers.enumerated() {
            pass.run(layer, attention, index: index, window: windows[index], pass.rotary)
        }
        pass.project(rows: rows, norm: decoder.norm, head: decoder.head, softCap: logitSoftCap)
    }
}

/// A layer of Gemma 2 and 3.
struct GemmaLayer: Sendable {
    let inputNorm: Norm  // input_layernorm
    let attention: AttentionWeights  // self_attn
    let postAttentionNorm: Norm  // post_attention_layernorm
    let preFeedForwardNorm: Norm  // pre_feedforward_layernorm
    let feedForward: FeedForward  // mlp
    let postFeedForwardNorm: Norm  // post_feedforward_layernorm

    init(
        _ path: String,
        _ attention: Attention,
        _ configuration: ModelConfiguration,
        _ weights: WeightReader,
        headNormOffset: Float?
    ) throws(ModelError) {
        let hidden = configuration.hiddenSize
        inputNorm = try weights.norm("\(path).input_layernorm", hidden, offset: 1)
        self.attention = try weights.attention(
            "\(path).self_attn",
            attention,
            hidden: hidden,
            bias: configuration.attentionBias,
            outputBias: configuration.attentionBias,
            headNormOffset: headNormOffset
        )
        postAttentionNorm = try weights.norm("\(path).post_attention_layernorm", hidden, offset: 1)
        preFeedForwardNorm = try weights.norm("\(path).pre_feedforward_layernorm", hidden, offset: 1)
        feedForward = try weights.feedForward(
            "\(path).mlp",
            hidden: hidden,
            size: configuration.intermediateSize,
            activation: configuration.activation
        )
        postFeedForwardNorm = try weights.norm("\(path).post_feedforward_layernorm", hidden, offset: 1)
    }

    var maxColumns: Int { max(attention.qkv.columns, attention.output.columns, feedForward.maxColumns) }
}

extension ForwardPass {
    /// Takes `hidden` through a layer.
    func run(_ layer: GemmaLayer, _ attention: Attention, index: Int, window: Int?, _ table: RotaryTable) {
        normalize(layer.inputNorm)
        attend(attention, layer.attention, layer: index, window: window, table)
        layer.attention.output.apply(attended, tokens: count, into: projected, on: compute)
        addNormalized(layer.postAttentionNorm)
        normalize(layer.preFeedForwardNorm)
        activate(layer.feedForward, normed, tokens: count)
        layer.feedForward.down.apply(attended, tokens: count, into: projected, on: compute)
        addNormalized(layer.postFeedForwardNorm)
    }
}
