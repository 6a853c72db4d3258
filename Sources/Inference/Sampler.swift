import EngineContract
import Glibc

/// Chooses the next token: temperature, then top-k, then top-p, then one draw.
enum Sampler {
    /// - Parameter index: how many tokens the session has sampled before; together with the seed it fixes the draw.
    /// - Returns: nil if a logit is not a finite number.
    static func sample(_ logits: UnsafeBufferPointer<Float>, _ parameters: SamplingParameters, index: Int) -> Token? {
        guard let best = argmax(logits) else { return nil }
        if parameters.temperature == 0 || parameters.topK == 1 { return Token(best) }
        let temperature = Double(parameters.temperature)
        let largest = Double(logits[best])
        let weights = logits.map { exp((Double($0) - largest) / temperature) }
        let draw = uniform(seed: parameters.seed, index: index)
        if parameters.topK == 0 && parameters.topP >= 1 {
            return Token(pick(weights.indices, weights, draw: draw))
        }
        return Token(pick(nucleus(weights, parameters), weights, draw: draw))
    }

    /// The largest logit's index, the lowest one if there are several; nil if one is not finite.
    static func argmax(_ logits: UnsafeBufferPointer<Float>) -> Int? {
        guard var largest = logits.first else { return nil }
        var best = 0
        var isFinite = true
        for index in 0..<logits.count {
            let logit = logits[index]
            isFinite = isFinite && logit.isFinite
            if logit > largest {
                largest = logit
                best = index
            }
        }
        return isFinite ? best : nil
    }

    /// The tokens that top-k and top-p leave, most probable first; among equals the lower comes first.
    private static func nucleus(_ weights: [Double], _ parameters: SamplingParameters) -> ArraySlice<Int> {
        let limit = parameters.topK == 0 ? weights.count : min(parameters.topK, weights.count)
        var candidates = self.candidates(weights, limit: limit, topP: Double(parameters.topP))
        candidates.sort { weights[$0] != weights[$1] ? weights[$0] > weights[$1] : $0 < $1 }
        let kept = candidates.prefix(limit)
        guard parameters.topP < 1 else { return kept }
        let total = parameters.topK == 0 ? weights.reduce(0, +) : kept.reduce(0) { $0 + weights[$1] }
        let wanted = total * Double(parameters.topP)
        var sum = 0.0
        for (position, token) in kept.enumerated() {
            sum += weights[token]
            if sum >= wanted { return kept.prefix(position + 1) }
        }
        return kept
    }

    /// Tokens among which the nucleus surely is: most tokens are too improbable to be worth sorting.
    private static func candidates(_ weights: [Double], limit: Int, topP: Double) -> [Int] {
        let total = weights.reduce(0, +)
        for threshold in [1e-3, 1e-6] {
            let likely = weights.indices.filter { weights[$0] >= threshold }
            let isEnough =
                limit < weights.count
                ? likely.count >= limit : likely.reduce(0) { $0 + weights[$1] } > total * topP * (1 + 1e-9)
            if isEnough { return likely }
        }
        return Array(weights.indices)
    }

    /// The token at `draw` (0 ..< 1) along the line on which each candidate takes up its weight.
    private static func pick<Candidates: Collection<Int>>(
        _ candidates: Candidates,
        _ weights: [Double],
        draw: Double
    ) -> Int {
        let target = draw * candidates.reduce(0) { $0 + weights[$1] }
        var sum = 0.0
        var last = 0
        for token in candidates where weights[token] > 0 {
            sum += weights[token]
            last = token
            if sum > target { break }
        }
        return last
    }

    /// A number in 0 ..< 1 that depends on the two arguments alone (SplitMix64, begun at a mixed seed).
    static func uniform(seed: UInt64, index: Int) -> Double {
        let step = UInt64(truncatingIfNeeded: index) &+ 1
        let bits = mix(mix(seed) &+ step &* 0x9E37_79B9_7F4A_7C15)
        return Double(bits >> 11) * 0x1p-53
    }

    private static func mix(_ value: UInt64) -> UInt64 {
        var z = value
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }
}
