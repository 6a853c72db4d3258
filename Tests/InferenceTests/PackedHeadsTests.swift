import CKernels
import ModelFiles
import Support
import Testing

@testable import Inference

/// Products with a packed matrix for each head.
@Suite struct PackedHeadsTests {
    private static let (heads, stride, first, rows, columns) = (3, 96, 32, 64, 128)
    private static let scale: Float = 0.3

    /// Rows of random blocks of 8 bits.
    private static let rowBytes = columns / 32 * 34
    private static let bytes: [UInt8] = {
        var generator = SeededGenerator(seed: 31)
        return (0..<heads * stride * rowBytes).map { index in
            // The second byte of a half: an exponent that keeps it small.
            index % 34 == 1 ? 0x20 : UInt8.random(in: .min ... .max, using: &generator)
        }
    }()

    /// Some of the rows, packed.
    private func matrix(_ rows: Range<Int>, on compute: Compute) throws -> Matrix {
        let bytes = Self.bytes[(rows.lowerBound * Self.rowBytes)..<(rows.upperBound * Self.rowBytes)]
        let memory = FileBytes(copying: bytes)
        var view = ck_matrix()
        view.format = CK_Q8_0
        view.rows = Int32(rows.count)
        view.columns = Int32(Self.columns)
        view.row_bytes = Self.rowBytes
        view.weights = memory.bytes.baseAddress
        return try #require(Matrix(view, memory: [memory]).packed(on: compute, in: SharedMemory()))
    }

    private func inputs(_ tokens: Int) -> [Float] {
        var generator = SeededGenerator(seed: 37)
        return (0..<tokens * Self.heads * Self.columns).map { _ in Float.random(in: -1...1, using: &generator) }
    }

    private func compute(_ variant: ck_variant, _ activations: Activations) throws -> Compute {
        let compute = try Compute(variant: variant, threads: 2, precise: false, activations: activations)
        try compute.reserve(columns: Self.columns)
        try #require(ck_compute_reserve(compute.handle, ck_head_scratch(Int32(Self.columns), Int32(Self.columns))))
        return compute
    }

    /// [tokens, heads, rows] of all heads together.
    private func together(_ x: [Float], _ tokens: Int, _ compute: Compute) throws -> [Float] {
        let all = HeadMatrices(
            all: try matrix(0..<Self.heads * Self.stride, on: compute),
            heads: Self.heads,
            stride: Self.stride,
            first: Self.first,
            rows: Self.rows,
            isTransposed: false
        )
        var x = x
        var y = [Float](repeating: .nan, count: tokens * Self.heads * Self.rows)
        x.withUnsafeMutableBufferPointer { x in
            y.withUnsafeMutableBufferPointer { y in
                func vectors(_ start: UnsafeMutablePointer<Float>?, _ size: Int) -> ck_head_vectors {
                    ck_head_vectors(start: start, token_stride: Self.heads * size, head_stride: size)
                }
                let from = vectors(x.baseAddress, Self.columns)
                let to = vectors(y.baseAddress, Self.rows)
                all.multiply(from, scale: Self.scale, tokens: tokens, into: to, on: compute)
            }
        }
        return y
    }

    /// The same, each head's rows as a matrix by itself.
    private func oneByOne(_ x: [Float], _ tokens: Int, _ compute: Compute) throws -> [Float] {
        var result = [Float](repeating: .nan, count: tokens * Self.heads * Self.rows)
        for head in 0..<Self.heads {
            let start = head * Self.stride + Self.first
            let own = try matrix(start..<start + Self.rows, on: compute)
            let input = (0..<tokens).flatMap { token in
                x[((token * Self.heads + head) * Self.columns)...].prefix(Self.columns).map { $0 * Self.scale }
            }
            var y = [Float](repeating: .nan, count: tokens * Self.rows)
            withUnsafePointer(to: own.view) {
                ck_matmul(compute.handle, $0, input, Int32(tokens), &y, Self.rows, false)
            }
            for token in 0..<tokens {
                for row in 0..<Self.rows {
                    result[(token * Self.heads + head) * Self.rows + row] = y[token * Self.rows + row]
                }
            }
        }
        return result
    }

    @Test(
        "The heads' matrices in one packed matrix give what each gives by itself, in all variants",
        arguments: [1, 3, 6, 70, 150],
        [Activations.int8, .int15]
    )
    func heads(tokens: Int, activations: Activations) throws {
        let x = inputs(tokens)
        let expected = try oneByOne(x, tokens, compute(CK_SCALAR, activations))
        #expect(expected.contains { abs($0) > 0.1 })
        for variant in ck_variant.available {
            #expect(identical(try together(x, tokens, compute(variant, activations)), expected), "\(variant.name)")
        }
    }
}
