import ModelFiles

/// Gemma 3, its language model (arXiv 2503.19786): layers as in Gemma 2, with norms on each head of q and k and without
/// a cap on scores. Every sixth layer sees all positions, the others a window; the two kinds turn q and k by bases of
/// their own, and only the first kind's is stretched for long contexts.
///
/// Models that also see pictures have the language model under a longer name; the rest of them is not read.
struct Gemma3: Architecture {
    let attention: Attention
    private let windows: [Int?]
    private let rotary: RotaryEmbedding
    private let localRotary: RotaryEmbedding
    private let logitSoftCap: Float?
    private let decoder: Decoder  // model
    private let layers: [GemmaLayer]  // model.layers.N

    init(_ configuration: ModelConfiguration, _ weights: WeightReader) throws(ModelError) {
        // As text models have it, then as models with pictures have it, older ones first.
        let paths = ["model", "language_model.model", "model.language_model"]
        let path = paths.first { weights.has("\($0).embed_tokens") } ?? paths[0]
        let attention = Attention(configuration)
        self.attention = attention
        windows = configuration.windows { ($0 + 1) % (configuration.slidingWindowPattern ?? 6) != 0 }
        rotary = RotaryEmbedding(configuration.rope)
        localRotary = RotaryEmbedding(configuration.localRope ?? configuration.rope)
        logitSoftCap = configuration.logitSoftCap
        let head = path == paths[1] ? "language_model.lm_head" : "lm_head"
        decoder = try weights.decoder(configuration, path: path, head: head, normOffset: 1)
        layers = try weights.layers(configuration, path: "\(path).layers") { path, _ throws(ModelError) in
            try GemmaLayer(path, attention, configuration, weights, headNormOffset: 1)
        }
    }

    var layerCount: Int { layers.count }
    var maxColumns: Int { layers.reduce(decoder.maxColumns) { max($0, $1.maxColumns) } }
    var widestWindow: Int? { windows.widest }

    func forward(_ pass: ForwardPass, logitsOf rows: [Int]) {
        pass.embed(decoder.embedding, scale: Float(decoder.embedding.columns).squareRoot())
        pass.turn(rotary, pass.rotary)
        pass.turn(localRotary, pass.localRotary)
        for (index, layer) in layers.enumerated() {
            let table = windows[index] == nil ? pass.rotary : pass.localRotary
            pass.run(layer, attention, index: index, window: windows[index], table)
        }
        pass.project(rows: rows, norm: decoder.norm, head: decoder.head, softCap: logitSoftCap)
    }
}
