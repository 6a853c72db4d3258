import CKernels
import EngineContract
import Foundation
import Support
import Testing

@testable import Inference

func expDouble(_ x: Double) -> Double { exp(x) }
func tanhDouble(_ x: Double) -> Double { tanh(x) }
func cosine(_ x: Double) -> Double { cos(x) }

/// Sampling is exact and seeded.
@Suite struct SamplerTests {
    private let logits: [Float] = [1.0, 2.5, -1.0, 0.3, 2.4, -30, 0.9, 1.7]

    private let compute: Compute

    init() throws { compute = try Compute(threads: 1, precise: false) }

    private func sample(_ logits: [Float], _ parameters: SamplingParameters, index: Int = 0) -> Token? {
        var logits = logits
        return logits.withUnsafeMutableBufferPointer {
            Sampler(compute: compute.handle, logits: $0, parameters: parameters).sample(index: index)
        }
    }

    private static let draws = 20_000

    /// How often each token comes; a draw that gives none is missing from the sum.
    private func counts(_ parameters: SamplingParameters) -> [Int] {
        var counts = [Int](repeating: 0, count: logits.count)
        for index in 0..<Self.draws {
            if let token = sample(logits, parameters, index: index) { counts[Int(token)] += 1 }
        }
        return counts
    }

    /// Chi-square against the softmax over `kept`; the bound is far above what 20,000 true draws give.
    private func fits(_ counts: [Int], temperature: Double, kept: Set<Int>) -> Bool {
        let weights = logits.indices.map { kept.contains($0) ? exp(Double(logits[$0]) / temperature) : 0 }
        let total = weights.reduce(0, +)
        guard counts.reduce(0, +) == Self.draws, total > 0 else { return false }
        var chiSquare = 0.0
        for (count, weight) in zip(counts, weights) {
            let expected = Double(Self.draws) * weight / total
            if weight == 0 && count > 0 { return false }
            if expected > 1 { chiSquare += (Double(count) - expected) * (Double(count) - expected) / expected }
        }
        return chiSquare < 35
    }

    @Test("Frequencies are those of the softmax", arguments: [0.3, 1.0, 2.0])
    func frequencies(temperature: Double) {
        let counts = counts(SamplingParameters(temperature: Float(temperature), seed: 42))
        #expect(fits(counts, temperature: temperature, kept: Set(logits.indices)))
    }

    @Test("Top-k keeps the k most probable tokens, the lower of equals")
    func topK() {
        #expect(fits(counts(SamplingParameters(temperature: 1, topK: 3, seed: 1)), temperature: 1, kept: [1, 4, 7]))
        let even = [Float](repeating: 1, count: 50)
        let drawn = Set((0..<500).map { sample(even, SamplingParameters(temperature: 1, topK: 3), index: $0) })
        #expect(drawn == [0, 1, 2])
    }

    @Test("Top-p keeps the fewest tokens that reach it, after top-k")
    func topP() {
        // Softmax at temperature 1: 1 → .346, 4 → .313, 7 → .155, 0 → .077, 6 → .070, 3 → .038.
        #expect(fits(counts(SamplingParameters(temperature: 1, topP: 0.6, seed: 2)), temperature: 1, kept: [1, 4]))
        #expect(fits(counts(SamplingParameters(temperature: 1, topP: 0.7, seed: 2)), temperature: 1, kept: [1, 4, 7]))
        // Of the two that top-k leaves, the first alone has 0.525.
        #expect(fits(counts(SamplingParameters(temperature: 1, topP: 0.5, topK: 2)), temperature: 1, kept: [1]))
        #expect(fits(counts(SamplingParameters(temperature: 1, topP: 1e-6)), temperature: 1, kept: [1]))
    }

