import CKernels
import Testing

@testable import Inference

/// Products of packed weights: what packing keeps, what quantised inputs cost, and that nothing else matters.
@Suite struct PackedProductTests {
    /// A quantised matrix as files have it, with all that its memory needs to stay.
    private struct Affine {
        var bits: Int
        var group: Int
        var rows: Int
        var columns: Int
        var codes: [UInt8]
        var scales: [Float]
        var biases: [Float]

        init(bits: Int, group: Int, rows: Int, columns: Int, brain: Bool = false) {
            var generator = SplitMix(state: UInt64(bits * group + rows))
            self.bits = bits
            self.group = group
            self.rows = rows
            self.columns = columns
            codes = (0..<rows * columns * bits / 8).map { _ in .random(in: .min ... .max, using: &generator) }
            func halves() -> [Float] {
                (0..<rows * columns / group).map { _ in
                    let value = Float.random(in: -0.02...0.02, using: &generator)
                    return brain ? Float(bitPattern: value.bitPattern & 0xffff_0000) : Float(Float16(value))
                }
            }
            scales = halves()
            biases = halves()
        }

        func withMatrix<Result>(_ body: (inout ck_matrix) throws -> Result) rethrows -> Result {
            try codes.withUnsafeBytes { codes in
                try scales.withUnsafeBufferPointer { scales in
                    try biases.withUnsafeBufferPointer { biases in
                        var matrix = ck_matrix()
                        matrix.format = bits == 4 ? CK_AFFINE4 : CK_AFFINE8
                        matrix.rows = Int32(rows)
                        matrix.columns = Int32(columns)
                        matrix.group = Int32(group)
                        matrix.weights = codes.baseAddress
                        matrix.scales = scales.baseAddress
                        matrix.biases = biases.baseAddress
                        return try body(&matrix)
                    }
                }
            }
        }

        /// The weights as floats.
        func floats() throws -> [Float] {
            let compute = try Compute(threads: 1, precise: false)
            var result = [Float](repeating: 0, count: rows * columns)
            withMatrix { ck_copy_rows(compute.handle, &$0, 0, Int32(rows), &result) }
            return result
        }

        /// Packs the matrix and passes it on.
        func packed<Result>(_ body: (inout ck_matrix) throws -> Result) throws -> Result {
            try withMatrix { matrix in
                var form = ck_matrix()
                var bytes = 0
                try #require(ck_packed_form(&matrix, &form, &bytes))
                let memory = UnsafeMutableRawPointer.allocate(byteCount: bytes, alignment: 64)
                defer { memory.deallocate() }
                for panel in 0..<ck_panel_count(&form) { ck_pack_panel(&matrix, &form, panel, memory) }
                form.weights = UnsafeRawPointer(memory)
                return try body(&form)
            }
        }
    }

    private static let forms: [(bits: Int, group: Int, brain: Bool)] = [
        (4, 64, false), (4, 32, false), (4, 128, true), (8, 64, true), (8, 32, false), (8, 128, false),
    ]

    private func inputs(_ count: Int) -> [Float] {
        var generator = SplitMix(state: 3)
        return (0..<count).map { index in
            // Now and then a channel far larger than the others, as real activations have.
            Float.random(in: -1...1, using: &generator) * (index % 97 == 5 ? 30 : 1)
        }
    }

    private func product(
        _ w: inout ck_matrix,
        _ x: [Float],
        tokens: Int,
        variant: ck_variant,
        activations: ck_activations
    ) throws -> [Float] {
        let compute = try Compute(variant: variant, threads: 2, precise: false)
        ck_compute_set_activations(compute.handle, activations)
        try #require(ck_compute_reserve_activations(compute.handle, w.columns))
        var y = [Float](repeating: 0.5, count: tokens * Int(w.rows))
        ck_matmul(compute.handle, &w, x, Int32(tokens), &y, false)
        ck_matmul(compute.handle, &w, x, Int32(tokens), &y, true)
        return y
    }

    @Test("Packing loses nothing", arguments: forms)
    func packing(bits: Int, group: Int, brain: Bool) throws {
        let matrix = Affine(bits: bits, group: group, rows: 53, columns: 256, brain: brain)
        let expected = try matrix.floats()
        try matrix.packed { packed in
            for variant in ck_variant.available {
                let compute = try Compute(variant: variant, threads: 1, precise: false)
                var rows = [Float](repeating: 0, count: expected.count)
                ck_copy_rows(compute.handle, &packed, 0, Int32(matrix.rows), &rows)
                #expect(identical(rows, expected), "\(variant.name)")
            }
        }
    }

    @Test("Products are as exact as their inputs' bits, and equal in all variants and batches", arguments: forms)
    func products(bits: Int, group: Int, brain: Bool) throws {
        let matrix = Affine(bits: bits, group: group, rows: 53, columns: 256, brain: brain)
        let weights = try matrix.floats().map(Double.init)
        let (rows, columns) = (matrix.rows, matrix.columns)
        let x = inputs(270 * columns)
        try matrix.packed { packed in
            for (activations, bound) in [(CK_INT8, 2e-2), (CK_INT15, 2e-4)] {
                var alone: [[Float]] = []
                for tokens in [1, 2, 3, 7, 13, 270] {
                    let twin = try product(&packed, x, tokens: tokens, variant: CK_SCALAR, activations: activations)
                    if tokens == 13 { #expect(error(twin, weights, x, rows, columns, tokens) < bound) }
                    if tokens == 1 {
                        for token in 0..<13 {
                            let own = Array(x[(token * columns)..<((token + 1) * columns)])
                            alone.append(
                                try product(&packed, own, tokens: 1, variant: CK_SCALAR, activations: activations)
                            )
                        }
                    }
                    #expect(identical(Array(twin.prefix(13 * rows)), Array(alone.joined().prefix(tokens * rows))))
                    for variant in ck_variant.available where variant != CK_SCALAR {
                        let other = try product(&packed, x, tokens: tokens, variant: variant, activations: activations)
                        #expect(identical(other, twin), "\(variant.name), \(tokens) tokens")
                    }
                }
            }
        }
    }

    /// The error relative to all outputs, in the root of the mean square. The product was taken twice.
    private func error(
        _ result: [Float],
        _ weights: [Double],
        _ x: [Float],
        _ rows: Int,
        _ columns: Int,
        _ tokens: Int
    ) -> Double {
        var (wrong, all) = (0.0, 0.0)
        for token in 0..<tokens {
            for row in 0..<rows {
                let exact = (0..<columns).reduce(0.0) {
                    $0 + weights[row * columns + $1] * Double(x[token * columns + $1])
                }
                let difference = Double(result[token * rows + row]) - 2 * exact
                wrong += difference * difference
                all += 4 * exact * exact
            }
        }
        return (wrong / all).squareRoot()
    }

    @Test("What 16 bits do not hold is not packed")
    func unpackable() {
        var matrix = Affine(bits: 4, group: 64, rows: 2, columns: 128)
        matrix.scales[3] = 0.1
        #expect(
            matrix.withMatrix { matrix in
                var (form, bytes) = (ck_matrix(), 0)
                return !ck_packed_form(&matrix, &form, &bytes)
            }
        )
    }
}
