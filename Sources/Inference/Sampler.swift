import CKernels
import EngineContract
import Platform

/// Chooses the next token: temperature, then top-k, top-p and min-p, then one draw.
///
/// A token's weight is e^((logit − largest) / temperature). The kernels sum weights of stretches of the vocabulary, and
/// find those tokens that are probable enough to matter: only these are sorted.
struct Sampler {
    let compute: OpaquePointer
    let logits: UnsafeBufferPointer<Float>
    let parameters: SamplingParameters
    /// How many tokens a mask has left; the others weigh nothing. Nil: all.
    var allowed: Int?

    /// Tokens that are looked at one by one before the whole vocabulary is.
    private static let likely = 1024

    /// - Parameter index: how many tokens the session has sampled before; together with the seed it fixes the draw.
    /// - Returns: nil if a logit is not a finite number.
    func sample(index: Int) -> Token? {
        guard let start = logits.baseAddress else { return nil }
        let best = ck_argmax(compute, start, Int32(logits.count))
        guard best >= 0 else { return nil }
        if parameters.temperature == 0 || parameters.topK == 1 { return best }
        let largest = logits[Int(best)]
        let draw = Self.uniform(seed: parameters.seed, index: index)
        return withUnsafeTemporaryAllocation(of: Float.self, capacity: logits.count / Int(CK_SAMPLING_CHUNK) + 1) {
            sums in
            guard let stretches = sums.baseAddress else { return best }
            ck_sampling_sums(compute, start, Int32(logits.count), largest, parameters.temperature, stretches)
            let count = (logits.count + Int(CK_SAMPLING_CHUNK) - 1) / Int(CK_SAMPLING_CHUNK)
            let sums = UnsafeBufferPointer(start: stretches, count: count)
            if (parameters.topK == 0 || parameters.topK >= choices) && parameters.topP >= 1 && parameters.minP <= 0 {
                return pick(sums, largest: largest, draw: draw)
            }
            return pick(nucleus(largest: largest, total: sums.reduce(0) { $0 + Double($1) }), draw: draw)
        }
    }

    /// How many tokens there are to choose among.
    private var choices: Int { allowed ?? logits.count }

    // MARK: All tokens

    /// The token at `draw` (0 ..< 1) along the line on which each takes up its weight.
    private func pick(_ sums: UnsafeBufferPointer<Float>, largest: Float, draw: Double) -> Token {
        let target = draw * sums.reduce(0) { $0 + Double($1) }
        var sum = 0.0
        var chosen = 0
        for (stretch, weight) in sums.enumerated() where weight > 0 {
            chosen = stretch
            if sum + Double(weight) > target { break }
            sum += Double(weight)
        }
        let first = chosen * Int(CK_SAMPLING_CHUNK)
        let all = weights(logits[first..<min(first + Int(CK_SAMPLING_CHUNK), logits.count)], largest: largest)
        return Token(first + Self.pick(all, target: target - sum))
    }

    private func weights(_ some: some Sequence<Float>, largest: Float) -> [Float] {
        var weights = Array(some)
        weights.withUnsafeMutableBufferPointer {
            guard let start = $0.baseAddress else { return }
            ck_sampling_weights(compute, start, Int32($0.count), largest, parameters.temperature, start)
        }
        return weights
    }

    /// The first place at which the sum of weights exceeds `target`, or the last that has a weight.
    private static func pick(_ weights: some Sequence<Float>, target: Double) -> Int {
        var sum = 0.0
        var last = 0
        for (place, weight) in weights.enumerated() where weight > 0 {
            sum += Double(weight)
            last = place
            if sum > target { break }
        }
        return last
    }

    // MARK: Some tokens

    private struct Candidate {
        var token: Token
        var weight: Float
    }

    private func pick(_ candidates: ArraySlice<Candidate>, draw: Double) -> Token {
        let target = draw * candidates.reduce(0) { $0 + Double($1.weight) }
        let place = Self.pick(candidates.lazy.map(\.weight), target: target)
        return candidates[candidates.startIndex + place].token
    }

