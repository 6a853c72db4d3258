import CKernels
import ModelFiles
import Platform
import Support
import Testing

@testable import Inference

/// Each variant against its scalar twin, to the bit, and the twin against plain arithmetic in double precision.
@Suite struct KernelTests {
    private let numbers: [Float]

    init() {
        var generator = SeededGenerator(seed: 11)
        numbers = (0..<40_000).map { _ in Float.random(in: -1...1, using: &generator) }
    }

    /// A matrix of floats: every kind of number, subnormal ones included, but no infinities.
    private func floats(_ format: ck_format, rows: Int, columns: Int) -> Matrix {
        var generator = SeededGenerator(seed: 5)
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

    private func matmul(_ variant: ck_variant, _ matrix: Matrix, tokens: Int) throws -> [Float] {
        let compute = try Compute(variant: variant, threads: 2, precise: false)
        try compute.reserve(columns: matrix.columns)
        let x = Array(numbers.suffix(tokens * matrix.columns))
        var y = [Float](repeating: 0, count: tokens * matrix.rows)
        withUnsafePointer(to: matrix.view) {
            ck_matmul(compute.handle, $0, x, Int32(tokens), &y, matrix.rows, false)
            ck_matmul(compute.handle, $0, x, Int32(tokens), &y, matrix.rows, true)
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

    @Test("Matmul of every form is that of plain arithmetic, and equal in all variants")
    func matmul() throws {
        let plain = [CK_F32, CK_F16, CK_BF16].map { (name: "\($0)", matrix: floats($0, rows: 53, columns: 256)) }
        for (name, matrix) in try plain + FormatFixture.forms().map({ ($0.name, $0.matrix) }) {
            for tokens in [1, 3, 9] {
                let expected = try expected(matrix, tokens: tokens)
                let twin = try matmul(CK_SCALAR, matrix, tokens: tokens)
                let scale = try #require(expected.map(abs).max())
                #expect(largestDifference(twin, expected) < 1e-5 * scale, "\(name)")
                for variant in ck_variant.available {
                    let other = try matmul(variant, matrix, tokens: tokens)
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
            ck_gate(compute.handle, ck_gating(activation: CK_SILU, slope: 1, limit: 0), x, 3, 64, &activated)
            ck_rms_norm(compute.handle, x, numbers, 3, 128, 1e-5, &normed, false)
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

    @Test("GELU gates, soft caps and added rows are those of plain arithmetic, and equal in all variants")
    func numberByNumber() throws {
        let x = numbers.prefix(2 * 48).map { $0 * 12 } + [-1e4, 1e4] + numbers.dropFirst(98).prefix(94)
        // A length that is no multiple of 16, and values from tiny to huge.
        let scores = numbers.prefix(5001).enumerated().map { $1 * Float(expDouble(Double($0 % 12 - 6) * 2.302585)) }
        var twin: [[Float]]?
        for variant in ck_variant.available {
            let compute = try Compute(variant: variant, threads: 2, precise: false)
            var gated = [Float](repeating: 0, count: 2 * 48)
            ck_gate(compute.handle, ck_gating(activation: CK_GELU_TANH, slope: 1, limit: 0), x, 2, 48, &gated)
            for (index, value) in gated.enumerated() {
                let (gate, up) = (Double(x[index / 48 * 96 + index % 48]), Double(x[index / 48 * 96 + 48 + index % 48]))
                let inner = 0.7978845608028654 * (gate + 0.044715 * gate * gate * gate)
                let expected = gate / (1 + expDouble(-2 * inner)) * up
                #expect(abs(Double(value) - expected) <= 2e-6 * max(1e-3, abs(expected)))
            }
            var capped = scores
            ck_soft_cap(compute.handle, 30, capped.count, &capped)
            #expect(isClose(capped, scores.map { 30 * tanhDouble(Double($0) / 30) }) { 3e-7 * abs($0) })
            var sums = Array(numbers.prefix(3 * 32))
            ck_scatter_add(compute.handle, x, [2, 0], [0.5, -2], 2, 32, &sums)
            ck_scale(compute.handle, 3, 32, &sums)
            #expect(abs(sums[5] - 3 * (numbers[5] - 2 * x[37])) < 1e-4)
            #expect(sums[40] == numbers[40])
            #expect(abs(sums[64 + 5] - (numbers[69] + 0.5 * x[5])) < 1e-5)
            let results = [gated, capped, sums]
            let first = twin ?? results
            #expect(identical(results, first), "\(variant.name)")
            twin = first
        }
    }

    @Test(
        "A router chooses the most probable experts, the lower of equals, and never one twice",
        arguments: [6, 16, 37]
    )
    func router(experts: Int) throws {
        let tokens = 5
        var logits = numbers.prefix(tokens * experts).map { $0 * 4 }
        logits[experts + 1] = logits[experts + 3]
        logits.replaceSubrange((2 * experts)..<(3 * experts), with: repeatElement(.nan, count: experts))
        logits[3 * experts + 2] = .infinity
        var twin: [Float]?
        for variant in ck_variant.available {
            for normalize in [false, true] {
                let compute = try Compute(variant: variant, threads: 2, precise: false)
                var probabilities = logits
                var chosen = [Int32](repeating: -1, count: tokens * 4)
                var weights = [Float](repeating: 0, count: tokens * 4)
                var routing = ck_routing(
                    scoring: CK_SOFTMAX,
                    count: 4,
                    bias: nil,
                    groups: 1,
                    chosen_groups: 1,
                    normalize: normalize,
                    least_sum: 1e-20,
                    scale: 1
                )
                ck_route_top_k(
                    compute.handle,
                    &routing,
                    &probabilities,
                    Int32(tokens),
                    Int32(experts),
                    &chosen,
                    &weights
                )
                for token in 0..<tokens {
                    let own = chosen[(4 * token)..<(4 * token + 4)].map(Int.init)
                    #expect(Set(own).count == 4 && own.allSatisfy { 0..<experts ~= $0 })
                    guard ![2, 3].contains(token) else { continue }
                    let row = Array(logits[(token * experts)..<((token + 1) * experts)])
                    let order = row.indices.sorted { row[$0] != row[$1] ? row[$0] > row[$1] : $0 < $1 }.prefix(4)
                    #expect(own == Array(order))
                    let total = (normalize ? Array(order) : Array(row.indices)).reduce(0) {
                        $0 + expDouble(Double(row[$1]))
                    }
                    let expected = order.map { expDouble(Double(row[$0])) / total }
                    #expect(largestDifference(Array(weights[(4 * token)...].prefix(4)), expected) < 1e-6)
                }
                let first = twin ?? weights
                #expect(!normalize || identical(weights, first), "\(variant.name)")
                if normalize { twin = first }
            }
        }
    }

    @Test("A router that scores each expert by itself chooses by biased scores, within the groups with the best two")
    func groupedRouter() throws {
        let (tokens, experts, groups, size) = (7, 12, 4, 3)
        let logits = numbers.prefix(tokens * experts).map { $0 * 4 }
        let bias = numbers.suffix(experts).map { $0 * 0.4 }
        var twin: [Float]?
        for variant in ck_variant.available {
            let compute = try Compute(variant: variant, threads: 2, precise: false)
            var scores = logits
            var chosen = [Int32](repeating: -1, count: tokens * 3)
            var weights = [Float](repeating: 0, count: tokens * 3)
            bias.withUnsafeBufferPointer { bias in
                var routing = ck_routing(
                    scoring: CK_SIGMOID,
                    count: 3,
                    bias: bias.baseAddress,
                    groups: Int32(groups),
                    chosen_groups: 2,
                    normalize: true,
                    least_sum: 0.125,
                    scale: 2.5
                )
                ck_route_top_k(compute.handle, &routing, &scores, Int32(tokens), Int32(experts), &chosen, &weights)
            }
            for token in 0..<tokens {
                let own = (0..<experts).map { 1 / (1 + expDouble(-Double(logits[token * experts + $0]))) }
                let choices = zip(own, bias).map { $0 + Double($1) }
                let sums = (0..<groups).map {
                    choices[($0 * size)..<(($0 + 1) * size)].sorted(by: >)[..<2].reduce(0, +)
                }
                let best = sums.indices.sorted { sums[$0] > sums[$1] }.prefix(2)
                let order = choices.indices.filter { best.contains($0 / size) }.sorted { choices[$0] > choices[$1] }
                #expect(chosen[(3 * token)...].prefix(3).map(Int.init) == Array(order.prefix(3)))
                let total = order.prefix(3).reduce(0.125) { $0 + own[$1] }
                let expected = order.prefix(3).map { 2.5 * own[$0] / total }
                #expect(largestDifference(Array(weights[(3 * token)...].prefix(3)), expected) < 2e-6)
            }
            let first = twin ?? weights
            #expect(identical(weights, first), "\(variant.name)")
            twin = first
        }
    }

    @Test(
        "A clamped gate, a squared ReLU, norms within rows and biases of any size are those of plain arithmetic, in all variants"
    )
    func clampedGate() throws {
        let x = numbers.prefix(2 * 2 * 48).map { $0 * 5 }
        var twin: [[Float]]?
        for variant in ck_variant.available {
            let compute = try Compute(variant: variant, threads: 2, precise: false)
            var gated = [Float](repeating: 0, count: 2 * 48)
            ck_gate(compute.handle, ck_gating(activation: CK_CLAMPED, slope: 1.702, limit: 2), x, 2, 48, &gated)
            for (index, value) in gated.enumerated() {
                let gate = min(Double(x[index / 48 * 96 + index % 48]), 2)
                let up = max(min(Double(x[index / 48 * 96 + 48 + index % 48]), 2), -2)
                let expected = gate / (1 + expDouble(-1.702 * gate)) * (up + 1)
                #expect(abs(Double(value) - expected) <= 2e-6 * max(1, abs(expected)))
            }
            // Without a gate, its input is as wide as its output.
            var squared = Array(x)
            ck_gate(compute.handle, ck_gating(activation: CK_SQUARED_RELU, slope: 1, limit: 0), x, 4, 48, &squared)
            #expect(zip(squared, x).allSatisfy { $0 == max($1, 0) * max($1, 0) })
            var rows = Array(x)
            ck_rms_norm_within(compute.handle, numbers, 2, 32, 1e-5, &rows, 96)
            for (index, value) in rows.enumerated() {
                let start = index / 96 * 96
                let squares = x[start..<(start + 32)].reduce(0.0) { $0 + Double($1) * Double($1) }
                let factor = Double(numbers[index % 96]) / (squares / 32 + 1e-5).squareRoot()
                #expect(abs(Double(value) - Double(x[index]) * (index % 96 < 32 ? factor : 1)) < 1e-5)
            }
            var biased = Array(x.prefix(3 * 21))
            ck_add_bias(compute.handle, numbers, 3, 21, &biased)
            #expect(biased.indices.allSatisfy { biased[$0] == x[$0] + numbers[$0 % 21] })
            let results = [gated, squared, rows, biased]
            let first = twin ?? results
            #expect(identical(results, first), "\(variant.name)")
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
                ck_parallel_for(
                    compute.handle,
                    CK_WORK_ELEMENTWISE,
                    count,
                    Int32(1 + round % 3),
                    { context, item, _ in context?.assumingMemoryBound(to: Int32.self)[Int(item)] += 1 },
                    buffer.baseAddress
                )
            }
            #expect(counts.allSatisfy { $0 == 1 })
        }
    }

    @Test("A region ends although the threads that help take their time", arguments: [2, 5])
    func slowHelpers(threads: Int) throws {
        let compute = try Compute(threads: threads, precise: false)
        var counts = [Int32](repeating: 0, count: 400)
        for _ in 0..<50 {
            counts.withUnsafeMutableBufferPointer { buffer in
                ck_parallel_for(
                    compute.handle,
                    CK_WORK_ELEMENTWISE,
                    Int32(buffer.count),
                    1,
                    { context, item, worker in
                        // Long enough for the caller, which does the rest, to fall asleep.
                        if worker != 0 { usleep(500) }
                        context?.assumingMemoryBound(to: Int32.self)[Int(item)] += 1
                    },
                    buffer.baseAddress
                )
            }
        }
        #expect(counts.allSatisfy { $0 == 50 })
    }
}
