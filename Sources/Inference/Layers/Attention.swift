import CKernels
import ModelFiles

/// The attention of one layer.
struct Attention: Sendable {
    let description: AttentionDescription
    let heads: AttentionHeads
    /// [q | k | v] of the layer's input, or the first of these; with output gates, each head of q is followed by its gate.
    let qkv: Linear
    let projections: ck_projections
    /// Of q and k, as the description says.
    let queryNorm: RMSNorm?
    let keyNorm: RMSNorm?
    /// Of each head of v by itself.
    let valueNorm: Vector?
    let normEpsilon: Float
    /// A score of each head.
    let sinks: Vector?
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
        let (heads, hidden) = (model.heads(of: attention), model.hiddenSize)
        let q = heads.querySize
        func headNorm(_ name: String, _ size: Int) throws(ModelError) -> RMSNorm? {
            guard attention.hasHeadNorms else { return nil }
            return try norm("\(path).\(name)", attention.headNorms == .ofAllHeads ? size : heads.size, of: model)
        }
        return Attention(
            description: attention,
            heads: heads,
            qkv: try projection(attention, of: model, at: path),
            projections: attention.projections,
            queryNorm: try headNorm(names.queryNorm, q),
            keyNorm: attention.sharedLayer == nil ? try headNorm(names.keyNorm, heads.keySize) : nil,
            valueNorm: attention.hasValueNorm ? Vector([Float](repeating: 1, count: heads.size)) : nil,
            normEpsilon: model.normEpsilon,
            // GGUF files have them as weights.
            sinks: attention.hasSinks
                ? try vector(named: ["\(path).sinks", "\(path).sinks.weight"], shapes: [[heads.count]]) : nil,
            output: try linear(
                path,
                [LinearPart(names.attentionOutput, hidden)],
                columns: q,
                inputs: .inner,
                bias: attention.outputBias
            )
        )
    }

    /// The matrices of q, k and v, as many of them as the layer has.
    private func projection(
        _ attention: AttentionDescription,
        of model: TransformerDescription,
        at path: String
    ) throws(ModelError) -> Linear {
        let heads = model.heads(of: attention)
        let (q, k) = (heads.querySize, heads.keySize)
        let queryRows = attention.hasOutputGate ? 2 * q : q
        func interleaved(_ count: Int) -> InterleavedHeads? {
            model.interleavesHeadRows ? InterleavedHeads(count: count, size: heads.size) : nil
        }
        let parts = [
            LinearPart("q_proj", queryRows, interleaved(heads.count)),
            LinearPart("k_proj", k, interleaved(heads.kvCount)),
            LinearPart("v_proj", k),
        ]
        guard attention.projections == CK_QKV else {
            let own = parts.prefix(1 + Int(attention.projections.rawValue))
            return try linear(path, Array(own), columns: model.hiddenSize, bias: attention.bias)
        }
        return try linear(
            path,
            fused: LinearPart("qkv_proj", queryRows + 2 * k, interleaved(heads.count + heads.kvCount)),
            parts: parts,
            columns: model.hiddenSize,
            expectsFused: attention.isFused,
            bias: attention.bias
        )
    }
}

extension AttentionDescription {
    fileprivate var projections: ck_projections {
        if sharedLayer != nil { return CK_Q }
        return valuesAreKeys ? CK_QK : CK_QKV
    }
}

extension ForwardPass {
    /// attentionOutput = attention of each token of `normed`; k and v, if the layer has some, go to KV memory.
    /// - Parameter layer: the place in KV memory of the layer whose keys and values are read.
    func attend(_ attention: Attention, layer: Int) {
        let (description, heads) = (attention.description, attention.heads)
        let qkv = store(attention, layer: layer)
        var kv = keysAndValues(ofLayer: layer)
        let spans = spans(of: heads)
        ck_attention(
            compute.handle,
            &kv,
            places.baseAddress,
            qkv,
            Int32(heads.count),
            attention.projections,
            ck_attention_mask(
                window: Int32(description.window ?? 0),
                first: Int32(description.firstPosition),
                soft_cap: description.softCap ?? 0,
                sinks: attention.sinks?.start
            ),
            spans,
            Int32(spans.count),
            attentionOutput.ensureCapacity(count * heads.querySize)
        )
        guard description.hasOutputGate else { return }
        let size = count * heads.querySize
        let (gates, output) = (outputGates.buffer(size), attentionOutput.buffer(size))
        ck_sigmoid_gate(compute.handle, gates, Int32(count), Int32(heads.querySize), output)
    }

    /// The part of `attend` that later positions need: k and v of each token of `normed` go to KV memory.
    /// - Returns: q, ready for attention, as rows of q, k and v have it.
    @discardableResult
    func store(_ attention: Attention, layer: Int) -> UnsafeMutablePointer<Float> {
        let (description, heads) = (attention.description, attention.heads)
        let qkv = project(attention)
        var kv = keysAndValues(ofLayer: layer)
        let rotary = description.rotary.map { rotaryTables[$0] } ?? unrotated
        normalizeAllHeads(of: attention, qkv)
        let half = rotary.dimensions / 2
        let hasHeadNorms = description.headNorms != .ofAllHeads
        rotary.withQueryScales { queryScales in
            var preparation = ck_qk_transform(
                q_norm: hasHeadNorms ? attention.queryNorm?.weight.start : nil,
                k_norm: hasHeadNorms ? attention.keyNorm?.weight.start : nil,
                v_norm: attention.valueNorm?.start,
                epsilon: attention.normEpsilon,
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
                attention.projections,
                &preparation,
                runs,
                Int32(runs.count)
            )
        }
        return qkv
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
