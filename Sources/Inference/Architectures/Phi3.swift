import ModelFiles

/// Phi-3: RMS norms, rotary positions, one matrix for q, k and v, one for gate and up, no biases.
struct Phi3: Architecture {
    let attention: Attention
    private let intermediateSize: Int
    private let rotary: RotaryEmbedding

    private let embedding: Matrix  // model.embed_tokens
    private let layers: [Layer]  // model.layers.N
    private let norm: Norm  // model.norm
    private let head: Matrix  // lm_head, or the embedding again

    private struct Layer: Sendable {
        let inputNorm: Norm  // input_layernorm
        let qkv: Matrix  // self_attn.qkv_proj
        let output: Matrix  // self_attn.o_proj
        let postNorm: Norm  // post_attention_layernorm
        let gateUp: Matrix  // mlp.gate_up_proj
        let down: Matrix  // mlp.down_proj
    }

    init(_ configuration: ModelConfiguration, _ weights: WeightReader) throws(ModelError) {
        let hidden = configuration.hiddenSize
        let intermediate = configuration.intermediateSize
        attention = Attention(
            heads: configuration.headCount,
            kvHeads: configuration.kvHeadCount,
            headSize: configuration.headSize,
            window: configuration.slidingWindow
        )
        intermediateSize = intermediate
        rotary = RotaryEmbedding(base: configuration.ropeBase, headSize: configuration.headSize)
        embedding = try weights.matrix("model.embed_tokens", rows: configuration.vocabularySize, columns: hidden)
        let queries = attention.heads * attention.headSize
        let projections = queries + 2 * attention.kvHeads * attention.headSize
        var layers: [Layer] = []
        for index in 0..<configuration.layerCount {
            let path = "model.layers.\(index)"
            layers.append(
                Layer(
                    inputNorm: try weights.norm("\(path).input_layernorm", hidden),
                    qkv: try weights.matrix("\(path).self_attn.qkv_proj", rows: projections, columns: hidden),
                    output: try weights.matrix("\(path).self_attn.o_proj", rows: hidden, columns: queries),
                    postNorm: try weights.norm("\(path).post_attention_layernorm", hidden),
                    gateUp: try weights.matrix("\(path).mlp.gate_up_proj", rows: 2 * intermediate, columns: hidden),
                    down: try weights.matrix("\(path).mlp.down_proj", rows: hidden, columns: intermediate)
                )
            )
            weights.report(Double(index + 1) / Double(configuration.layerCount))
        }
        self.layers = layers
        norm = try weights.norm("model.norm", hidden)
        head =
            configuration.tiesEmbeddings
            ? embedding
            : try weights.matrix("lm_head", rows: configuration.vocabularySize, columns: hidden)
    }

    var layerCount: Int { layers.count }
    var maxColumns: Int { max(embedding.columns, intermediateSize, attention.heads * attention.headSize) }

    func forward(_ pass: ForwardPass, logitsOf rows: [Int]) {
        let (count, compute) = (pass.count, pass.compute)
        pass.embed(embedding)
        rotary.fill(positions: pass.positions, cosines: pass.cosines, sines: pass.sines)
        for (index, layer) in layers.enumerated() {
            pass.normalize(layer.inputNorm)
            layer.qkv.multiply(pass.normed, tokens: count, into: pass.projected, on: compute)
            pass.attend(attention, layer: index)
            layer.output.multiply(pass.attended, tokens: count, into: pass.hidden, adding: true, on: compute)

            pass.normalize(layer.postNorm)
            layer.gateUp.multiply(pass.normed, tokens: count, into: pass.projected, on: compute)
            pass.activate(size: intermediateSize)
            layer.down.multiply(pass.attended, tokens: count, into: pass.hidden, adding: true, on: compute)
        }
        if !rows.isEmpty { pass.project(rows: rows, norm: norm, head: head) }
    }
}
