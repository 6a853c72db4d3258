import CKernels
import EngineContract
import Support
import Testing

@testable import Inference

/// One session's attention in one layer: its q, k and v, what the kernels make of them, and what plain arithmetic does.
struct AttentionCase: Sendable, CustomTestStringConvertible {
    var headSize: Int
    var heads: Int
    var kvHeads: Int
    /// The dimensions of a head that are rotated.
    var dimensions: Int
    var window = 0
    /// No token sees a position before this one but its own.
    var first = 0
    var cap: Float = 0
    var scale: Float = 0.2
    var hasNorms = false
    /// Whether the norms come after the rotation.
    var normsLast = false
    /// Whether each head has one more score.
    var hasSinks = false
    /// Whether q is scaled by its position, too.
    var scalesQueries = false
    var hasValueNorm = false
    /// What the layer computes of q, k and v: with q alone, another layer has stored keys and values.
    var projections = CK_QKV
    var count = 45
    /// Whether values and the Hadamard transforms of keys are multiples of 1/127 up to 1, which bytes hold exactly.
    var isGrid = false
    /// What the first dimension of each key is multiplied by, and that of each query divided by.
    var outlier: Float = 1
    /// A head of a token that holds what is not a number.
    var spoiled: (token: Int, head: Int)?

    var testDescription: String {
        "\(count) tokens, \(heads)/\(kvHeads) heads of \(headSize), window \(window) from \(first), cap \(cap), v \(projections.rawValue)"
    }
    private var rowSize: Int { (heads + Int(stored.rawValue) * kvHeads) * headSize }
    /// Of the layer that stores keys and values.
    private var stored: ck_projections { projections == CK_Q ? CK_QKV : projections }
    private static let epsilon: Float = 1e-5

    // MARK: Inputs

    struct Inputs {
        /// [count, q, k and v of all heads]
        var rows: [Float]
        var queryNorm: [Float]
        var keyNorm: [Float]
        /// Of each head.
        var sinks: [Float]
    }

    func inputs() -> Inputs {
        var generator = SeededGenerator(seed: 23)
        let numbers = (0..<count * rowSize + 1000).map { _ in Float.random(in: -1...1, using: &generator) }
        func norm(_ start: Int) -> [Float] { (0..<headSize).map { 1 + 0.5 * numbers[start + $0] } }
        var rows = Array(numbers.prefix(count * rowSize))
        if let spoiled { rows[spoiled.token * rowSize + spoiled.head * headSize + 5] = .nan }
        if isGrid {
            for token in 0..<count {
                for head in heads..<rowSize / headSize {
                    let start = token * rowSize + head * headSize
                    for d in start..<start + headSize { rows[d] = (rows[d] * 127).rounded() / 127 }
                    rows[start + token % headSize] = 1
                    if head < heads + kvHeads { transform(&rows[start..<start + headSize]) }
                }
            }
        }
        for token in 0..<count {
            for head in 0..<heads + kvHeads {
                rows[token * rowSize + head * headSize] *= head < heads ? 1 / outlier : outlier
            }
        }
        let sinks = numbers.suffix(heads).map { 6 * $0 }
        return Inputs(rows: rows, queryNorm: norm(100), keyNorm: norm(500), sinks: sinks)
    }

    /// The Hadamard transform of a head, which undoes itself.
    private func transform(_ head: inout ArraySlice<Float>) {
        let (block, whole) = (headSize & -headSize, head)
        for i in 0..<headSize {
            let (first, row) = (whole.startIndex + i / block * block, i % block)
            let sum = (0..<block).reduce(Float(0)) { sum, column in
                (row & column).nonzeroBitCount % 2 == 0 ? sum + whole[first + column] : sum - whole[first + column]
            }
            head[whole.startIndex + i] = sum / Float(block).squareRoot()
        }
    }

    /// What q is multiplied by, besides.
    private func growth(_ position: Int) -> Float { scalesQueries ? 1 + 0.25 * Float(position / 7) : 1 }

    private func angle(_ position: Int, _ pair: Int) -> Double { Double(position) / Double(1 + pair) }

    // MARK: By the kernels

    /// The outputs of all tokens, [count, heads × headSize], in memory that has held what is not a number.
    func computed(_ inputs: Inputs, _ type: KVType, _ way: AttentionWay) throws -> [Float] {
        try way.steps(
            tokens: count,
            heads: AttentionHeads(count: heads, kvCount: kvHeads, size: headSize),
            layers: [.init(heads: 1, headSize: 48), .init(heads: kvHeads, headSize: headSize)],
            valueSize: headSize,
            type
        ) { step($0, inputs, $1) }
    }