    /// The tokens that top-k, top-p and min-p leave, most probable first; among equals the lower comes first.
    /// - Parameter total: of the weights of all tokens.
    private func nucleus(largest: Float, total: Double) -> ArraySlice<Candidate> {
        let limit = parameters.topK == 0 ? choices : min(parameters.topK, choices)
        var candidates = candidates(largest: largest, limit: limit, total: total)
        candidates.sort { $0.weight != $1.weight ? $0.weight > $1.weight : $0.token < $1.token }
        let kept = probable(candidates.prefix(limit), total: limit == choices ? total : nil)
        // The most probable token's weight is 1.
        return kept.prefix(max(1, kept.prefix { $0.weight >= parameters.minP }.count))
    }

    /// What top-p leaves of the tokens that top-k left.
    /// - Parameter total: of the weights of these tokens, where they may be only a part of them; nil: their sum.
    private func probable(_ kept: ArraySlice<Candidate>, total: Double?) -> ArraySlice<Candidate> {
        guard parameters.topP < 1 else { return kept }
        let wanted = (total ?? kept.reduce(0) { $0 + Double($1.weight) }) * Double(parameters.topP)
        var sum = 0.0
        for (position, candidate) in kept.enumerated() {
            sum += Double(candidate.weight)
            if sum >= wanted { return kept.prefix(position + 1) }
        }
        return kept
    }

    /// Tokens among which the nucleus surely is: most tokens are too improbable to be worth sorting.
    private func candidates(largest: Float, limit: Int, total: Double) -> [Candidate] {
        for leastWeight: Float in [1e-3, 1e-6] {
            let threshold = largest + parameters.temperature * log(leastWeight)
            guard let likely = candidates(atLeast: threshold, largest: largest) else { break }
            if isEnough(likely, leastWeight: leastWeight, limit: limit, total: total) { return likely }
        }
        return zip(logits.indices, weights(logits, largest: largest)).lazy.filter { $1 > 0 }
            .map { Candidate(token: Token($0), weight: $1) }
    }

    /// Whether the nucleus is among the tokens of at least a weight.
    private func isEnough(_ likely: [Candidate], leastWeight: Float, limit: Int, total: Double) -> Bool {
        // Far enough from the border that rounding does not matter; but top-p wants to know the sum of what top-k leaves.
        if parameters.minP > 2 * leastWeight && (parameters.topP >= 1 || limit == choices) { return true }
        guard limit == choices else { return likely.count >= limit }
        // The total's additions are rounded.
        return likely.reduce(0) { $0 + Double($1.weight) } > total * Double(parameters.topP) * (1 + 1e-5)
    }

    /// The tokens whose logits are at least `threshold`; nil if those are many.
    private func candidates(atLeast threshold: Float, largest: Float) -> [Candidate]? {
        withUnsafeTemporaryAllocation(of: Int32.self, capacity: Self.likely) { places in
            let count = ck_logits_above(
                compute,
                logits.baseAddress,
                Int32(logits.count),
                threshold,
                places.baseAddress,
                Int32(Self.likely)
            )
            guard count <= Self.likely else { return nil }
            let tokens = places.prefix(Int(count))
            return zip(tokens, weights(tokens.lazy.map { logits[Int($0)] }, largest: largest)).map {
                Candidate(token: $0, weight: $1)
            }
        }
    }

    // MARK: Repetition

    /// Makes tokens that were there before less probable, or more so where `penalty` is below 1.
    /// - Parameter seen: tokens of the vocabulary, each once.
    static func penalize(_ seen: some Sequence<Token>, by penalty: Float, _ logits: UnsafeMutablePointer<Float>) {
        for token in seen {
            let logit = logits[Int(token)]
            let penalized = logit < 0 ? logit * penalty : logit / penalty
            // What was finite stays so: only the model can give a logit that is no number.
            let isOverflow = logit.isFinite && !penalized.isFinite
            logits[Int(token)] = isOverflow ? copysign(.greatestFiniteMagnitude, penalized) : penalized
        }
    }

    // MARK: Chance

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
