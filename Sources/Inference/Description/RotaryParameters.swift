/// How the heads of q and k are rotated by their positions (RoPE, arXiv 2104.09864), and how that is stretched for long
/// contexts.
package struct RotaryParameters: Sendable, Equatable {
    /// Pair i is rotated by base^(-2i / dimensions) for each position.
    package var base: Double
    /// How many dimensions of a head are rotated, the first ones; the others stay. Even, at least 2.
    package var dimensions: Int
    package var scaling: Scaling
    /// How q grows with its position, besides; nil: it does not.
    package var queryGrowth: QueryGrowth?

    /// q is multiplied by 1 + beta × log(1 + floor(position / length)).
    package struct QueryGrowth: Sendable, Equatable {
        package var beta: Double
        package var length: Int
    }

    package enum Scaling: Sendable, Equatable {
        case none
        /// Frequencies divided by `factor` (arXiv 2306.15595).
        case linear(factor: Double)
        /// Wavelengths above originalLength / lowFrequencyFactor are divided by `factor`, those below
        /// originalLength / highFrequencyFactor stay, between them the two are blended (Llama 3.1).
        case llama3(factor: Double, lowFrequencyFactor: Double, highFrequencyFactor: Double, originalLength: Int)
        /// Pairs that rotate less than `betaSlow` times within `originalLength` are divided by `factor`, those that rotate
        /// more than `betaFast` times stay, between them the two are blended (arXiv 2309.00071). Cosines and sines are
        /// multiplied by `attentionFactor`.
        case yarn(
            factor: Double,
            attentionFactor: Double,
            betaFast: Double,
            betaSlow: Double,
            originalLength: Int,
            truncates: Bool
        )
        /// The first `pairs` rotate as they would if all did, divided by `factor`; the others do not.
        case proportional(pairs: Int, factor: Double)
        /// Each frequency divided by a factor of its own, one for each pair: those of `long` in contexts longer than
        /// `originalLength`, else those of `short` (arXiv 2402.13753). Cosines and sines are multiplied by
        /// `attentionFactor`.
        case longrope(short: [Double], long: [Double], originalLength: Int, attentionFactor: Double)
    }

    /// Changes what files of some families do not say, if YaRN stretches them.
    mutating func changeYaRN(attentionFactor: Double? = nil, truncates: Bool? = nil) {
        guard case .yarn(let factor, let attention, let fast, let slow, let length, let rounds) = scaling else {
            return
        }
        scaling = .yarn(
            factor: factor,
            attentionFactor: attentionFactor ?? attention,
            betaFast: fast,
            betaSlow: slow,
            originalLength: length,
            truncates: truncates ?? rounds
        )
    }

    package init(base: Double, dimensions: Int, scaling: Scaling = .none) {
        self.base = base
        self.dimensions = dimensions
        self.scaling = scaling
    }
}
