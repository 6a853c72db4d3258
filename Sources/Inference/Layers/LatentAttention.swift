import CKernels
import ModelFiles

/// The latent attention of one layer.
struct LatentAttention: Sendable {
    let description: LatentAttentionDescription
    let heads: Int
    /// Makes the numbers that q comes out of, and their norm; nil: q comes out of the layer's input.
    let queryDown: Linear?
    let queryNorm: RMSNorm?
    let query: Linear
    /// [latent vector | rotated end of k] of the layer's input.
    let keyValueDown: Linear
    /// Of the latent vector.
    let keyValueNorm: RMSNorm
    /// From a head of q, without its end, to the query for latent vectors.
    let keys: HeadMatrices
    /// From what a head has gathered of latent vectors to its values.
    let values: HeadMatrices
    let output: Linear
}

/// A matrix for each head, in one of the file.
struct HeadMatrices: Sendable {
    let all: Matrix
    let heads: Int
    /// Rows from one head's to the next one's, before a head's in these, and of a head.
    let stride: Int
    let first: Int
    let rows: Int
    let isTransposed: Bool

    /// y = scale × W x for each token and head.
    func multiply(
        _ x: ck_head_vectors,
        scale: Float = 1,
        tokens: Int,
        into y: ck_head_vectors,
        on compute: Compute
    ) {
        var view = ck_head_matrices(
            all: all.view,
            heads: Int32(heads),
            stride: Int32(stride),
            first: Int32(first),
            rows: Int32(rows),
            transposed: isTransposed
        )
        ck_multiply_heads(compute.handle, &view, x, scale, Int32(tokens), y)
    }
}

extension WeightReader {
    /// The reference has this epsilon for the norms of small vectors, whatever that of the others is.
    private static let epsilon: Float = 1e-6

    /// Binds `q_proj`, or `q_a_proj` and `q_b_proj`; `kv_a_proj_with_mqa`, what follows it, and `o_proj` at `path`.
    func latentAttention(
        _ attention: LatentAttentionDescription,
        of model: TransformerDescription,
        at path: String
    ) throws(ModelError) -> LatentAttention {
        let (heads, hidden) = (model.heads.count, model.hiddenSize)
        func smallNorm(_ name: String, _ count: Int) throws(ModelError) -> RMSNorm {
            RMSNorm(weight: try vector("\(path).\(name)", count) { $0 }, epsilon: Self.epsilon)
        }
        let (rank, bias) = (attention.queryRank, attention.bias)
        var queryDown: Linear?
        if let rank { queryDown = try linear(path, [LinearPart("q_a_proj", rank)], columns: hidden, bias: bias) }
        let (keys, values) = try headMatrices(attention, heads: heads, at: path)
        return LatentAttention(
            description: attention,
            heads: heads,
            queryDown: queryDown,
            queryNorm: try rank.map { (rank) throws(ModelError) in try smallNorm("q_a_layernorm", rank) },
            query: try linear(
                path,
                [LinearPart(rank == nil ? "q_proj" : "q_b_proj", heads * attention.querySize)],
                columns: rank ?? hidden,
                bias: .none
            ),
            keyValueDown: try linear(
                path,
                [LinearPart("kv_a_proj_with_mqa", attention.keySize)],
                columns: hidden,
                bias: bias
            ),
            keyValueNorm: try smallNorm("kv_a_layernorm", attention.rank),
            keys: keys,
            values: values,
            output: try linear(
                path,
                [LinearPart("o_proj", hidden)],
                columns: heads * attention.valueSize,
                inputs: .inner,
                bias: bias
            )
        )
    }

    /// Binds `kv_b_proj`, which has the matrices of a head's keys and values one below the other; or, as MLX and GGUF files
    /// have them, a stack of those of the keys, transposed, and one of those of the values.
    private func headMatrices(
        _ attention: LatentAttentionDescription,
        heads: Int,
        at path: String
    ) throws(ModelError) -> (keys: HeadMatrices, values: HeadMatrices) {
        let (rank, plain, value) = (attention.rank, attention.plainSize, attention.valueSize)
        func part(_ all: Matrix, stride: Int, first: Int, rows: Int, transposed: Bool) -> HeadMatrices {
            HeadMatrices(
                all: all,
                heads: heads,
                stride: stride,
                first: first,
                rows: rows,
                isTransposed: transposed
            )
        }
        for (keyName, valueName) in [("embed_q", "unembed_out"), ("k_b_proj", "v_b_proj")]
        where has("\(path).\(keyName)") || has("\(path).\(valueName)") {
            let keys = try stack("\(path).\(keyName)", count: heads, rows: rank, columns: plain)
            let values = try stack("\(path).\(valueName)", count: heads, rows: value, columns: rank)
            return (
                part(keys, stride: rank, first: 0, rows: rank, transposed: false),
                part(values, stride: value, first: 0, rows: value, transposed: false)
            )
        }
        let stride = plain + value
        let both = try matrix("\(path).kv_b_proj", rows: heads * stride, columns: rank, readsRows: true)
        return (
            part(both, stride: stride, first: 0, rows: plain, transposed: true),
            part(both, stride: stride, first: plain, rows: value, transposed: false)
        )
    }

