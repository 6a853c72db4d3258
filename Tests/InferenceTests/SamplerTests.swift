import EngineContract
import Foundation
import Testing

@testable import Inference

func expDouble(_ x: Double) -> Double { exp(x) }
func tanhDouble(_ x: Double) -> Double { tanh(x) }
func cosine(_ x: Double) -> Double { cos(x) }

/// Sampling is exact and seeded.
@Suite struct SamplerTests {
    private let logits: [Float] = [1.0, 2.5, -1.0, 0.3, 2.4, -30, 0.9, 1.7]

    private func sample(_ logits: [Float], _ parameters: SamplingParameters, index: Int = 0) -> Token? {
        logits.withUnsafeBufferPointer { Sampler.sample($0, parameters, index: index) }
    }

    private func counts(_ parameters: SamplingParameters, draws: Int = 20_000) -> [Int] {
        var counts = [Int](repeating: 0, count: logits.count)
        for index in 0..<draws { counts[Int(sample(logits, parameters, index: index) ?? 0)] += 1 }
        return counts
    }

    /// Chi-square against the softmax over `kept`; the bound is far above what 20,000 true draws give.
    private func fits(_ counts: [Int], temperature: Double, kept: Set<Int>) -> Bool {
        let weights = logits.indices.map { kept.contains($0) ? exp(Double(logits[$0]) / temperature) : 0 }
        let (total, draws) = (weights.reduce(0, +), Double(counts.reduce(0, +)))
        var chiSquare = 0.0
        for (count, weight) in zip(counts, weights) {
            let expected = draws * weight / total
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

    @Test("Improbable tokens are left out only where that changes nothing")
    func longTail() {
        var generator = SplitMix(state: 9)
        let logits = (0..<3000).map { _ in Float.random(in: -12...0, using: &generator) }
        let order = logits.indices.sorted { logits[$0] > logits[$1] }
        let total = logits.reduce(0.0) { $0 + exp(Double($1)) }
        for topP in [0.5, 0.99, 0.999999] {
            var sum = 0.0
            let kept = order.prefix { token in
                defer { sum += exp(Double(logits[token])) }
                return sum < total * topP
            }
            let drawn = (0..<100).map {
                sample(logits, SamplingParameters(temperature: 1, topP: Float(topP), seed: 5), index: $0)
            }
            #expect(Set(drawn.compactMap { $0.map(Int.init) }).isSubset(of: Set(kept)))
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