    private func step(_ entry: StepEntry, _ inputs: Inputs, _ pass: ForwardPass) -> [Float] {
        let tokens = entry.tokens.count
        pass.begin([entry])
        var rows = Array(inputs.rows[(entry.startPosition * rowSize)...].prefix(tokens * rowSize))
        var view = pass.kv.view(layer: 1)
        prepare(&rows, &view, inputs, stored, pass)
        if projections == CK_Q {
            let all = inputs.rows[(entry.startPosition * rowSize)...].prefix(tokens * rowSize)
            rows = (0..<tokens).flatMap { all.dropFirst($0 * rowSize).prefix(heads * headSize) }
            prepare(&rows, &view, inputs, projections, pass)
        }
        var out = [Float](repeating: 0, count: tokens * heads * headSize)
        let spans = pass.spans(of: AttentionHeads(count: heads, kvCount: kvHeads, size: headSize))
        inputs.sinks.withUnsafeBufferPointer { sinks in
            ck_attention(
                pass.compute.handle,
                &view,
                pass.places.baseAddress,
                rows,
                Int32(heads),
                projections,
                ck_attention_mask(
                    window: Int32(window),
                    first: Int32(first),
                    soft_cap: cap,
                    sinks: hasSinks ? sinks.baseAddress : nil
                ),
                spans,
                Int32(spans.count),
                &out
            )
        }
        return out
    }

    private func prepare(
        _ rows: inout [Float],
        _ view: inout ck_kv,
        _ inputs: Inputs,
        _ projections: ck_projections,
        _ pass: ForwardPass
    ) {
        let ones = Vector([Float](repeating: 1, count: headSize))
        let angles = pass.positions.flatMap { position in (0..<dimensions / 2).map { angle(position, $0) } }
        // One array, of which the kernels see parts.
        let half = angles.count
        let numbers =
            angles.map { Float(cosine($0)) } + angles.map { Float(cosine($0 - .pi / 2)) } + inputs.queryNorm
            + inputs.keyNorm + pass.positions.map(growth)
        numbers.withUnsafeBufferPointer { numbers in
            guard let cosines = numbers.baseAddress else { return }
            let norms = cosines + 2 * half
            var preparation = ck_qk_transform(
                q_norm: hasNorms ? norms : nil,
                k_norm: hasNorms ? norms + headSize : nil,
                v_norm: hasValueNorm ? ones?.start : nil,
                epsilon: Self.epsilon,
                norms_last: normsLast,
                dimensions: Int32(dimensions),
                cosines: cosines,
                sines: cosines + half,
                scale: scale,
                q_scales: scalesQueries ? norms + 2 * headSize : nil
            )
            ck_transform_qk_and_store_kv(
                pass.compute.handle,
                &view,
                pass.places.baseAddress,
                &rows,
                Int32(heads),
                projections,
                &preparation,
                pass.runs,
                Int32(pass.runs.count)
            )
        }
    }

    // MARK: By plain arithmetic

    /// One head of q or k after its norm and its rotation.
    private func prepared(_ head: ArraySlice<Float>, _ norm: [Float], position: Int) -> [Double] {
        var values = head.map(Double.init)
        if hasNorms, !normsLast { values = weighted(values, norm) }
        let half = dimensions / 2
        for pair in 0..<half {
            let (a, b) = (values[pair], values[half + pair])
            let (c, s) = (cosine(angle(position, pair)), cosine(angle(position, pair) - .pi / 2))
            values[pair] = a * c - b * s
            values[half + pair] = b * c + a * s
        }
        return hasNorms && normsLast ? weighted(values, norm) : values
    }

    private func normalized(_ values: [Double]) -> [Double] {
        let mean = values.reduce(0) { $0 + $1 * $1 } / Double(values.count) + Double(Self.epsilon)
        return values.map { $0 / mean.squareRoot() }
    }

    private func weighted(_ values: [Double], _ norm: [Float]) -> [Double] {
        zip(normalized(values), norm).map { $0 * Double($1) }
    }

    /// The outputs of the last tokens.
    func expected(_ inputs: Inputs, last: Int) -> [Double] {
        let rows = inputs.rows
        func head(_ token: Int, _ index: Int) -> ArraySlice<Float> {
            rows[(token * rowSize + index * headSize)...].prefix(headSize)
        }
        let keys = (0..<count).map { token in
            (0..<kvHeads).map { prepared(head(token, heads + $0), inputs.keyNorm, position: token) }
        }
        let values = (0..<count).map { token in
            (0..<kvHeads).map { kvHead in
                let value = head(token, heads + (stored == CK_QKV ? kvHeads : 0) + kvHead).map(Double.init)
                return hasValueNorm ? normalized(value) : value
            }
        }
        var out: [Double] = []
        for token in (count - last)..<count {
            for index in 0..<heads {
                let kvHead = index / (heads / kvHeads)
                let q = prepared(head(token, index), inputs.queryNorm, position: token)
                let first = min(token, max(first, window > 0 ? token + 1 - window : 0))
                let weights = (first...token).map { other in
                    let dot = zip(q, keys[other][kvHead]).reduce(0) { $0 + $1.0 * $1.1 }
                    let score = dot * Double(scale) * Double(growth(token))
                    let cap = Double(cap)
                    return expDouble(cap > 0 ? cap * (1 - 2 / (expDouble(2 * score / cap) + 1)) : score)
                }
                let sink = hasSinks ? expDouble(Double(inputs.sinks[index])) : 0
                let total = weights.reduce(sink, +)
                for d in 0..<headSize {
                    var sum = 0.0
                    for other in first...token { sum += weights[other - first] * values[other][kvHead][d] }
                    out.append(sum / total)
                }
            }
        }
        return out
    }
}

/// The largest difference of the last outputs from the expected ones; values are up to 1.
func largestError(_ out: [Float], _ expected: [Double]) -> Double {
    largestDifference(Array(out.suffix(expected.count)), expected)
}