    @Test("Min-p keeps the tokens that are so probable as a share of the most probable one, after top-k and top-p")
    func minP() {
        // e^(logit − 2.5): 1 → 1, 4 → .905, 7 → .449, 0 → .223, 6 → .202, 3 → .111.
        #expect(fits(counts(SamplingParameters(temperature: 1, minP: 0.21)), temperature: 1, kept: [0, 1, 4, 7]))
        #expect(fits(counts(SamplingParameters(temperature: 1, topK: 2, minP: 0.21)), temperature: 1, kept: [1, 4]))
        #expect(fits(counts(SamplingParameters(temperature: 1, topP: 0.3, minP: 0.21)), temperature: 1, kept: [1]))
        // The temperature comes first: at 2, e^(−0.8 / 2) is .67.
        #expect(fits(counts(SamplingParameters(temperature: 2, minP: 0.6)), temperature: 2, kept: [1, 4, 7]))
    }

    @Test(
        "A draw from a large vocabulary is the one that plain arithmetic makes",
        arguments: [
            SamplingParameters(temperature: 1), SamplingParameters(temperature: 0.05),
            SamplingParameters(temperature: 0.7, topP: 0.9), SamplingParameters(temperature: 1, topP: 0.999),
            SamplingParameters(temperature: 1, topK: 40), SamplingParameters(temperature: 2, topP: 0.8, topK: 2000),
            SamplingParameters(temperature: 0.3, topP: 0.8, topK: 50_000),
            SamplingParameters(temperature: 1, minP: 0.05), SamplingParameters(temperature: 2, minP: 1e-5),
            SamplingParameters(temperature: 1.5, topP: 0.9, minP: 0.01),
            SamplingParameters(temperature: 1, topP: 0.5, topK: 3000, minP: 0.1),
            SamplingParameters(temperature: 1, topK: 40, minP: 0.5), SamplingParameters(temperature: 1, minP: 1),
        ]
    )
    func largeVocabulary(parameters: SamplingParameters) {
        var generator = SeededGenerator(seed: 31)
        for count in [5003, 32_000] {
            let logits = (0..<count).map { _ in Float.random(in: -20...0, using: &generator) }
            let line = line(logits, parameters)
            // Where many tokens are left, sorting them takes its time.
            for index in 0..<(parameters.minP > 0 ? 20 : 60) {
                let draw = Sampler.uniform(seed: parameters.seed, index: index)
                let place = line.firstIndex { $0.end > draw } ?? line.count - 1
                // Where two tokens meet on the line, rounding may choose.
                let possible = [place - 1, place, place + 1].filter {
                    line.indices ~= $0 && draw > line[$0].start - 1e-5 && draw < line[$0].end + 1e-5
                }
                let token = sample(logits, parameters, index: index)
                #expect(possible.contains { line[$0].token == token }, "\(count), draw \(index)")
            }
        }
    }

    /// Where each token lies between 0 and 1, in their order.
    private func line(_ logits: [Float], _ parameters: SamplingParameters) -> [(
        token: Token, start: Double, end: Double
    )] {
        let weights = logits.map { exp(Double($0) / Double(parameters.temperature)) }
        var tokens = Array(logits.indices)
        if parameters.topK > 0 || parameters.topP < 1 || parameters.minP > 0 {
            tokens.sort { weights[$0] > weights[$1] }
            if parameters.topK > 0 { tokens = Array(tokens.prefix(parameters.topK)) }
            let wanted = Double(parameters.topP) * tokens.reduce(0) { $0 + weights[$1] }
            var sum = 0.0
            tokens = Array(
                tokens.prefix { token in
                    defer { sum += weights[token] }
                    return parameters.topP >= 1 || sum < wanted
                }
            )
            let least = (weights.max() ?? 0) * Double(parameters.minP)
            tokens = tokens.prefix { weights[$0] >= least }.sorted()
        }
        let total = tokens.reduce(0) { $0 + weights[$1] }
        var end = 0.0
        return tokens.map { token in
            let start = end
            end += weights[token] / total
            return (Token(token), start, end)
        }
    }

