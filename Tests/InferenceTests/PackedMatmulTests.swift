import CKernels
import ModelFiles
import Support
import Testing

@testable import Inference

/// Packed weights: what packing keeps, what quantised inputs cost, and that batch and instruction set change nothing.
@Suite struct PackedMatmulTests {
    static let rows = 53
    static let columns = 256

    /// Random values in a form that has a packed twin; the floats among the bytes are finite.
    struct Form: Sendable, CustomTestStringConvertible {
        let testDescription: String
        let matrix: Matrix

        /// - Parameters:
        ///   - halves: where the 16-bit floats of a block lie.
        ///   - exponent: where a byte is the exponent of a power of two.
        init(
            _ name: String,
            _ format: ck_format,
            block: Int,
            columns: Int,
            halves: Range<Int> = 0..<0,
            exponent: Int? = nil,
            matrixColumns: Int = PackedMatmulTests.columns
        ) {
            var generator = SeededGenerator(seed: UInt64(block))
            let count = PackedMatmulTests.rows * matrixColumns / columns * block
            let bytes = (0..<count).map { index in
                if index % block == exponent { return UInt8.random(in: 115...122, using: &generator) }
                // The second byte of a half: its sign, and an exponent that keeps it small.
                return halves.contains(index % block) && (index % block - halves.lowerBound) % 2 == 1
                    ? UInt8.random(in: 0x20...0x27, using: &generator) | (Bool.random(using: &generator) ? 0x80 : 0)
                    : .random(in: .min ... .max, using: &generator)
            }
            let memory = FileBytes(copying: bytes)
            var view = PackedMatmulTests.view(format, memory)
            view.columns = Int32(matrixColumns)
            view.row_bytes = count / PackedMatmulTests.rows
            matrix = Matrix(view, memory: [memory])
            testDescription = name
        }

        init(bits: Int, group: Int, brain: Bool) {
            var generator = SeededGenerator(seed: UInt64(bits * group))
            let (rows, columns) = (PackedMatmulTests.rows, PackedMatmulTests.columns)
            let codes = FileBytes(
                copying: (0..<rows * columns * bits / 8).map { _ in UInt8.random(in: .min ... .max, using: &generator) }
            )
            func floats() -> FileBytes {
                let values = (0..<rows * columns / group).map { _ in
                    let value = Float.random(in: -0.02...0.02, using: &generator)
                    return brain ? UInt16(value.bitPattern >> 16) : Float16(value).bitPattern
                }
                return FileBytes(copying: values.withUnsafeBytes(Array.init))
            }
            let (scales, biases) = (floats(), floats())
            var view = PackedMatmulTests.view(CK_AFFINE, codes)
            view.row_bytes = codes.count / rows
            view.bits = Int32(bits)
            view.group = Int32(group)
            view.scale_format = brain ? CK_BF16 : CK_F16
            view.scales = scales.bytes.baseAddress
            view.biases = biases.bytes.baseAddress
            matrix = Matrix(view, memory: [codes, scales, biases])
            testDescription = "MLX \(bits)-bit, group \(group), \(brain ? "bfloat16" : "float16")"
        }

        func packed() throws -> Matrix {
            try #require(matrix.packed(on: Compute(threads: 2, precise: false), in: SharedMemory()))
        }

        func floats(_ matrix: Matrix, _ variant: ck_variant = CK_SCALAR) throws -> [Float] {
            let compute = try Compute(variant: variant, threads: 1, precise: false)
            var result = [Float](repeating: 0, count: matrix.rows * matrix.columns)
            withUnsafePointer(to: matrix.view) {
                ck_copy_rows(compute.handle, $0, 0, Int32(matrix.rows), &result)
            }
            return result
        }
    }

    static func view(_ format: ck_format, _ weights: FileBytes) -> ck_matrix {
        var view = ck_matrix()
        view.format = format
        view.rows = Int32(rows)
        view.columns = Int32(columns)
        view.weights = weights.bytes.baseAddress
        return view
    }

