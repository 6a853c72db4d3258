import CKernels
import ModelFiles

/// The attention of one layer.
struct Attention: Sendable {
    let description: AttentionDescription
    let heads: AttentionHeads
    /// [q | k | v] of the layer's input.
    let qkv: Linear
    /// Of q and k, as the description says.
    let queryNorm: RMSNorm?
    let keyNorm: RMSNorm?
    /// A score of each head.
    let sinks: Vector?
    let output: Linear
}

extension WeightReader {
    /// Binds `qkv_proj`, or `q_proj`, `k_proj` and `v_proj`, and `o_proj` at `path`, and the norms of heads.
    func attention(
        _ attention: AttentionDescription,
        of model: TransformerDescription,
        at path: String
    ) throws(ModelError) -> Attention {
        let (heads, hidden) = (model.heads, model.hiddenSize)
        let (q, k) = (heads.querySize, heads.keySize)
        func interleaved(_ count: Int) -> InterleavedHeads? {
            model.interleavesHeadRows ? InterleavedHeads(count: count, size: heads.size) : nil
        }
        func headNorm(_ name: String, _ size: Int) throws(ModelError) -> RMSNorm? {
            guard attention.hasHeadNorms else { return nil }
            return try norm("\(path).\(name)", attention.headNorms == .ofAllHeads ? size : heads.size, of: model)
        }
        let isRotated = attention.headNorms == .ofRotatedHeads
        return Attention(
            description: attention,
            heads: heads,
            qkv: try linear(
                path,
                fused: LinearPart("qkv_proj", q + 2 * k, interleaved(heads.count + heads.kvCount)),
                parts: [
                    LinearPart("q_proj", q, interleaved(heads.count)),
                    LinearPart("k_proj", k, interleaved(heads.kvCount)),
                    LinearPart("v_proj", k),
                ],
                columns: hidden,
                expectsFused: attention.isFused,
                bias: attention.bias
            ),
            queryNorm: try headNorm(isRotated ? "query_layernorm" : "q_norm", q),
            keyNorm: try headNorm(isRotated ? "key_layernorm" : "k_norm", k),
            sinks: attention.hasSinks ? try sinks("\(path).sinks", heads.count) : nil,
            output: try linear(path, [LinearPart("o_proj", hidden)], columns: q, bias: attention.outputBias)
        )
    }
}

extension ForwardPass {
    /// attentionOutput = attention of each token of `normed`; k and v go to KV memory.
    func attend(_ attention: Attention, layer: Int) {
        let (description, heads) = (attention.description, attention.heads)
        attention.qkv.apply(normed, tokens: count, into: qkv, on: compute)
        let qkv = qkv.buffer(count * (heads.querySize + 2 * heads.keySize))
        var kv = kv.view(layer: layer)
        let rotary = description.rotary.map { rotaryTables[$0] } ?? unrotated
        normalizeAllHeads(of: attention, qkv)
        let half = rotary.dimensions / 2
        let hasHeadNorms = description.headNorms != .ofAllHeads
        rotary.withQueryScales { queryScales in
            var preparation = ck_qk_transform(
                q_norm: hasHeadNorms ? attention.queryNorm?.weight.start : nil,
                k_norm: hasHeadNorms ? attention.keyNorm?.weight.start : nil,
                epsilon: attention.queryNorm?.epsilon ?? 0,
                norms_last: description.headNorms == .ofRotatedHeads,
                dimensions: Int32(2 * half),
                cosines: rotary.cosines.buffer(count * half),
                sines: rotary.sines.buffer(count * half),
                scale: description.scale,
                q_scales: queryScales
            )
            ck_transform_qk_and_store_kv(
                compute.handle,
                &kv,
                places.baseAddress,
                qkv,
                Int32(heads.count),
                &preparation,
                runs,
                Int32(runs.count)
            )
        }
        ck_attention(
            compute.handle,
            &kv,
            places.baseAddress,
            qkv,
            Int32(heads.count),
            ck_attention_mask(
                window: Int32(description.window ?? 0),
                soft_cap: description.softCap ?? 0,
                sinks: attention.sinks?.start
            ),
            spans,
            Int32(spans.count),
            attentionOutput.ensureCapacity(count * heads.querySize)
        )
    }

    /// Normalises q and k, all heads together, if they have norms of that kind.
    private func normalizeAllHeads(of attention: Attention, _ qkv: UnsafeMutablePointer<Float>) {
        let heads = attention.heads
        guard attention.description.headNorms == .ofAllHeads, let query = attention.queryNorm,
            let key = attention.keyNorm
        else { return }
        let rowSize = heads.querySize + 2 * heads.keySize
        query.apply(within: qkv, tokens: count, rowSize: rowSize, on: compute)
        key.apply(within: qkv + heads.querySize, tokens: count, rowSize: rowSize, on: compute)
    }
}
