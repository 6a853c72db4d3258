/// How long drafts of a text are: longer while whole drafts are accepted, shorter when a part is rejected, and
/// none for a number of steps, which doubles each time, when all of a draft is rejected.
struct TextDraftPace {
    private static let maxPause = 31

    private var length = 4
    private var failures = 0
    /// Steps left without a draft.
    private var pausedSteps = 0

    /// The length of the next step's draft.
    mutating func next() -> Int {
        guard pausedSteps == 0 else {
            pausedSteps -= 1
            return 0
        }
        return length
    }

    mutating func learn(accepted: Int, of count: Int) {
        guard accepted > 0 else {
            length = max(1, length / 2)
            pausedSteps = min(Self.maxPause, (2 << failures) - 1)
            failures = min(failures + 1, 8)
            return
        }
        failures = 0
        // There may have been room for less than `length`.
        length = accepted == count ? min(Drafter.maxLength, max(length, 2 * count)) : accepted + 1
    }
}

/// How many tokens the engine drafts: one more after a draft that was accepted as a whole, fewer after others, and not more
/// than pay for what they cost. Where its first tokens are accepted too seldom for that, none for a number of steps, which
/// doubles each time.
struct EngineDraftPace {
    /// The share of accepted first tokens below which it rests as long as their cost is not known.
    private static let leastShare = 0.35
    /// What is believed of it when it begins anew beyond what it costs: one or two rejected drafts more, and it rests again.
    private static let trial = 0.06
    private static let firstPause = 16
    private static let maxPause = 512
    /// What is believed of a drafter of which nothing is known.
    static let firstShare = 0.75

    private let maxLength: Int
    private var length = 1
    /// Of the drafts' first tokens, how many are accepted, the last dozen counting most.
    private var share: Double
    /// The share at which they cost as much as they gain.
    private var least = leastShare
    private var pause = firstPause
    private var pausedSteps = 0
    private var isNew = true

    init(maxLength: Int, share: Double = firstShare) {
        self.maxLength = maxLength
        self.share = share
    }

    /// How many tokens are to be drafted for the next step.
    /// - Parameter cost: of a token, as a share of a step; nil if it is not known.
    mutating func next(cost: Double?) -> Int {
        if let cost { least = Self.leastShare(cost: cost) }
        if isNew, share < least {
            // As others have learnt.
            pause = 4 * Self.firstPause
            rest()
        }
        isNew = false
        guard pausedSteps == 0 else {
            pausedSteps -= 1
            return 0
        }
        return cost.map { min(length, bestLength(cost: $0)) } ?? length
    }

    mutating func learn(accepted: Int, of count: Int) {
        share += ((accepted > 0 ? 1 : 0) - share) / 12
        length = min(maxLength, accepted + 1)
        if share > shareOfTrial { pause = Self.firstPause }
        if share < least { rest() }
    }

    private var shareOfTrial: Double { min(0.95, least + Self.trial) }

    private mutating func rest() {
        // Where a draft costs as much as a token, nothing would make it pay.
        pausedSteps = least < 0.95 ? pause : Self.maxPause
        pause = min(Self.maxPause, 2 * pause)
        share = shareOfTrial
    }

    /// A step with one draft gives 1 + share tokens in 1 + cost of its time; it is to be clearly faster.
    private static func leastShare(cost: Double) -> Double { max(0.05, 1.1 * cost + 0.03) }

    /// The length with which tokens come fastest, where each draft is accepted with the same probability.
    private func bestLength(cost: Double) -> Int {
        func speed(_ length: Int) -> Double {
            var (tokens, probability) = (1.0, 1.0)
            for _ in 0..<length {
                probability *= share
                tokens += probability
            }
            return tokens / (1 + cost * Double(length))
        }
        return (1...maxLength).max { speed($0) < speed($1) } ?? 1
    }
}