    static let forms =
        [2, 3, 4, 5, 6, 8].map { Form(bits: $0, group: 64, brain: false) }
        + [(4, 32), (4, 128), (6, 32), (8, 32)].map { Form(bits: $0.0, group: $0.1, brain: true) } + [
            Form("Q4_0", CK_Q4_0, block: 18, columns: 32, halves: 0..<2),
            Form("Q4_1", CK_Q4_1, block: 20, columns: 32, halves: 0..<4),
            Form("Q5_0", CK_Q5_0, block: 22, columns: 32, halves: 0..<2),
            Form("Q5_1", CK_Q5_1, block: 24, columns: 32, halves: 0..<4),
            Form("Q8_0", CK_Q8_0, block: 34, columns: 32, halves: 0..<2),
            Form("Q2_K", CK_Q2_K, block: 84, columns: 256, halves: 80..<84),
            Form("Q3_K", CK_Q3_K, block: 110, columns: 256, halves: 108..<110),
            Form("Q4_K", CK_Q4_K, block: 144, columns: 256, halves: 0..<4),
            Form("Q5_K", CK_Q5_K, block: 176, columns: 256, halves: 0..<4),
            Form("Q6_K", CK_Q6_K, block: 210, columns: 256, halves: 208..<210),
            Form("MXFP4", CK_MXFP4, block: 17, columns: 32, exponent: 0),
        ]

    private func inputs(_ count: Int) -> [Float] {
        var generator = SeededGenerator(seed: 3)
        return (0..<count).map { index in
            // Now and then a channel far larger than the others, as real activations have.
            Float.random(in: -1...1, using: &generator) * (index % 97 == 5 ? 30 : 1)
        }
    }

    /// The matmul, done twice, in rows that lie farther apart than they are long.
    private func matmul(
        _ matrix: Matrix,
        _ x: [Float],
        tokens: Int,
        _ variant: ck_variant,
        _ activations: Activations
    ) throws -> [Float] {
        try matmul([matrix], x, tokens: tokens, variant, activations)
    }

    /// The same of several matrices one below the other; or done once only.
    private func matmul(
        _ parts: [Matrix],
        _ x: [Float],
        tokens: Int,
        _ variant: ck_variant,
        _ activations: Activations,
        times: Int = 2
    ) throws -> [Float] {
        let compute = try Compute(variant: variant, threads: 2, precise: false, activations: activations)
        try compute.reserve(columns: parts[0].columns)
        let rows = parts.reduce(0) { $0 + $1.rows }
        let stride = rows + 3
        var y = [Float](repeating: 0.5, count: tokens * stride)
        let (views, count) = (parts.map(\.view), Int32(parts.count))
        ck_matmul_parts(compute.handle, views, count, x, Int32(tokens), &y, stride, false)
        if times == 2 { ck_matmul_parts(compute.handle, views, count, x, Int32(tokens), &y, stride, true) }
        #expect((0..<tokens).allSatisfy { y[($0 + 1) * stride - 1] == 0.5 }, "what lies between rows is touched")
        return (0..<tokens).flatMap { y[($0 * stride)..<($0 * stride + rows)] }
    }

    @Test("Packing loses nothing", arguments: forms)
    func packing(form: Form) throws {
        let packed = try form.packed()
        let expected = try form.floats(form.matrix)
        for variant in ck_variant.available {
            #expect(identical(try form.floats(packed, variant), expected), "\(variant.name)")
        }
    }

    @Test("Matmul is as exact as its inputs' bits, and equal in all variants and batches", arguments: forms)
    func matmul(form: Form) throws {
        let packed = try form.packed()
        let weights = try form.floats(form.matrix).map(Double.init)
        let (rows, columns) = (Self.rows, Self.columns)
        let x = inputs(270 * columns)
        for (activations, bound) in [(Activations.int8, 2e-2), (.mixed, 5e-3), (.int15, 2e-4)] {
            let all = try matmul(packed, x, tokens: 270, CK_SCALAR, activations)
            #expect(error(all, weights, x, tokens: 13) < bound)
            for tokens in [1, 2, 3, 7, 13, 270] {
                for variant in ck_variant.available where variant != CK_SCALAR || tokens < 270 {
                    let other = try matmul(packed, x, tokens: tokens, variant, activations)
                    #expect(identical(other, Array(all.prefix(tokens * rows))), "\(variant.name), \(tokens) tokens")
                }
            }
        }
    }