    @Test(
        "The kernels of sampling are equal in all variants, whatever the vocabulary",
        arguments: [1, 15, 16, 300, 5003]
    )
    func variants(count: Int) throws {
        var generator = SeededGenerator(seed: UInt64(count))
        var logits = (0..<count).map { _ in Float.random(in: -9...9, using: &generator) }
        logits[count / 2] = 10
        logits[count - 1] = 10
        var broken = logits
        broken[count - 1] = .nan
        let size = Int32(count)
        var twin: [Float]?
        for variant in ck_variant.available {
            let owner = try Compute(variant: variant, threads: 1, precise: false)
            let compute = owner.handle
            #expect(ck_argmax(compute, logits, size) == Int32(count / 2))
            #expect(ck_argmax(compute, broken, size) == -1)
            var weights = [Float](repeating: 0, count: count)
            var sums = [Float](repeating: 0, count: count / Int(CK_SAMPLING_CHUNK) + 1)
            ck_sampling_weights(compute, logits, size, 10, 0.7, &weights, &sums)
            #expect(largestDifference(weights, logits.map { exp((Double($0) - 10) / 0.7) }) < 1e-5)
            #expect(abs(sums.reduce(0, +) - weights.reduce(0, +)) < 1e-3)
            checkSelection(compute, logits, weights)
            var masked = logits
            let mask = (0..<(count + 63) / 64).map { UInt64(truncatingIfNeeded: $0 &* 0x5555_1234_9ABC_FFFF &+ 0xFFFF) }
            ck_mask_logits(compute, mask, size, &masked)
            for index in 0..<count {
                let isAllowed = mask[index / 64] >> UInt64(index % 64) & 1 != 0
                #expect(masked[index] == (isAllowed ? logits[index] : -.greatestFiniteMagnitude))
            }
            ck_mask_logits(compute, Array(repeating: 0, count: mask.count), size, &broken)
            #expect(broken[count - 1].isNaN && broken.dropLast().allSatisfy { $0 == -.greatestFiniteMagnitude })
            broken = logits
            broken[count - 1] = .nan
            let all = weights + sums + masked
            withExtendedLifetime(owner) {}
            #expect(all.elementsEqual(twin ?? all) { $0.bitPattern == $1.bitPattern }, "\(variant.name)")
            twin = all
        }
    }

    /// The kernels that tell which numbers lie above a bound or between two, and keep some of them.
    private func checkSelection(_ compute: OpaquePointer, _ logits: [Float], _ weights: [Float]) {
        let size = Int32(logits.count)
        // Logits at most as large as the largest of the first half, so that one of those found equals the bound.
        let high = logits.prefix(logits.count / 2 + 1).dropLast().max() ?? 10
        for capacity in [0, 4, logits.count] {
            var places = [Int32](repeating: -1, count: capacity + 32)
            var numbers = [Float](repeating: .nan, count: capacity + 32)
            let found = Int(
                ck_numbers_between(compute, logits, size, -3, high, &places, &numbers, Int32(capacity))
            )
            let expected = logits.indices.filter { logits[$0] > -3 && logits[$0] <= high }
            #expect(expected.count <= capacity ? found == expected.count : found > capacity && found <= capacity + 16)
            #expect(places.prefix(found) == expected.prefix(found).map { Int32($0) }[...])
            #expect(numbers.prefix(found) == expected.prefix(found).map { logits[$0] }[...])
        }
        let bounds: [Float] = [1, 0.9, weights[weights.count / 3], 0.01, 1e-9, 0]
        var counts = [Int32](repeating: -1, count: bounds.count)
        var sums = [Double](repeating: -1, count: bounds.count)
        ck_numbers_above(compute, weights, size, bounds, &counts, &sums)
        for (bound, (count, sum)) in zip(bounds, zip(counts, sums)) {
            let above = weights.filter { $0 > bound }
            #expect(Int(count) == above.count)
            #expect(abs(sum - above.reduce(0) { $0 + Double($1) }) < 1e-4)
        }
        // The last number is as large as the one in the middle, and may be at a place that is too high.
        for place in [Int32(weights.count / 2), size - 1] {
            var kept = weights
            var sums = [Float](repeating: -1, count: weights.count / Int(CK_SAMPLING_CHUNK) + 1)
            ck_keep_numbers(compute, &kept, size, 1, place, &sums)
            let expected = weights.indices.map { weights[$0] == 1 && $0 <= place ? weights[$0] : 0 }
            #expect(kept == expected && expected.contains(1))
            let chunks = (weights.count + Int(CK_SAMPLING_CHUNK) - 1) / Int(CK_SAMPLING_CHUNK)
            #expect(sums.prefix(chunks).reduce(0, +) == expected.reduce(0, +))
        }
    }

