import ModelFiles

/// Qwen 3 with a mixture of experts (arXiv 2505.09388): as Qwen 3, but most layers have many small feed-forward networks
/// of which a router chooses a few for each token. A window, if one is switched on, holds in every layer.
struct Qwen3MoE: Architecture {
    let attention: Attention
    let widestWindow: Int?
    private let rotary: RotaryEmbedding
    private let decoder: Decoder  // model, lm_head
    private let layers: [Layer]  // model.layers.N

    private struct Layer: Sendable {
        let inputNorm: Norm  // input_layernorm
        let attention: AttentionWeights  // self_attn
        let postNorm: Norm  // post_attention_layernorm
        let mlp: MLP  // mlp
    }

    private enum MLP: Sendable {
        case dense(FeedForward)
        case sparse(MixtureOfExperts)
    }

    init(_ configuration: ModelConfiguration, _ weights: WeightReader) throws(ModelError) {
        let hidden = configuration.hiddenSize
        let attention = Attention(configuration)
        self.attention = attention
        widestWindow = configuration.slidingWindow
        rotary = RotaryEmbedding(configuration.rope)
        decoder = try weights.decoder(configuration)
        layers = try weights.layers(configuration) { path, index throws(ModelError) in
            Layer(
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
                mlp: try Self.mlp("\(path).mlp", index, configuration, weights)
            )
        }
    }

    private static func mlp(
        _ path: String,
        _ index: Int,
        _ configuration: ModelConfiguration,
        _ weights: WeightReader
    ) throws(ModelError) -> MLP {
        let (hidden, activation) = (configuration.hiddenSize, configuration.activation)
        if let experts = configuration.experts, !experts.denseLayers.contains(index) {
            return .sparse(try weights.mixture(path, experts, hidden: hidden, activation: activation))
        }
        let size = configuration.intermediateSize
        return .dense(try weights.feedForward(path, hidden: hidden, size: size, activation: activation))
    }

    var layerCount: Int { layers.count }

    var maxColumns: Int {
        layers.reduce(decoder.maxColumns) { widest, layer in
            let mlp =
                switch layer.mlp {
                case .dense(let network): network.maxColumns
                case .sparse(let mixture): mixture.maxColumns
                }
            return max(widest, layer.attention.qkv.columns, layer.attention.output.columns, mlp)
        }
    }

    func forward(_ pass: ForwardPass, logitsOf rows: [Int]) {
        pass.embed(decoder.embedding)
        pass.turn(rotary, pass.rotary)
        for (index, layer) in layers.enumerated() {
            pass.normalize(layer.inputNorm)
            pass.attend(attention, layer.attention, layer: index, window: widestWindow, pass.rotary)
            pass.addOutput(of: layer.attention)
            pass.normalize(layer.postNorm)
            switch layer.mlp {
            case .dense(let network): pass.addFeedForward(network)
            case .sparse(let mixture): pass.addExperts(mixture)
            }
        }
        pass.project(rows: rows, norm: decoder.norm, head: decoder.head)
    }
}
