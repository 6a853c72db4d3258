import CKernels
import ModelFiles
import Testing

@testable import Inference

/// Each variant against its scalar twin, to the bit, and the twin against plain arithmetic in double precision.
@Suite struct KernelTests {
    private let numbers: [Float]

    init() {
        var generator = SplitMix(state: 11)
        numbers = (0..<40_000).map { _ in Float.random(in: -1...1, using: &generator) }
    }

    /// A matrix of floats: every kind of number, subnormal ones included, but no infinities.
    private func floats(_ format: ck_format, rows: Int, columns: Int) -> Matrix {
        var generator = SplitMix(state: 5)
        let count = rows * columns
        let bytes =
            format == CK_F32
            ? numbers.prefix(count).withUnsafeBytes(Array.init)
            : (0..<count).map { _ in UInt16.random(in: 0..<0x7c00, using: &generator) & 0xbbff }
                .withUnsafeBytes(Array.init)
        let memory = FileBytes(copying: bytes)
        var view = ck_matrix()
        view.format = format
        view.rows = Int32(rows)
        view.columns = Int32(columns)
        view.row_bytes = memory.count / rows
        view.weights = memory.bytes.baseAddress
        return Matrix(view, memory: [memory])
    }

    private func product(_ variant: ck_variant, _ matrix: Matrix, tokens: Int) throws -> [Float] {
        let compute = try Compute(variant: variant, threads: 2, precise: false)
        try compute.reserve(columns: matrix.columns)
        let x = Array(numbers.suffix(tokens * matrix.columns))
        var y = [Float](repeating: 0, count: tokens * matrix.rows)
        withUnsafePointer(to: matrix.view) {
            ck_matmul(compute.handle, $0, x, Int32(tokens), &y, false)
            ck_matmul(compute.handle, $0, x, Int32(tokens), &y, true)
        }
        return y
    }

    /// The same in double precision, with the values of the scalar twin: FormatTests holds them against others'.
    private func expected(_ matrix: Matrix, tokens: Int) throws -> [Double] {
        let (rows, columns) = (matrix.rows, matrix.columns)
        var weights = [Float](repeating: 0, count: rows * columns)
        let compute = try Compute(variant: CK_SCALAR, threads: 1, precise: false)
        withUnsafePointer(to: matrix.view) { ck_copy_rows(compute.handle, $0, 0, Int32(rows), &weights) }
        let x = Array(numbers.suffix(tokens * columns))
        return (0..<tokens * rows).map { index in
            let (token, row) = (index / rows, index % rows)
            return 2
                * (0..<columns).reduce(0.0) {
                    $0 + Double(weights[row * columns + $1]) * Double(x[token * columns + $1])
                }
        }
    }

    @Test("Products of every form are those of plain arithmetic, and equal in all variants")
    func products() throws {
        let plain = [CK_F32, CK_F16, CK_BF16].map { (name: "\($0)", matrix: floats($0, rows: 53, columns: 256)) }
        for (name, matrix) in try plain + FormatFixture.forms().map({ ($0.name, $0.matrix) }) {
            for tokens in [1, 3, 9] {
                let expected = try expected(matrix, tokens: tokens)
                let twin = try product(CK_SCALAR, matrix, tokens: tokens)
                let scale = expected.map(abs).max() ?? 1
                let difference = zip(twin, expected).map { abs(Double($0) - $1) }.max() ?? .infinity
                #expect(difference < 1e-5 * scale, "\(name)")
                for variant in ck_variant.available {
                    let other = try product(variant, matrix, tokens: tokens)
                    #expect(identical(other, twin), "\(name), \(variant.name), \(tokens) tokens")
                }
            }
        }
    }

    @Test("SiLU and RMS norm are those of plain arithmetic, and equal in all variants")
    func rowByRow() throws {
        var x = Array(numbers.prefix(2 * 3 * 64)).map { $0 * 30 }
        x[0] = -200
        x[1] = 200
        var twin: ([Float], [Float])?
        for variant in ck_variant.available {
            let compute = try Compute(variant: variant, threads: 1, precise: false)
            var activated = [Float](repeating: 0, count: 3 * 64)
            var normed = [Float](repeating: 0, count: 3 * 128)
            ck_silu_multiply(compute.handle, x, 3, 64, &activated)
            ck_rms_norm(compute.handle, x, numbers, 3, 128, 1e-5, &normed)
            for (token, column) in [(0, 0), (0, 1), (0, 40), (2, 63)] {
                let (gate, up) = (Double(x[token * 128 + column]), Double(x[token * 128 + 64 + column]))
                let expected = gate / (1 + expDouble(-gate)) * up
                #expect(abs(Double(activated[token * 64 + column]) - expected) <= 1e-6 * max(1, abs(expected)))
                let squares = x[(token * 128)..<((token + 1) * 128)].reduce(0.0) { $0 + Double($1) * Double($1) }
                let norm = gate / (squares / 128 + 1e-5).squareRoot() * Double(numbers[column])
                #expect(abs(Double(normed[token * 128 + column]) - norm) < 1e-5)
            }
            let first = twin ?? (activated, normed)
            #expect(identical(activated, first.0) && identical(normed, first.1), "\(variant.name)")
            twin = first
        }
    }

    @Test("Every item of a region runs once, whatever the number of threads", arguments: [1, 2, 4, 9])
    func regions(threads: Int) throws {
        let compute = try Compute(threads: threads, precise: false)
        for round in 0..<300 {
            var counts = [Int32](repeating: 0, count: 1 + round * 7 % 100)
            let count = Int32(counts.count)
            counts.withUnsafeMutableBufferPointer { buffer in
                ck_compute_for(
                    compute.handle,
                    count,
                    Int32(1 + round % 3),
                    { context, item, _ in context?.assumingMemoryBound(to: Int32.self)[Int(item)] += 1 },
                    buffer.baseAddress
                )
            }
            #expect(counts.allSatisfy { $0 == 1 })
        }
    }
}
