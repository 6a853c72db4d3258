import CKernels
import EngineContract
import ModelFiles
import Support
import Testing

@testable import Inference

/// One session's latent attention in one layer.
struct LatentAttentionCase: Sendable, CustomTestStringConvertible {
    var heads: Int
    var rank: Int
    var plain: Int
    var rotated: Int
    var value: Int
    var isInterleaved = true
    /// No token sees a position before this one but its own.
    var first = 0
    var count = 45
    /// Whether keys and values have matrices by themselves, that of the keys transposed.
    var hasSeparateMatrices = false
    /// A number of a token's latent vector and rotated end that is none.
    var spoiled: (token: Int, place: Int)?

    var testDescription: String { "\(count) tokens, \(heads) heads, \(rank) + \(rotated)" }

    private static let epsilon: Float = 1e-6
    private static let scale: Float = 0.2
    private var querySize: Int { plain + rotated }
    private var keySize: Int { rank + rotated }

    struct Inputs {
        /// [count, heads, plain + rotated]
        var q: [Float]
        /// [count, rank + rotated]
        var k: [Float]
        /// [rank]
        var norm: [Float]
        /// Of each head, for keys and then for values: [heads, plain + value, rank].
        var matrices: [Float]
    }

    func inputs() -> Inputs {
        var generator = SeededGenerator(seed: 29)
        func numbers(_ count: Int, _ size: Float = 1) -> [Float] {
            (0..<count).map { _ in Float.random(in: -size...size, using: &generator) }
        }
        var k = numbers(count * keySize)
        if let spoiled { k[spoiled.token * keySize + spoiled.place] = .nan }
        return Inputs(
            q: numbers(count * heads * querySize),
            k: k,
            norm: numbers(rank, 0.5).map { 1 + $0 },
            matrices: numbers(heads * (plain + value) * rank, 2 / Float(rank).squareRoot())
        )
    }

    private func angle(_ position: Int, _ pair: Int) -> Double { Double(position) / Double(1 + pair) }

    // MARK: By the kernels

    /// The values of all tokens and heads, [count, heads × value], in memory that has held what is not a number.
    func computed(_ inputs: Inputs, _ type: KVType, _ way: AttentionWay) throws -> [Float] {
        let layer = KVShape.Layer(heads: 1, headSize: keySize, latentSize: rank)
        var weights: Layer?
        return try way.steps(
            tokens: count,
            heads: AttentionHeads(count: heads, kvCount: 1, size: keySize),
            layers: [layer, layer],
            valueSize: rank,
            type
        ) { entry, pass in
            let own = try weights ?? self.layer(inputs, on: pass.compute)
            weights = own
            return step(entry, inputs, own, pass)
        }
    }

    private typealias Layer = (keys: HeadMatrices, values: HeadMatrices, norm: Vector)

    private func layer(_ inputs: Inputs, on compute: Compute) throws -> Layer {
        let size = ck_head_scratch(Int32(max(rank, plain)), Int32(max(rank, plain)))
        try #require(ck_compute_reserve(compute.handle, size))
        let norm = try #require(Vector(inputs.norm))
        let stride = plain + value
        guard hasSeparateMatrices else {
            let both = matrix(inputs.matrices, rows: heads * stride, columns: rank)
            return (
                part(both, stride, 0, plain, transposed: true), part(both, stride, plain, value, transposed: false),
                norm
            )
        }
        var (keys, values): ([Float], [Float]) = ([], [])
        for head in 0..<heads {
            let own = Array(inputs.matrices[(head * stride * rank)...].prefix(stride * rank))
            for column in 0..<rank { for row in 0..<plain { keys.append(own[row * rank + column]) } }
            values += own[(plain * rank)...]
        }
        return (
            part(matrix(keys, rows: heads * rank, columns: plain), rank, 0, rank, transposed: false),
            part(matrix(values, rows: heads * value, columns: rank), value, 0, value, transposed: false),
            norm
        )
    }

    private func part(_ all: Matrix, _ stride: Int, _ first: Int, _ rows: Int, transposed: Bool) -> HeadMatrices {
        HeadMatrices(all: all, heads: heads, stride: stride, first: first, rows: rows, isTransposed: transposed)
    }

    private func matrix(_ values: [Float], rows: Int, columns: Int) -> Matrix {
        let bytes = values.withUnsafeBytes { FileBytes(copying: $0) }
        var view = ck_matrix()
        view.format = CK_F32
        view.rows = Int32(rows)
        view.columns = Int32(columns)
        view.row_bytes = 4 * columns
        view.weights = bytes.bytes.baseAddress
        return Matrix(view, memory: [bytes])
    }

