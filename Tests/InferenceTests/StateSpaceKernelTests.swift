import CKernels
import Platform
import Support
import Testing

@testable import Inference

/// The selective state space: each variant against its scalar twin, to the bit, and the twin against plain arithmetic in
/// double precision.
@Suite struct StateSpaceKernelTests {
    /// A state space of six heads in three groups, wider than a strip of the kernels, the weights of which are random.
    private struct Space {
        var description = StateSpaceDescription(heads: 6, headSize: 80, stateSize: 32, groups: 3, taps: 4)
        /// Tokens of the text.
        let count = 45
        let convolution, convolutionBias, rates, bias, skip, norm: Vector
        let inputs: [Float]

        init() throws {
            var generator = SeededGenerator(seed: 29)
            func numbers(_ count: Int, _ range: ClosedRange<Float>) -> [Float] {
                (0..<count).map { _ in Float.random(in: range, using: &generator) }
            }
            let channels = description.channels
            // Some steps are kept from being short, some from being long.
            description.steps = 0.25...2
            convolution = try #require(Vector(numbers(4 * channels, -0.7...0.7)))
            convolutionBias = try #require(Vector(numbers(channels, -0.5...0.5)))
            rates = try #require(Vector(numbers(6, -0.3 ... -0.01)))
            bias = try #require(Vector(numbers(6, -2...2)))
            skip = try #require(Vector(numbers(6, -1.5...1.5)))
            norm = try #require(Vector(numbers(description.innerFloats, -1.5...1.5)))
            inputs = numbers(count * description.rowFloats, -1.5...1.5)
        }

        private func view(hasBias: Bool) -> ck_state_space {
            ck_state_space(
                heads: 6,
                head_size: 80,
                state_size: 32,
                groups: 3,
                taps: 4,
                convolution: convolution.start,
                convolution_bias: hasBias ? convolutionBias.start : nil,
                decay_rate: rates.start,
                step_bias: bias.start,
                least_step: description.steps.lowerBound,
                most_step: description.steps.upperBound,
                skip: skip.start,
                norm: norm.start,
                epsilon: 1e-6,
                state_offset: 16
            )
        }

        /// What comes out for the text in runs of some lengths, and the state after it.
        /// - Parameters:
        ///   - snapshot: after how many tokens of which run the state is copied; the run after it goes on from the copy.
        func output(
            _ variant: ck_variant,
            threads: Int = 2,
            runs lengths: [Int],
            snapshot: (run: Int, tokens: Int)? = nil,
            hasBias: Bool = true
        ) throws -> [[Float]] {
            let compute = try Compute(variant: variant, threads: threads, precise: false)
            let size = description.stateFloats + 16
            var states = [Float](repeating: .nan, count: 2 * size)
            var mixed = [Float](repeating: .nan, count: count * description.channels)
            var steps = [Float](repeating: .nan, count: count * 12)
            var out = [Float](repeating: .nan, count: count * description.innerFloats)
            var space = view(hasBias: hasBias)
            states.withUnsafeMutableBufferPointer { states in
                guard let start = states.baseAddress else { return }
                var row = 0
                var from: UnsafePointer<Float>?
                for (index, length) in lengths.enumerated() {
                    let copies = snapshot?.run == index
                    var copy = ck_state_snapshot(to: start + size, after: Int32(snapshot?.tokens ?? 0))
                    withUnsafePointer(to: &copy) { copy in
                        // Rows are those of the text, whatever the run.
                        var run = ck_state_run(
                            row: 0,
                            count: Int32(length),
                            from: from,
                            to: start,
                            snapshots: copy,
                            snapshot_count: copies ? 1 : 0
                        )
                        inputs.withUnsafeBufferPointer { inputs in
                            out.withUnsafeMutableBufferPointer { out in
                                guard let inputs = inputs.baseAddress, let out = out.baseAddress else { return }
                                ck_state_space_apply(
                                    compute.handle,
                                    &space,
                                    &run,
                                    1,
                                    inputs + row * description.rowFloats,
                                    &mixed,
                                    &steps,
                                    out + row * description.innerFloats
                                )
                            }
                        }
                    }
                    row += copies ? snapshot?.tokens ?? 0 : length
                    from = UnsafePointer(copies ? start + size : start)
                }
            }
            return [out, Array(states[16..<size])]
        }