    @Test(
        "Only what a mask allows is drawn, and top-k, top-p and min-p count nothing else",
        arguments: [
            SamplingParameters.greedy, SamplingParameters(temperature: 1), SamplingParameters(temperature: 1, topK: 40),
            SamplingParameters(temperature: 1, topP: 0.9), SamplingParameters(temperature: 0.7, minP: 0.2),
            SamplingParameters(temperature: 1.5, topP: 0.8, topK: 20, minP: 0.01),
        ]
    )
    func masked(parameters: SamplingParameters) throws {
        var generator = SeededGenerator(seed: 77)
        let compute = try Compute(threads: 2, precise: false)
        let count = 5003
        let logits = (0..<count).map { _ in Float.random(in: -9...9, using: &generator) }
        for allowedCount in [2, 17, 3000] {
            let allowed = Array((0..<count).shuffled(using: &generator).prefix(allowedCount).sorted())
            let draws = (0..<60).map {
                var draw = Draw(parameters: parameters, index: $0)
                draw.constraint = SetConstraint(allowed: allowed.map { Token($0) })
                return draw
            }
            var rows = (0..<60).flatMap { _ in logits }
            var masks: [TokenMask] = []
            let outcomes = BatchSampler.sample(draws, &rows, vocabularySize: count, masks: &masks, on: compute)
            // As if the vocabulary were these tokens alone.
            let few = allowed.map { logits[$0] }
            for (index, outcome) in outcomes.enumerated() {
                let expected = sample(few, parameters, index: index).map { Token(allowed[Int($0)]) }
                #expect(outcome.token == expected, "\(allowedCount), draw \(index)")
            }
        }
    }

    @Test("Improbable tokens are left out only where that changes nothing")
    func longTail() throws {
        var generator = SeededGenerator(seed: 9)
        let logits = (0..<3000).map { _ in Float.random(in: -12...0, using: &generator) }
        let order = logits.indices.sorted { logits[$0] > logits[$1] }
        let total = logits.reduce(0.0) { $0 + exp(Double($1)) }
        for topP in [0.5, 0.99, 0.999999] {
            var sum = 0.0
            let kept = order.prefix { token in
                defer { sum += exp(Double(logits[token])) }
                return sum < total * topP
            }
            let drawn = try (0..<100).map {
                try #require(sample(logits, SamplingParameters(temperature: 1, topP: Float(topP), seed: 5), index: $0))
            }
            #expect(Set(drawn.map(Int.init)).isSubset(of: Set(kept)))
        }
    }

    @Test("Seed and index alone decide the draw")
    func determinism() {
        let parameters = SamplingParameters(temperature: 1, topP: 0.95, seed: 7)
        let first = (0..<100).map { sample(logits, parameters, index: $0) }
        #expect(first == (0..<100).reversed().map { sample(logits, parameters, index: $0) }.reversed())
        var other = parameters
        other.seed = 8
        #expect(first != (0..<100).map { sample(logits, other, index: $0) })
    }

    @Test("Greedy takes the lowest of the largest; a logit that is no number gives nothing")
    func greedy() {
        #expect(sample([0, 3, 3, 1], .greedy) == 1)
        #expect(sample([0, 3, 3, 1], SamplingParameters(temperature: 1, topK: 1)) == 1)
        #expect(sample([0, 3, 3, 1], SamplingParameters(temperature: 1e-30)).map { [1, 2].contains($0) } == true)
        #expect(sample([0, .nan, 1], .greedy) == nil)
        #expect(sample([.nan, 0, 1], SamplingParameters(temperature: 1)) == nil)
        #expect(sample([0, .infinity], .greedy) == nil)
    }
}
