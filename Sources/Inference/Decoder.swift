import ModelFiles

/// What decoder-only models have around their layers.
struct Decoder: Sendable {
    let embedding: Matrix  // embed_tokens
    let norm: Norm  // norm
    let head: Matrix  // lm_head, or the embedding again

    var maxColumns: Int { max(embedding.columns, head.columns) }
}

/// The most common layer: attention and a feed-forward network, a norm before each.
struct DecoderLayer: Sendable {
    let inputNorm: Norm  // input_layernorm
    let attention: AttentionWeights  // self_attn
    let postNorm: Norm  // post_attention_layernorm
    let feedForward: FeedForward  // mlp

    var maxColumns: Int { max(attention.qkv.columns, attention.output.columns, feedForward.maxColumns) }
}

extension WeightReader {
    /// Binds `embed_tokens` and `norm` at `path`, and `lm_head` beside it.
    /// - Parameter normOffset: added to the norm's weights.
    func decoder(
        _ configuration: ModelConfiguration,
        path: String = "model",
        head: String = "lm_head",
        normOffset: Float = 0
    ) throws(ModelError) -> Decoder {
        let (rows, columns) = (configuration.vocabularySize, configuration.hiddenSize)
        let embedding = try matrix("\(path).embed_tokens", rows: rows, columns: columns)
        return Decoder(
            embedding: embedding,
            norm: try norm("\(path).norm", columns, offset: normOffset),
            head: configuration.tiesEmbeddings ? embedding : try matrix(head, rows: rows, columns: columns)
        )
    }

    /// Binds the layers at `path`.N, telling how far it has come.
    func layers<Layer>(
        _ configuration: ModelConfiguration,
        path: String = "model.layers",
        _ bind: (_ path: String, _ index: Int) throws(ModelError) -> Layer
    ) throws(ModelError) -> [Layer] {
        var layers: [Layer] = []
        for index in 0..<configuration.layerCount {
            layers.append(try bind("\(path).\(index)", index))
            report(Double(index + 1) / Double(configuration.layerCount))
        }
        return layers
    }
}

extension ForwardPass {
    /// Takes `hidden` through a layer.
    func run(_ layer: DecoderLayer, _ attention: Attention, index: Int, window: Int?) {
        normalize(layer.inputNorm)
        attend(attention, layer.attention, layer: index, window: window, rotary)
        addOutput(of: layer.attention)
        normalize(layer.postNorm)
        addFeedForward(layer.feedForward)
    }
}