    /// The error relative to the first tokens' outputs, in the root of the mean square. The matmul was done twice.
    private func error(_ result: [Float], _ weights: [Double], _ x: [Float], tokens: Int) -> Double {
        var (wrong, all) = (0.0, 0.0)
        for token in 0..<tokens {
            for row in 0..<Self.rows {
                let exact = (0..<Self.columns).reduce(0.0) {
                    $0 + weights[row * Self.columns + $1] * Double(x[token * Self.columns + $1])
                }
                let difference = Double(result[token * Self.rows + row]) - 2 * exact
                wrong += difference * difference
                all += 4 * exact * exact
            }
        }
        return (wrong / all).squareRoot()
    }

    @Test("An input that is not a finite number spoils its own token's outputs, all of them, and no other's")
    func notFinite() throws {
        for form in [Form(bits: 4, group: 64, brain: false), Self.forms[10], Self.forms[19]] {
            let packed = try form.packed()
            for activations in Activations.allCases {
                let x = inputs(3 * Self.columns)
                let expected = try matmul(packed, x, tokens: 3, CK_SCALAR, activations)
                for bad in [Float.nan, .infinity, -.infinity] {
                    var spoilt = x
                    spoilt[Self.columns + 77] = bad
                    for variant in ck_variant.available {
                        let y = try matmul(packed, spoilt, tokens: 3, variant, activations)
                        let (first, own, last) = (0..<Self.rows, Self.rows..<(2 * Self.rows), (2 * Self.rows)...)
                        #expect(y[own].allSatisfy { !$0.isFinite }, "\(form.testDescription), \(bad)")
                        #expect(identical(Array(y[first] + y[last]), Array(expected[first] + expected[last])))
                    }
                }
            }
        }
    }

    @Test("Mixed, an input must stand out further for 15 bits if it does not come from the residual stream")
    func inner() throws {
        for form in [Self.forms[2], Self.forms[10]] {
            let stream = try form.packed()
            let inner = stream.withInnerInputs()
            #expect(!ck_share_inputs([stream.view], [inner.view]))
            // The square of one input is 20, 64 and 200 times the mean square of all of them.
            for (size, ofStream, ofInner) in [(4.65, false, false), (9.22, true, false), (30.2, true, true)] {
                var x = inputs(3 * Self.columns).map { $0 < 0 ? Float(-1) : 1 }
                for token in 0..<3 { x[token * Self.columns + 70] = Float(size) }
                for variant in ck_variant.available {
                    let int8 = try matmul(stream, x, tokens: 3, variant, .int8)
                    #expect(identical(try matmul(inner, x, tokens: 3, variant, .int8), int8))
                    for (matrix, hasMore) in [(stream, ofStream), (inner, ofInner)] {
                        let mixed = try matmul(matrix, x, tokens: 3, variant, .mixed)
                        #expect(identical(mixed, int8) == !hasMore, "\(variant.name), \(size)")
                    }
                }
            }
        }
    }

