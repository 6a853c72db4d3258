import EngineContract

/// How many prompt tokens a step may carry beside running answers, learnt from how long steps take.
///
/// A step's time is modelled as that of its answers' tokens, measured in steps without prompts, plus a time for each
/// prompt token, measured in the last steps with prompts. The latter is no constant of the machine: the first few tokens
/// are nearly free, because the weights are read anyway. So it is measured again in each step, at the size just tried. The
/// former is measured in a step without prompts now and then, also while prompts never end: too low a value would charge
/// the reading of the weights to the prompts, and make ever smaller shares of them look expensive.
struct PrefillBudget {
    /// The fewest prompt tokens in a step that is not to measure answers alone, whatever the goal: prompts always progress.
    static let minTokens = Step.tile
    /// Without a goal, prompts may make a step this many times as long as it would be without them, …
    private static let stretch = 2.0
    /// … or this long: nobody reads faster.
    private static let unnoticedSeconds = 0.02
    /// The weight of the last step in a moving average.
    private static let weight = 0.3
    /// The same where the average is old.
    private static let staleWeight = 0.7
    /// After this many steps with prompts beside answers, one without prompts is wanted.
    private static let maxMixedSteps = 64
    /// A step without prompts counts as at most this many times as long as expected: the machine may have been asleep.
    private static let maxRatio = 4.0
    /// How many steps leave prompts out for a measurement before prompts continue for `maxMixedSteps`: where no step with
    /// answers alone comes about, waiting for one longer would only hold the prompts up.
    private static let maxMeasuringSteps = 3
    /// A step of more tokens than this, and none of answers, is one of prompts, not of answers that begin.
    private static let longPrompt = 64

    /// The longest step wanted while answers run; nil: see `stretch`.
    private let goalSeconds: Double?
    /// Time of a step without prompts, by the bit width of its number of tokens.
    private var answerSeconds: [Int: Double] = [:]
    private var secondsPerPromptToken: Double?
    /// Steps with prompts beside answers since the last without.
    private var mixedSteps = 0
    /// Steps since a measurement became due, except those of long prompts alone.
    private var stepsSinceDue = 0

    init(goalSeconds: Double? = nil) { self.goalSeconds = goalSeconds }

    /// The most prompt tokens beside `answerTokens` of running answers; 0 where the time of answers alone is to be measured.
    func tokens(beside answerTokens: Int) -> Int {
        guard answerTokens > 0, let cost = secondsPerPromptToken, cost > 0 else { return .max }
        let isMeasuring = stepsSinceDue % (Self.maxMeasuringSteps + Self.maxMixedSteps) < Self.maxMeasuringSteps
        guard !isMeasurementDue || !isMeasuring else { return 0 }
        let answers = seconds(of: answerTokens)
        let goal = goalSeconds ?? max(Self.unnoticedSeconds, answers * Self.stretch)
        guard goal > answers else { return Self.minTokens }
        return max(Self.minTokens, Int(min((goal - answers) / cost, 1e9).rounded(.down)))
    }

    /// Learns from a step.
    mutating func learn(seconds: Double, answerTokens: Int, promptTokens: Int) {
        guard seconds.isFinite, seconds >= 0 else { return }
        if isMeasurementDue, answerTokens > 0 || promptTokens <= Self.longPrompt { stepsSinceDue += 1 }
        if promptTokens > 0 {
            if answerTokens > 0 { mixedSteps += 1 }
            let own = max(0, seconds - self.seconds(of: answerTokens)) / Double(promptTokens)
            secondsPerPromptToken = Self.average(secondsPerPromptToken, own)
        } else if answerTokens > 0 {
            let weight = mixedSteps < Self.maxMixedSteps ? Self.weight : Self.staleWeight
            (mixedSteps, stepsSinceDue) = (0, 0)
            let old = answerSeconds[answerTokens.bitWidthUsed]
            let bounded = old.map { min(seconds, max($0 * Self.maxRatio, 0.001)) } ?? seconds
            answerSeconds[answerTokens.bitWidthUsed] = Self.average(old, bounded, weight)
        }
    }

    /// Whether the time of answers alone is unknown or old.
    private var isMeasurementDue: Bool { answerSeconds.isEmpty || mixedSteps >= Self.maxMixedSteps }

    /// The time of a step without prompts: where none of this size was seen, that of the next smaller one, or else of the
    /// next larger; 0 if there was none at all.
    private func seconds(of answerTokens: Int) -> Double {
        guard answerTokens > 0 else { return 0 }
        let width = answerTokens.bitWidthUsed
        let known = answerSeconds.keys.filter { $0 <= width }.max() ?? answerSeconds.keys.min()
        return known.flatMap { answerSeconds[$0] } ?? 0
    }

    private static func average(_ old: Double?, _ new: Double, _ weight: Double = weight) -> Double {
        old.map { $0 + (new - $0) * weight } ?? new
    }
}

extension Int {
    /// Bits that a positive number takes.
    fileprivate var bitWidthUsed: Int { Int.bitWidth - leadingZeroBitCount }
}
