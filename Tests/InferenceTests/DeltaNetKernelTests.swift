import CKernels
import Platform
import Support
import Testing

@testable import Inference

/// The gated delta rule: each variant against its scalar twin, to the bit, and the twin against plain arithmetic in double
/// precision.
@Suite struct DeltaNetKernelTests {
    /// A net of two key heads and four value heads, the weights of which are random.
    private struct Net {
        let description = GatedDeltaNetDescription(keyHeads: 2, valueHeads: 4, keySize: 32, valueSize: 80, taps: 4)
        /// Tokens of the text.
        let count = 45
        let convolution, rates, bias, norm, inputs: [Float]
        let keyOfValue: [Int32] = [0, 1, 0, 1]

        init() {
            var generator = SeededGenerator(seed: 23)
            func numbers(_ count: Int, _ range: ClosedRange<Float>) -> [Float] {
                (0..<count).map { _ in Float.random(in: range, using: &generator) }
            }
            convolution = numbers(4 * description.channels, -0.7...0.7)
            rates = numbers(4, -0.3 ... -0.01)
            bias = numbers(4, -2...2)
            norm = numbers(80, -1.5...1.5)
            inputs = numbers(count * (description.channels + 320 + 8), -1.5...1.5)
        }

        var rowFloats: Int { inputs.count / count }

        /// In the order q, k, v, z, a, b, but for the last two the other way round, and spread.
        var offsets: [Int32] {
            var offsets: [Int32] = []
            for head in 0..<4 { offsets.append(Int32(32 * head)) }
            for head in 0..<8 { offsets.append(Int32(128 + 80 * head)) }
            let end = Int32(128 + 640)
            for number in [1, 0] { for head in 0..<4 { offsets.append(end + Int32(2 * head + number)) } }
            return offsets
        }

        /// What comes out for the text in runs of some lengths, and the state after it.
        /// - Parameters:
        ///   - snapshot: after how many tokens of which run the state is copied; the run after it goes on from the copy.
        func output(
            _ variant: ck_variant,
            threads: Int = 2,
            runs lengths: [Int],
            snapshot: (run: Int, tokens: Int)? = nil
        ) throws -> [[Float]] {
            let compute = try Compute(variant: variant, threads: threads, precise: false)
            let size = description.stateFloats + 16
            var states = [Float](repeating: .nan, count: 2 * size)
            var mixed = [Float](repeating: .nan, count: count * description.channels)
            var gates = [Float](repeating: .nan, count: count * 8)
            var out = [Float](repeating: .nan, count: count * 320)
            states.withUnsafeMutableBufferPointer { states in
                guard let start = states.baseAddress else { return }
                var row = 0
                var from: UnsafePointer<Float>?
                for (index, length) in lengths.enumerated() {
                    var copy = ck_state_snapshot(to: start + size, after: Int32(snapshot?.tokens ?? 0))
                    let copies = snapshot?.run == index
                    withUnsafePointer(to: &copy) { copy in
                        apply(
                            compute,
                            ck_state_run(
                                row: Int32(row),
                                count: Int32(length),
                                from: from,
                                to: start,
                                snapshots: copy,
                                snapshot_count: copies ? 1 : 0
                            ),
                            &mixed,
                            &gates,
                            &out
                        )
                    }
                    row += copies ? snapshot?.tokens ?? 0 : length
                    from = UnsafePointer(copies ? start + size : start)
                }
            }
            return [out, Array(states[16..<size])]
        }

        private func apply(
            _ compute: Compute,
            _ run: ck_state_run,
            _ mixed: inout [Float],
            _ gates: inout [Float],
            _ out: inout [Float]
        ) {
            offsets.withUnsafeBufferPointer { offsets in
                keyOfValue.withUnsafeBufferPointer { keyOfValue in
                    convolution.withUnsafeBufferPointer { convolution in
                        rates.withUnsafeBufferPointer { rates in
                            bias.withUnsafeBufferPointer { bias in
                                norm.withUnsafeBufferPointer { norm in
                                    var net = ck_delta_net(
                                        key_heads: 2,
                                        value_heads: 4,
                                        key_size: 32,
                                        value_size: 80,
                                        taps: 4,
                                        row_floats: Int32(rowFloats),
                                        offsets: offsets.baseAddress,
                                        key_of_value: keyOfValue.baseAddress,
                                        convolution: convolution.baseAddress,
                                        decay_rate: rates.baseAddress,
                                        step_bias: bias.baseAddress,
                                        norm: norm.baseAddress,
                                        epsilon: 1e-6,
                                        state_offset: 16
                                    )
                                    var run = run
                                    ck_delta_net_apply(compute.handle, &net, &run, 1, inputs, &mixed, &gates, &out)
                                }
                            }
                        }
                    }
                }
            }
        }

        // MARK: Plain arithmetic

        private func input(_ token: Int, _ at: Int32) -> Double {
            token < 0 ? 0 : Double(inputs[token * rowFloats + Int(at)])
        }