    @Test("Matrices one below the other give what each gives by itself, whether they share their inputs or not")
    func parts() throws {
        // Q4_0 twice, as MXFP4 by itself, and Q4_0 again, as it is in the file; MLX in 4 and in 6 bits.
        let forms = [Self.forms[10], Self.forms[10], Self.forms[20]]
        let packed = try forms.map { try $0.packed() } + [Self.forms[10].matrix]
        let affine = try [Self.forms[2], Self.forms[4], Self.forms[2]].map { try $0.packed() }
        for (parts, activations) in [packed, affine].flatMap({ parts in Activations.allCases.map { (parts, $0) } }) {
            for tokens in [1, 5, 270] {
                let x = inputs(tokens * Self.columns)
                let each = try parts.map { try matmul($0, x, tokens: tokens, CK_SCALAR, activations) }
                let expected = (0..<tokens).flatMap { token in
                    each.flatMap { $0[(token * Self.rows)..<((token + 1) * Self.rows)] }
                }
                for variant in ck_variant.available where variant != CK_SCALAR || tokens < 270 {
                    let together = try matmul(parts, x, tokens: tokens, variant, activations)
                    #expect(identical(together, expected), "\(variant.name), \(tokens) tokens")
                }
            }
        }
    }

    /// So many columns that inputs have several lists of outliers, the last of which is short.
    static let wideForms = [
        Form("Q4_0", CK_Q4_0, block: 18, columns: 32, halves: 0..<2, matrixColumns: 2368),
        Form("Q6_K", CK_Q6_K, block: 210, columns: 256, halves: 208..<210, matrixColumns: 1280),
        Form("Q5_K", CK_Q5_K, block: 176, columns: 256, halves: 0..<4, matrixColumns: 1280),
    ]

    @Test("With many columns, too, neither batch nor variant changes a bit", arguments: wideForms)
    func wide(form: Form) throws {
        let packed = try form.packed()
        let x = inputs(21 * packed.columns)
        for activations in Activations.allCases {
            let all = try matmul(packed, x, tokens: 21, CK_SCALAR, activations)
            for tokens in [1, 2, 4, 21] {
                for variant in ck_variant.available where variant != CK_SCALAR {
                    let other = try matmul(packed, x, tokens: tokens, variant, activations)
                    let same = identical(other, Array(all.prefix(tokens * Self.rows)))
                    #expect(same, "\(variant.name), \(tokens) tokens")
                }
            }
        }
    }

    @Test("Groups of tokens, each with matrices of its own, give what each gives by itself", arguments: [2, 4])
    func groups(form: Int) throws {
        // Two matrices for each group; so many groups of five that they are not quantised together.
        let parts = try [Self.forms[form], Self.forms[2]].map { try $0.packed() }
        for counts in [[1], [3, 1, 8, 17, 2, 5], Array(repeating: 5, count: 51), [256]] {
            let tokens = counts.reduce(0, +)
            let x = inputs(tokens * Self.columns)
            for activations in Activations.allCases {
                let expected = try matmul(parts, x, tokens: tokens, CK_SCALAR, activations, times: 1)
                for variant in ck_variant.available where variant != CK_SCALAR {
                    let compute = try Compute(variant: variant, threads: 3, precise: false, activations: activations)
                    try compute.reserve(columns: Self.columns)
                    let rows = 2 * Self.rows
                    var y = [Float](repeating: .nan, count: tokens * rows)
                    parts.map(\.view).withUnsafeBufferPointer { views in
                        let groups = counts.map { count in
                            ck_matmul_group(parts: views.baseAddress, count: 2, tokens: Int32(count))
                        }
                        ck_matmul_groups(compute.handle, groups, Int32(groups.count), x, &y, rows)
                    }
                    #expect(identical(y, expected), "\(variant.name), \(counts)")
                }
            }
        }
    }

    @Test("What the integer kernels do not know stays as it is")
    func unpackable() throws {
        var view = Form(bits: 4, group: 64, brain: false).matrix.view
        let compute = try Compute(threads: 1, precise: false)
        view.scale_format = CK_F32
        #expect(Matrix(view, memory: []).packed(on: compute, in: SharedMemory()) == nil)
        view.format = CK_IQ4_NL
        #expect(Matrix(view, memory: []).packed(on: compute, in: SharedMemory()) == nil)
        view.format = CK_Q4_0
        view.columns = 96
        #expect(Matrix(view, memory: []).packed(on: compute, in: SharedMemory()) == nil)
    }
}