    private func step(_ entry: StepEntry, _ inputs: Inputs, _ layer: Layer, _ pass: ForwardPass) -> [Float] {
        let (tokens, start) = (entry.tokens.count, entry.startPosition)
        pass.begin([entry])
        var q = Array(inputs.q[(start * heads * querySize)...].prefix(tokens * heads * querySize))
        var k = Array(inputs.k[(start * keySize)...].prefix(tokens * keySize))
        var queries = [Float](repeating: .nan, count: tokens * heads * keySize)
        var gathered = [Float](repeating: .nan, count: tokens * heads * rank)
        var out = [Float](repeating: .nan, count: tokens * heads * value)
        var view = pass.kv.view(layer: 1)
        func multiply(_ w: HeadMatrices, _ x: inout [Float], _ y: inout [Float], _ sizes: (Int, Int), _ scale: Float) {
            x.withUnsafeMutableBufferPointer { x in
                y.withUnsafeMutableBufferPointer { y in
                    let from = ck_head_vectors(
                        start: x.baseAddress,
                        token_stride: heads * sizes.0,
                        head_stride: sizes.0
                    )
                    let to = ck_head_vectors(start: y.baseAddress, token_stride: heads * sizes.1, head_stride: sizes.1)
                    w.multiply(from, scale: scale, tokens: tokens, into: to, on: pass.compute)
                }
            }
        }
        let spans = pass.spans(of: AttentionHeads(count: heads, kvCount: 1, size: keySize))
        multiply(layer.keys, &q, &queries, (querySize, keySize), Self.scale)
        store(q, &k, layer, &queries, &view, pass)
        ck_attention(
            pass.compute.handle,
            &view,
            pass.places.baseAddress,
            queries,
            Int32(heads),
            CK_Q,
            ck_attention_mask(window: 0, first: Int32(first), soft_cap: 0, sinks: nil),
            spans,
            Int32(spans.count),
            &gathered
        )
        multiply(layer.values, &gathered, &out, (rank, value), 1)
        return out
    }

    private func store(
        _ q: [Float],
        _ k: inout [Float],
        _ layer: Layer,
        _ queries: inout [Float],
        _ view: inout ck_kv,
        _ pass: ForwardPass
    ) {
        let angles = pass.positions.flatMap { position in (0..<rotated / 2).map { angle(position, $0) } }
        let (cosines, sines) = (angles.map { Float(cosine($0)) }, angles.map { Float(cosine($0 - .pi / 2)) })
        cosines.withUnsafeBufferPointer { cosines in
            sines.withUnsafeBufferPointer { sines in
                var preparation = ck_latent_transform(
                    k_norm: layer.norm.start,
                    epsilon: Self.epsilon,
                    plain_size: Int32(plain),
                    interleaved: isInterleaved,
                    cosines: cosines.baseAddress,
                    sines: sines.baseAddress,
                    scale: Self.scale
                )
                ck_transform_and_store_latent(
                    pass.compute.handle,
                    &view,
                    pass.places.baseAddress,
                    q,
                    &k,
                    Int32(heads),
                    &preparation,
                    pass.runs,
                    Int32(pass.runs.count),
                    &queries
                )
            }
        }
    }

    // MARK: By plain arithmetic

    private func rotation(_ numbers: ArraySlice<Float>, position: Int) -> [Double] {
        let values = numbers.map(Double.init)
        var result = values
        for pair in 0..<rotated / 2 {
            let (first, second) = isInterleaved ? (2 * pair, 2 * pair + 1) : (pair, pair + rotated / 2)
            let (c, s) = (cosine(angle(position, pair)), cosine(angle(position, pair) - .pi / 2))
            result[first] = values[first] * c - values[second] * s
            result[second] = values[second] * c + values[first] * s
        }
        return result
    }

    /// The outputs of the last tokens.
    func expected(_ inputs: Inputs, last: Int) -> [Double] {
        let latent = (0..<count).map { token in
            let own = inputs.k[(token * keySize)...].prefix(rank).map(Double.init)
            let mean = own.reduce(0) { $0 + $1 * $1 } / Double(rank) + Double(Self.epsilon)
            return zip(own, inputs.norm).map { $0 / mean.squareRoot() * Double($1) }
        }
        let ends = (0..<count).map { token in
            rotation(inputs.k[(token * keySize + rank)...].prefix(rotated), position: token)
        }
        // [heads][tokens][values]
        let outputs = (0..<heads).map { expected(inputs, head: $0, latent, ends, last: last) }
        return (0..<last).flatMap { token in outputs.flatMap { $0[token] } }
    }

    private func expected(
        _ inputs: Inputs,
        head: Int,
        _ latent: [[Double]],
        _ ends: [[Double]],
        last: Int
    ) -> [[Double]] {
        let start = head * (plain + value)
        let matrix = (start..<start + plain + value).map {
            inputs.matrices[($0 * rank)...].prefix(rank).map(Double.init)
        }
        // The keys, without their ends, and then the values.
        let both = latent.map { vector in matrix.map { row in zip(row, vector).reduce(0) { $0 + $1.0 * $1.1 } } }
        return (count - last..<count).map { token in
            let q = inputs.q[(token * heads * querySize + head * querySize)...].prefix(querySize)
            let query = q.prefix(plain).map(Double.init) + rotation(q.suffix(rotated), position: token)
            let seen = min(first, token)...token
            let weights = seen.map { other in
                let key = both[other].prefix(plain) + ends[other]
                return expDouble(zip(query, key).reduce(0) { $0 + $1.0 * $1.1 } * Double(Self.scale))
            }
            let total = weights.reduce(0, +)
            return (plain..<plain + value).map { row in
                zip(weights, seen).reduce(0) { $0 + $1.0 * both[$1.1][row] } / total
            }
        }
    }
}