        /// A head of q, k or v of a token, after the convolution.
        private func head(_ block: Int, _ token: Int) -> [Double] {
            let isValue = block >= 4
            let size = isValue ? 80 : 32
            let channel = isValue ? 128 + 80 * (block - 4) : 32 * block
            let values = (0..<size).map { index in
                let total = (0..<4).reduce(0.0) {
                    let weight = Double(convolution[$1 * description.channels + channel + index])
                    return $0 + weight * input(token - 3 + $1, offsets[block] + Int32(index))
                }
                return total / (1 + exp(-total))
            }
            guard !isValue else { return values }
            let length = (values.reduce(0) { $0 + $1 * $1 } + 1e-6).squareRoot()
            return values.map { $0 / length / (block < 2 ? 32.0.squareRoot() : 1) }
        }

        func expected() -> [Double] {
            var result = [Double](repeating: 0, count: count * 320)
            for value in 0..<4 {
                var state = [[Double]](repeating: [Double](repeating: 0, count: 80), count: 32)
                let key = Int(keyOfValue[value])
                for token in 0..<count {
                    let (q, k, v) = (head(key, token), head(2 + key, token), head(4 + value, token))
                    let step = log(1 + exp(input(token, offsets[12 + value]) + Double(bias[value])))
                    let decay = exp(Double(rates[value]) * step)
                    let share = 1 / (1 + exp(-input(token, offsets[16 + value])))
                    var out = [Double](repeating: 0, count: 80)
                    for column in 0..<80 {
                        let old = (0..<32).reduce(0.0) { $0 + state[$1][column] * decay * k[$1] }
                        let delta = (v[column] - old) * share
                        for row in 0..<32 { state[row][column] = state[row][column] * decay + k[row] * delta }
                        out[column] = (0..<32).reduce(0.0) { $0 + state[$1][column] * q[$1] }
                    }
                    let length = (out.reduce(0) { $0 + $1 * $1 } / 80 + 1e-6).squareRoot()
                    for column in 0..<80 {
                        let z = input(token, offsets[8 + value] + Int32(column))
                        let normed = out[column] / length * Double(norm[column])
                        result[token * 320 + value * 80 + column] = normed * z / (1 + exp(-z))
                    }
                }
            }
            return result
        }
    }

    @Test("A gated delta net is that of plain arithmetic, and equal in all variants")
    func variants() throws {
        let net = Net()
        let twin = try net.output(CK_SCALAR, runs: [net.count])
        #expect(largestDifference(twin[0], net.expected()) < 2e-5)
        for variant in ck_variant.available {
            let other = try net.output(variant, runs: [net.count])
            #expect(identical(other, twin), "\(variant.name)")
        }
    }

    @Test(
        "However a text is divided into runs and threads, its outputs and its last state have the same bits",
        arguments: [[45], Array(repeating: 1, count: 45), [2, 1, 3, 30, 9], [44, 1]]
    )
    func runs(lengths: [Int]) throws {
        let net = Net()
        let whole = try net.output(ck_variant_best(), threads: 1, runs: [45])
        #expect(identical(try net.output(ck_variant_best(), threads: 3, runs: lengths), whole))
    }

    @Test("A snapshot on the way continues like the text itself", arguments: [1, 2, 3, 17, 30])
    func snapshots(tokens: Int) throws {
        let net = Net()
        let whole = try net.output(ck_variant_best(), runs: [45])
        // The first run goes beyond the snapshot; the second begins there again.
        let continued = try net.output(ck_variant_best(), runs: [30, 45 - tokens], snapshot: (run: 0, tokens: tokens))
        #expect(identical(continued, whole))
    }

    @Test("Gates are logistic, wherever they are")
    func gates() throws {
        var generator = SeededGenerator(seed: 4)
        let gates = [-100, 100] + (0..<94).map { _ in Float.random(in: -20...20, using: &generator) }
        let values = (0..<96).map { _ in Float.random(in: -2...2, using: &generator) }
        let expected = zip(gates, values).map { Double($1) / (1 + exp(-Double($0))) }
        for variant in ck_variant.available {
            let compute = try Compute(variant: variant, threads: 2, precise: false)
            var gated = values
            ck_sigmoid_gate(compute.handle, gates, 3, 32, &gated)
            #expect(largestDifference(gated, expected) < 1e-6, "\(variant.name)")
            var single = gates
            ck_sigmoid(compute.handle, 96, &single)
            #expect(largestDifference(single, gates.map { 1 / (1 + exp(-Double($0))) }) < 1e-6, "\(variant.name)")
            // Two tokens of two heads of 16, and 16 more floats.
            let (rows, heads) = (gates.prefix(80) + values.prefix(80), 2)
            var (qkv, parts) = ([Float](repeating: 0, count: 96), [Float](repeating: 0, count: 64))
            ck_split_query_gates(compute.handle, Array(rows), 2, Int32(heads), 16, 16, &qkv, &parts)
            #expect(qkv[16..<32] == rows[32..<48] && qkv[32..<48] == rows[64..<80] && qkv[48..<64] == rows[80..<96])
            #expect(parts[0..<16] == rows[16..<32] && parts[48..<64] == rows[128..<144])
        }
    }
}
