import CKernels
import EngineContract
import Testing

@testable import Inference

/// Preparation of q and k and attention, of every shape that architectures have, against plain arithmetic in double
/// precision, and each variant against its scalar twin to the bit.
@Suite struct AttentionKernelTests {
    struct Shape: Sendable, CustomTestStringConvertible {
        var headSize: Int
        var heads: Int
        var kvHeads: Int
        /// The dimensions of a head that turn.
        var dimensions: Int
        var window = 0
        var cap: Float = 0
        var hasNorms = false

        var testDescription: String { "\(heads)/\(kvHeads) heads of \(headSize), window \(window), cap \(cap)" }
        var rowSize: Int { (heads + 2 * kvHeads) * headSize }
    }

    static let shapes = [
        Shape(headSize: 16, heads: 4, kvHeads: 2, dimensions: 6, window: 5),
        Shape(headSize: 64, heads: 4, kvHeads: 4, dimensions: 64, window: 16),
        Shape(headSize: 80, heads: 2, kvHeads: 1, dimensions: 32),
        Shape(headSize: 96, heads: 2, kvHeads: 2, dimensions: 96, window: 20),
        Shape(headSize: 112, heads: 3, kvHeads: 1, dimensions: 112, cap: 5, hasNorms: true),
        Shape(headSize: 128, heads: 8, kvHeads: 2, dimensions: 96, hasNorms: true),
        Shape(headSize: 256, heads: 2, kvHeads: 1, dimensions: 256, window: 17, cap: 3, hasNorms: true),
    ]

    private static let count = 45
    private static let epsilon: Float = 1e-5
    private static let scale: Float = 0.2

    private let numbers: [Float]

    init() {
        var generator = SplitMix(state: 23)
        numbers = (0..<80_000).map { _ in Float.random(in: -1...1, using: &generator) }
    }

    private func qkv(_ shape: Shape) -> [Float] { Array(numbers.prefix(Self.count * shape.rowSize)) }
    private func norm(_ shape: Shape, key: Bool) -> [Float] {
        numbers.dropFirst(key ? 500 : 100).prefix(shape.headSize).map { 1 + 0.5 * $0 }
    }
    private func angle(_ position: Int, _ pair: Int) -> Double { Double(position) / Double(1 + pair) }

    private func computed(_ shape: Shape, _ variant: ck_variant) throws -> [Float] {
        let compute = try Compute(variant: variant, threads: 2, precise: false)
        let kv = try KVMemory(
            shape: KVShape(layers: 2, heads: shape.kvHeads, headSize: shape.headSize, blockSize: 32),
            blockCount: 8
        )
        let pass = ForwardPass(compute: compute, kv: kv, contextLength: 64)
        let entry = StepEntry(
            session: SessionID(1),
            tokens: Array(repeating: 1, count: Self.count),
            startPosition: 0,
            blocks: [6, 3],
            samples: false,
            sampling: .greedy,
            sampleIndex: 0
        )
        pass.begin([entry], heads: shape.heads)
        let half = shape.dimensions / 2
        let angles = (0..<Self.count).flatMap { position in (0..<half).map { angle(position, $0) } }
        let (cosines, sines) = (angles.map { Float(cosine($0)) }, angles.map { Float(cosine($0 - .pi / 2)) })
        var (rows, out) = (qkv(shape), [Float](repeating: 0, count: Self.count * shape.heads * shape.headSize))
        var view = kv.view(layer: 1)
        norm(shape, key: false).withUnsafeBufferPointer { qNorm in
            norm(shape, key: true).withUnsafeBufferPointer { kNorm in
                cosines.withUnsafeBufferPointer { cosines in
                    sines.withUnsafeBufferPointer { sines in
                        var preparation = ck_preparation(
                            q_norm: shape.hasNorms ? qNorm.baseAddress : nil,
                            k_norm: shape.hasNorms ? kNorm.baseAddress : nil,
                            epsilon: Self.epsilon,
                            dimensions: Int32(shape.dimensions),
                            cosines: cosines.baseAddress,
                            sines: sines.baseAddress,
                            scale: Self.scale
                        )
                        ck_prepare_and_store(
                            compute.handle,
                            &view,
                            pass.places.baseAddress,
                            &rows,
                            Int32(Self.count),
                            Int32(shape.heads),
                            &preparation
                        )
                    }
                }
            }
        }
        ck_attention(
            compute.handle,
            &view,
            pass.places.baseAddress,
            rows,
            Int32(shape.heads),
            ck_view(window: Int32(shape.window), soft_cap: shape.cap),
            pass.spans,
            Int32(pass.spans.count),
            &out
        )
        return out
    }

    /// One head of q or k after its norm and its rotation.
    private func prepared(_ head: ArraySlice<Float>, _ norm: [Float], position: Int, _ shape: Shape) -> [Double] {
        var values = head.map(Double.init)
        if shape.hasNorms {
            let mean = values.reduce(0) { $0 + $1 * $1 } / Double(values.count) + Double(Self.epsilon)
            values = zip(values, norm).map { $0 / mean.squareRoot() * Double($1) }
        }
        let half = shape.dimensions / 2
        for pair in 0..<half {
            let (a, b) = (values[pair], values[half + pair])
            let (c, s) = (cosine(angle(position, pair)), cosine(angle(position, pair) - .pi / 2))
            values[pair] = a * c - b * s
            values[half + pair] = b * c + a * s
        }
        return values
    }

    private func expected(_ shape: Shape) -> [Double] {
        let rows = qkv(shape)
        func head(_ token: Int, _ index: Int) -> ArraySlice<Float> {
            rows[(token * shape.rowSize + index * shape.headSize)...].prefix(shape.headSize)
        }
        let (qNorm, kNorm) = (norm(shape, key: false), norm(shape, key: true))
        let keys = (0..<Self.count).map { token in
            (0..<shape.kvHeads).map { prepared(head(token, shape.heads + $0), kNorm, position: token, shape) }
        }
        var out: [Double] = []
        for token in 0..<Self.count {
            for index in 0..<shape.heads {
                let kvHead = index / (shape.heads / shape.kvHeads)
                let q = prepared(head(token, index), qNorm, position: token, shape)
                let first = shape.window > 0 ? max(0, token + 1 - shape.window) : 0
                let weights = (first...token).map { other in
                    let score = zip(q, keys[other][kvHead]).reduce(0) { $0 + $1.0 * $1.1 } * Double(Self.scale)
                    let cap = Double(shape.cap)
                    return expDouble(cap > 0 ? cap * (1 - 2 / (expDouble(2 * score / cap) + 1)) : score)
                }
                let total = weights.reduce(0, +)
                let values = shape.heads + shape.kvHeads + kvHead
                for d in values * shape.headSize..<(values + 1) * shape.headSize {
                    var sum = 0.0
                    for other in first...token {
                        sum += weights[other - first] * Double(rows[other * shape.rowSize + d])
                    }
                    out.append(sum / total)
                }
            }
        }
        return out
    }

    @Test("Attention is that of plain arithmetic, and equal in all variants", arguments: shapes)
    func attention(shape: Shape) throws {
        let twin = try computed(shape, CK_SCALAR)
        let difference = zip(twin, expected(shape)).map { abs(Double($0) - $1) }.max() ?? .infinity
        #expect(difference < 2e-6)
        for variant in ck_variant.available {
            #expect(identical(try computed(shape, variant), twin), "\(variant.name)")
        }
    }
}
