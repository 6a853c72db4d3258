import CKernels
import ModelFiles

/// The shape of causal grouped-query attention over paged KV memory, the same in all layers of a model.
struct Attention: Sendable {
    let heads: Int
    let kvHeads: Int
    let headSize: Int
    /// Multiplies q · k.
    let scale: Float
    /// Scores s become cap × tanh(s / cap); nil: they stay.
    let softCap: Float?

    init(_ configuration: ModelConfiguration, softCap: Float? = nil) {
        heads = configuration.headCount
        kvHeads = configuration.kvHeadCount
        headSize = configuration.headSize
        scale = 1 / (configuration.attentionScalar ?? Float(configuration.headSize)).squareRoot()
        self.softCap = softCap
    }

    /// The sizes of q and of the output, and of k and v.
    var querySize: Int { heads * headSize }
    var keySize: Int { kvHeads * headSize }
}

/// The weights of one layer's attention.
struct AttentionWeights: Sendable {
    /// [q | k | v] of the layer's input.
    let qkv: Projection
    /// Norms of each head of q and k by itself, before they turn.
    let queryNorm: Norm?
    let keyNorm: Norm?
    let output: Projection
}

extension WeightReader {
    /// Binds `qkv_proj`, or `q_proj`, `k_proj` and `v_proj`, and `o_proj` at `path`.
    /// - Parameters:
    ///   - expectsFused: whether the first form is the model's own.
    ///   - headNormOffset: added to the weights of `q_norm` and `k_norm`; nil: the model has none.
    func attention(
        _ path: String,
        _ attention: Attention,
        hidden: Int,
        expectsFused: Bool = false,
        bias: Bool? = false,
        outputBias: Bool? = false,
        headNormOffset: Float? = nil
    ) throws(ModelError) -> AttentionWeights {
        let (q, k) = (attention.querySize, attention.keySize)
        func headNorm(_ name: String) throws(ModelError) -> Norm? {
            guard let headNormOffset else { return nil }
            return try norm("\(path).\(name)", attention.headSize, offset: headNormOffset)
        }
        return AttentionWeights(
            qkv: try projection(
                path,
                fused: "qkv_proj",
                parts: [("q_proj", q), ("k_proj", k), ("v_proj", k)],
                columns: hidden,
                expectsFused: expectsFused,
                bias: bias
            ),
            queryNorm: try headNorm("q_norm"),
            keyNorm: try headNorm("k_norm"),
            output: try projection("\(path).o_proj", rows: hidden, columns: q, bias: outputBias)
        )
    }
}

extension ForwardPass {
    /// hidden += the output of attention, of what each token has `attended`.
    func addOutput(of weights: AttentionWeights) {
        weights.output.apply(attended, tokens: count, into: hidden, adding: true, on: compute)
    }

    /// attended = attention of each token of `normed`; k and v go to KV memory.
    /// - Parameter window: how many positions a token sees, itself included; nil is all.
    func attend(_ attention: Attention, _ weights: AttentionWeights, layer: Int, window: Int?, _ table: RotaryTable) {
        weights.qkv.apply(normed, tokens: count, into: projected, on: compute)
        var kv = kv.view(layer: layer)
        let heads = Int32(attention.heads)
        let qkv = projected.holding(count * (attention.querySize + 2 * attention.keySize))
        let half = count * table.dimensions / 2
        var preparation = ck_preparation(
            q_norm: weights.queryNorm?.weight.start,
            k_norm: weights.keyNorm?.weight.start,
            epsilon: weights.queryNorm?.epsilon ?? 0,
            dimensions: Int32(table.dimensions),
            cosines: table.cosines.holding(half),
            sines: table.sines.holding(half),
            scale: attention.scale
        )
        ck_prepare_and_store(compute.handle, &kv, places.baseAddress, qkv, Int32(count), heads, &preparation)
        ck_attention(
            compute.handle,
            &kv,
            places.baseAddress,
            qkv,
            heads,
            ck_view(window: Int32(window ?? 0), soft_cap: attention.softCap ?? 0),
            spans,
            Int32(spans.count),
            attended.reserving(count * attention.querySize)
        )
    }
}