    /// The matrices of a stack [count, rows, columns], one below the other.
    private func stack(_ path: String, count: Int, rows: Int, columns: Int) throws(ModelError) -> Matrix {
        for suffix in [".weight", ".scales", ".biases"] {
            guard let tensor = tensors[path + suffix] else { continue }
            guard tensor.shape.count == 3, tensor.shape[0] == count, tensor.shape[1] == rows else {
                throw ModelError(
                    "\(tensor.label): has shape \(tensor.shape); \(count) matrices of \(rows) rows are expected"
                )
            }
            tensors.add(tensor.joined(), as: path + suffix)
        }
        // In packed form those of a head can be told apart where panels of rows are not shared.
        let isDivided = rows % Int(CK_PANEL_ROWS) == 0
        return try matrix(path, rows: count * rows, columns: columns, readsRows: !isDivided)
    }
}

extension Tensor {
    /// The matrices of a stack, one below the other.
    fileprivate func joined() -> Tensor {
        Tensor(
            name: name,
            type: type,
            shape: [shape[0] * shape[1], shape[2]],
            bytes: bytes,
            file: file,
            origin: origin
        )
    }
}

extension LatentAttentionDescription {
    /// Floats that a token takes in the buffers of `ForwardPass`.
    func stepFloats(heads: Int) -> Int {
        (queryRank ?? 0) + keySize + heads * (querySize + keySize + rank + valueSize)
    }
}

extension ForwardPass {
    /// headValues = latent attention of each token of `normed`; what later positions need goes to KV memory.
    func attend(_ attention: LatentAttention, layer: Int) {
        let (description, heads) = (attention.description, attention.heads)
        var kv = keysAndValues(ofLayer: layer)
        let queries = store(attention, layer: layer)
        let spans = spans(of: AttentionHeads(count: heads, kvCount: 1, size: description.keySize))
        let gathered = attentionOutput.ensureCapacity(count * heads * description.rank)
        ck_attention(
            compute.handle,
            &kv,
            places.baseAddress,
            queries,
            Int32(heads),
            CK_Q,
            ck_attention_mask(window: 0, first: Int32(description.firstPosition), soft_cap: 0, sinks: nil),
            spans,
            Int32(spans.count),
            gathered
        )
        let values = headValues.ensureCapacity(count * heads * description.valueSize)
        attention.values.multiply(
            vectors(gathered, description.rank, heads: heads),
            tokens: count,
            into: vectors(values, description.valueSize, heads: heads),
            on: compute
        )
    }

    /// The part of `attend` that later positions need: what KV memory holds of each token of `normed` goes there.
    /// - Returns: the queries for it.
    @discardableResult
    func store(_ attention: LatentAttention, layer: Int) -> UnsafeMutablePointer<Float> {
        let (description, heads) = (attention.description, attention.heads)
        var kv = keysAndValues(ofLayer: layer)
        let queries = computeLatentQueries(attention)
        let rotary = rotaryTables[0]
        let half = description.rotarySize / 2
        var preparation = ck_latent_transform(
            k_norm: attention.keyValueNorm.weight.start,
            epsilon: attention.keyValueNorm.epsilon,
            plain_size: Int32(description.plainSize),
            interleaved: description.isInterleaved,
            cosines: rotary.cosines.buffer(count * half),
            sines: rotary.sines.buffer(count * half),
            scale: description.scale
        )
        attention.keyValueDown.apply(normed, tokens: count, into: latentKeys, on: compute)
        ck_transform_and_store_latent(
            compute.handle,
            &kv,
            places.baseAddress,
            qkv.buffer(count * heads * description.querySize),
            latentKeys.buffer(count * description.keySize),
            Int32(heads),
            &preparation,
            runs,
            Int32(runs.count),
            queries
        )
        return queries
    }

    /// latentQueries = the queries for latent vectors, without the ends, which are not rotated yet: these are in `qkv`.
    private func computeLatentQueries(_ attention: LatentAttention) -> UnsafeMutablePointer<Float> {
        let (description, heads) = (attention.description, attention.heads)
        if let down = attention.queryDown, let norm = attention.queryNorm {
            down.apply(normed, tokens: count, into: queryVectors, on: compute)
            norm.apply(queryVectors, tokens: count, into: queryVectors, on: compute)
            attention.query.apply(queryVectors, tokens: count, into: qkv, on: compute)
        } else {
            attention.query.apply(normed, tokens: count, into: qkv, on: compute)
        }
        let queries = latentQueries.ensureCapacity(count * heads * description.keySize)
        let own = qkv.buffer(count * heads * description.querySize)
        attention.keys.multiply(
            vectors(own, description.querySize, heads: heads),
            scale: description.scale,
            tokens: count,
            into: vectors(queries, description.keySize, heads: heads),
            on: compute
        )
        return queries
    }

    /// Those of each head of each token, side by side.
    private func vectors(_ start: UnsafeMutablePointer<Float>, _ size: Int, heads: Int) -> ck_head_vectors {
        ck_head_vectors(start: start, token_stride: heads * size, head_stride: size)
    }
}
