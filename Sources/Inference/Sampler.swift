import CKernels
package import EngineContract
import Platform

/// Chooses the next token: temperature, then top-k, top-p and min-p, then one draw.
///
/// A token's weight is e^((logit − largest) / temperature). A draw is a place on the line on which each token that is left
/// takes up its weight, in the order of the vocabulary.
package struct Sampler {
    private let compute: OpaquePointer
    private let logits: UnsafeMutableBufferPointer<Float>
    private let parameters: SamplingParameters
    private let allowed: Int?

    /// - Parameters:
    ///   - compute: of which only the kernels are used, on the calling thread.
    ///   - logits: of the vocabulary; what is sampled becomes weights, unless the most probable token is taken.
    ///   - allowed: how many tokens a mask has left, where the others' logits are -FLT_MAX; nil: all.
    package init(
        compute: OpaquePointer,
        logits: UnsafeMutableBufferPointer<Float>,
        parameters: SamplingParameters,
        allowed: Int? = nil
    ) {
        self.compute = compute
        self.logits = logits
        self.parameters = parameters
        self.allowed = allowed
    }

    /// - Parameter index: how many tokens the session has sampled before; together with the seed it fixes the draw.
    /// - Returns: nil if a logit is not a finite number.
    package func sample(index: Int) -> Token? {
        guard let start = logits.baseAddress else { return nil }
        let best = ck_argmax(compute, start, Int32(logits.count))
        guard best >= 0 else { return nil }
        if parameters.temperature == 0 || parameters.topK == 1 { return best }
        let draw = Self.uniform(seed: parameters.seed, index: index)
        let largest = logits[Int(best)]
        return Self.withSums(of: logits.count) { sums in
            ck_sampling_weights(
                compute,
                start,
                Int32(logits.count),
                largest,
                parameters.temperature,
                start,
                sums.baseAddress
            )
            let all = Nucleus(compute: compute, weights: logits)
            if limit == choices && parameters.topP >= 1 && parameters.minP <= 0 {
                return Token(all.pick(draw: draw, sums: sums))
            }
            let total = sums.reduce(0) { $0 + Double($1) }
            guard var likely = likely(all, total) else { return Token(pick(draw, all, sums, total)) }
            let place = likely.weights.withUnsafeMutableBufferPointer { weights in
                Self.withSums(of: weights.count) {
                    pick(draw, Nucleus(compute: compute, weights: weights, floor: likely.floor), $0, total)
                }
            }
            return likely.places[place]
        }
    }

    /// How many tokens there are to choose among.
    private var choices: Int { allowed ?? logits.count }
    /// What top-k leaves of them.
    private var limit: Int { parameters.topK == 0 ? choices : min(parameters.topK, choices) }

    /// Memory for the sums of a vocabulary's weights.
    private static func withSums<Result>(
        of count: Int,
        _ body: (UnsafeMutableBufferPointer<Float>) -> Result
    ) -> Result {
        let chunks = (count + Int(CK_SAMPLING_CHUNK) - 1) / Int(CK_SAMPLING_CHUNK)
        return withUnsafeTemporaryAllocation(of: Float.self, capacity: chunks, body)
    }

    /// Draws one of what top-k, top-p and min-p leave.
    /// - Parameters:
    ///   - sums: of the weights; changed.
    ///   - total: of the weights of all tokens, of which these may be a part.
    private func pick(
        _ draw: Double,
        _ nucleus: Nucleus,
        _ sums: UnsafeMutableBufferPointer<Float>,
        _ total: Double
    ) -> Int {
        if limit < choices { nucleus.keep(.count(limit), sums: sums) }
        if parameters.topP < 1 {
            let kept = limit < choices ? sums.reduce(0) { $0 + Double($1) } : total
            nucleus.keep(.sum(kept * Double(parameters.topP)), sums: sums)
        }
        // The most probable token's weight is 1.
        if parameters.minP > 0 { nucleus.keep(atLeast: parameters.minP, sums: sums) }
        return nucleus.pick(draw: draw, sums: sums)
    }

    // MARK: Likely tokens

    /// Tokens among which all are that top-k, top-p and min-p leave; nil if these may be nearly all there are.
    private func likely(_ all: Nucleus, _ total: Double) -> Nucleus.Candidates? {
        for (bound, above) in zip(Nucleus.bounds, all.above(Nucleus.bounds)) where above.count < logits.count / 2 {
            if isEnough(above, bound, total) { return all.candidates(above: bound, count: above.count) }
        }
        return nil
    }

    private func isEnough(_ above: Nucleus.Above, _ bound: Float, _ total: Double) -> Bool {
        // But top-p wants to know the sum of what top-k leaves.
        if parameters.minP > bound && (parameters.topP >= 1 || limit == choices) { return true }
        guard limit == choices else { return above.count >= limit }
        // The total's additions are rounded.
        return above.sum > total * Double(parameters.topP) * (1 + 1e-5)
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