        // MARK: Plain arithmetic

        private func input(_ token: Int, _ at: Int) -> Double {
            token < 0 ? 0 : Double(inputs[token * description.rowFloats + at])
        }

        /// A channel of a token behind the convolution.
        private func convolved(_ token: Int, _ channel: Int, hasBias: Bool) -> Double {
            let first = description.innerFloats
            let total = (0..<4).reduce(hasBias ? Double(convolutionBias.start[channel]) : 0) {
                $0 + Double(convolution.start[$1 * description.channels + channel])
                    * input(token - 3 + $1, first + channel)
            }
            return total / (1 + exp(-total))
        }

        func expected(hasBias: Bool = true) -> [Double] {
            let inner = description.innerFloats
            var result = [Double](repeating: 0, count: count * inner)
            for head in 0..<6 {
                var state = [[Double]](repeating: [Double](repeating: 0, count: 80), count: 32)
                let group = head / 2
                for token in 0..<count {
                    func channel(_ at: Int) -> Double { convolved(token, at, hasBias: hasBias) }
                    let raw = log(
                        1 + exp(input(token, inner + description.channels + head) + Double(bias.start[head]))
                    )
                    let step = min(max(raw, 0.25), 2)
                    let decay = exp(Double(rates.start[head]) * step)
                    let x = (0..<80).map { channel(head * 80 + $0) }
                    let written = (0..<32).map { channel(inner + group * 32 + $0) }
                    let read = (0..<32).map { channel(inner + (3 + group) * 32 + $0) }
                    for column in 0..<80 {
                        for row in 0..<32 {
                            state[row][column] = state[row][column] * decay + written[row] * step * x[column]
                        }
                        let y = (0..<32).reduce(Double(skip.start[head]) * x[column]) {
                            $0 + state[$1][column] * read[$1]
                        }
                        let z = input(token, head * 80 + column)
                        result[token * inner + head * 80 + column] = y * z / (1 + exp(-z))
                    }
                }
            }
            // Each group of a token by itself.
            for start in stride(from: 0, to: result.count, by: 160) {
                let squares = result[start..<(start + 160)].reduce(0) { $0 + $1 * $1 }
                for index in start..<(start + 160) {
                    result[index] *= Double(norm.start[index % inner]) / (squares / 160 + 1e-6).squareRoot()
                }
            }
            return result
        }
    }

    @Test("A state space is that of plain arithmetic, and equal in all variants", arguments: [true, false])
    func variants(hasBias: Bool) throws {
        let space = try Space()
        let twin = try space.output(CK_SCALAR, runs: [space.count], hasBias: hasBias)
        #expect(largestDifference(twin[0], space.expected(hasBias: hasBias)) < 2e-5)
        for variant in ck_variant.available {
            let other = try space.output(variant, runs: [space.count], hasBias: hasBias)
            #expect(identical(other, twin), "\(variant.name)")
        }
    }

    @Test(
        "However a text is divided into runs and threads, its outputs and its last state have the same bits",
        arguments: [[45], Array(repeating: 1, count: 45), [2, 1, 3, 30, 9], [44, 1]]
    )
    func runs(lengths: [Int]) throws {
        let space = try Space()
        let whole = try space.output(ck_variant_best(), threads: 1, runs: [45])
        #expect(identical(try space.output(ck_variant_best(), threads: 3, runs: lengths), whole))
    }

    @Test("A snapshot on the way continues like the text itself", arguments: [1, 2, 3, 17, 30])
    func snapshots(tokens: Int) throws {
        let space = try Space()
        let whole = try space.output(ck_variant_best(), runs: [45])
        // The first run goes beyond the snapshot; the second begins there again.
        let continued = try space.output(
            ck_variant_best(),
            runs: [30, 45 - tokens],
            snapshot: (run: 0, tokens: tokens)
        )
        #expect(identical(continued, whole))
    }
}
