import CKernels
import ModelFiles

/// The attention of one layer.
struct Attention: Sendable {
    let description: AttentionDescription
    let heads: AttentionHeads
    /// [q | k | v] of the layer's input; with output gates, each head of q is followed by its gate.
    let qkv: Linear
    /// Of each head of q and k by itself, before it is rotated.
    let queryNorm: RMSNorm?
    let keyNorm: RMSNorm?
    let output: Linear
}

extension WeightReader {
    /// Binds `qkv_proj`, or `q_proj`, `k_proj` and `v_proj`, and `o_proj` at `path`, and the norms of heads.
    func attention(
        _ attention: AttentionDescription,
        of model: TransformerDescription,
        at path: String,
        _ names: LayerNames
    ) throws(ModelError) -> Attention {
        let (heads, hidden) = (model.heads, model.hiddenSize)
        let (q, k) = (heads.querySize, heads.keySize)
        let queryRows = attention.hasOutputGate ? 2 * q : q
        func interleaved(_ count: Int) -> InterleavedHeads? {
            model.interleavesHeadRows ? InterleavedHeads(count: count, size: heads.size) : nil
        }
        func headNorm(_ name: String) throws(ModelError) -> RMSNorm? {
            attention.hasHeadNorms ? try norm("\(path).\(name)", heads.size, of: model) : nil
        }
        return Attention(
            description: attention,
            heads: heads,
            qkv: try linear(
                path,
                fused: LinearPart("qkv_proj", queryRows + 2 * k, interleaved(heads.count + heads.kvCount)),
                parts: [
                    LinearPart("q_proj", queryRows, interleaved(heads.count)),
                    LinearPart("k_proj", k, interleaved(heads.kvCount)),
                    LinearPart("v_proj", k),
                ],
                columns: hidden,
                expectsFused: attention.isFused,
                bias: attention.bias
            ),
            queryNorm: try headNorm(names.queryNorm),
            keyNorm: try headNorm(names.keyNorm),
            output: try linear(
                path,
                [LinearPart(names.attentionOutput, hidden)],
                columns: q,
                bias: attention.outputBias
            )
        )
    }
}

extension ForwardPass {
    /// attentionOutput = attention of each token of `normed`; k and v go to KV memory.
    func attend(_ attention: Attention, layer: Int) {
        let (description, heads) = (attention.description, attention.heads)
        let qkv = project(attention)
        var kv = kv.view(layer: layer)
        let rotary = description.rotary.map { rotaryTables[$0] } ?? unrotated
        let half = rotary.dimensions / 2
        var preparation = ck_qk_transform(
            q_norm: attention.queryNorm?.weight.start,
            k_norm: attention.keyNorm?.weight.start,
            epsilon: attention.queryNorm?.epsilon ?? 0,
            dimensions: Int32(2 * half),
            cosines: rotary.cosines.buffer(count * half),
            sines: rotary.sines.buffer(count * half),
            scale: description.scale
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
        ck_attention(
            compute.handle,
            &kv,
            places.baseAddress,
            qkv,
            Int32(heads.count),
            ck_attention_mask(window: Int32(description.window ?? 0), soft_cap: description.softCap ?? 0),
            spans,
            Int32(spans.count),
            attentionOutput.ensureCapacity(count * heads.querySize)
        )
        guard description.hasOutputGate else { return }
        let size = count * heads.querySize
        let (gates, output) = (outputGates.buffer(size), attentionOutput.buffer(size))
        ck_sigmoid_gate(compute.handle, gates, Int32(count), Int32(heads.querySize), output)
    }

    /// qkv = [q | k | v] of each token of `normed`, and outputGates = the gates, if there are any.
    private func project(_ attention: Attention) -> UnsafeMutablePointer<Float> {
        let heads = attention.heads
        guard attention.description.hasOutputGate else {
            attention.qkv.apply(normed, tokens: count, into: qkv, on: compute)
            return qkv.buffer(count * attention.qkv.rows)
        }
        attention.qkv.apply(normed, tokens: count, into: projected, on: compute)
        let output = qkv.ensureCapacity(count * (heads.querySize + 2 * heads.keySize))
        ck_split_query_gates(
            compute.handle,
            projected.buffer(count * attention.qkv.rows),
            Int32(count),
            Int32(heads.count),
            Int32(heads.size),
            Int32(2 * heads.keySize),
            output,
            outputGates.ensureCapacity(count * heads.querySize)
        )
        return output
    }
}
