/// How the next token is chosen: the penalty of repetition, temperature, then top-k, top-p and min-p, in that order.
///
/// The generator is counter-based: the token at `StepEntry.sampleIndex` depends on the seed, that index and the logits,
/// so a seed gives the same text whatever else runs.
package struct SamplingParameters: Sendable, Equatable {
    /// 0 is greedy.
    package var temperature: Float
    /// Keep the most probable tokens whose probabilities sum to at least this; 1 keeps all.
    package var topP: Float
    /// Keep this many of the most probable tokens; 0 keeps all, 1 is greedy.
    package var topK: Int
    /// Keep the tokens that are at least this probable, as a share of the most probable one; 0 keeps all.
    package var minP: Float
    /// Divides the positive logits of tokens that the prompt or the answer has already, and multiplies the negative ones
    /// (arXiv 1909.05858); 1 changes nothing.
    package var repetitionPenalty: Float
    package var seed: UInt64

    package init(
        temperature: Float = 0,
        topP: Float = 1,
        topK: Int = 0,
        minP: Float = 0,
        repetitionPenalty: Float = 1,
        seed: UInt64 = 0
    ) {
        self.temperature = temperature
        self.topP = topP
        self.topK = topK
        self.minP = minP
        self.repetitionPenalty = repetitionPenalty
        self.seed = seed
    }

    package static let greedy = SamplingParameters()

    /// Whether the choice depends on which tokens there were before.
    package var penalizesRepetition: Bool { repetitionPenalty != 1 }
}
