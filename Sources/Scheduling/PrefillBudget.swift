import EngineContract

/// How many prompt tokens a step may carry beside running answers, learnt from how long steps take.
///
/// A step's time is that of its answers' tokens, known from steps without prompts, and something for each prompt token,
/// known from the last steps with them. The latter is no constant of the machine: the first few tokens are nearly free,
/// as the weights are read anyway. So it is learnt anew from each step, at the size that was just tried. The former is
/// learnt from a step without prompts every now and then, also while prompts never end: with too low a value the reading
/// of the weights would count as the prompts' own, and make ever smaller shares of them look expensive.
struct PrefillBudget {
    /// A prompt gets this many tokens of a step, whatever the goal: it always goes on. Products with as many tokens are
    /// nearly as fast, a token, as with many.
    static let least = 8
    /// Without a goal, prompts may make a step this many times as long as it would be without them, …
    private static let stretch = 2.0
    /// … or this long: nobody reads faster.
    private static let unnoticedSeconds = 0.02
    /// How much of what is believed the last step changes.
    private static let change = 0.3
    /// The same of what was believed for long.
    private static let staleChange = 0.7
    /// After so many steps with prompts beside answers, one is without.
    private static let mostMixedSteps = 64
    /// A step without prompts that took more than this many times as long as was believed counts as one that did: the
    /// machine may have been asleep.
    private static let surprise = 4.0
    /// After so many steps that should have been without prompts and were not, these go on for a while.
    private static let mostVainSteps = 3
    /// A step of more tokens than this, and none of answers, is one of prompts, not of answers that begin.
    private static let longPrompt = 64

    /// The longest step wanted while answers run; nil: see `stretch`.
    private let goalSeconds: Double?
    /// Time of a step without prompts, by the bit width of its number of tokens.
    private var answerSeconds: [Int: Double] = [:]
    private var secondsPerPromptToken: Double?
    /// Steps with prompts beside answers since the last without.
    private var mixedSteps = 0
    /// Steps, but for those of long prompts alone, since one without prompts was asked for.
    private var vainSteps = 0

    init(goalSeconds: Double? = nil) { self.goalSeconds = goalSeconds }

    /// The most prompt tokens beside this many of running answers; none where it is time to see what answers take alone.
    func tokens(beside answerTokens: Int) -> Int {
        guard answerTokens > 0, let cost = secondsPerPromptToken, cost > 0 else { return .max }
        let isHeld = vainSteps % (Self.mostVainSteps + Self.mostMixedSteps) < Self.mostVainSteps
        guard !wantsAnswersAlone || !isHeld else { return 0 }
        let answers = seconds(of: answerTokens)
        let goal = goalSeconds ?? max(Self.unnoticedSeconds, answers * Self.stretch)
        guard goal > answers else { return Self.least }
        return max(Self.least, Int(min((goal - answers) / cost, 1e9).rounded(.down)))
    }

    /// Learns from a step.
    mutating func learn(seconds: Double, answerTokens: Int, promptTokens: Int) {
        guard seconds.isFinite, seconds >= 0 else { return }
        if wantsAnswersAlone, answerTokens > 0 || promptTokens <= Self.longPrompt { vainSteps += 1 }
        if promptTokens > 0 {
            if answerTokens > 0 { mixedSteps += 1 }
            let own = max(0, seconds - self.seconds(of: answerTokens)) / Double(promptTokens)
            secondsPerPromptToken = Self.mixed(secondsPerPromptToken, own)
        } else if answerTokens > 0 {
            let change = mixedSteps < Self.mostMixedSteps ? Self.change : Self.staleChange
            (mixedSteps, vainSteps) = (0, 0)
            let old = answerSeconds[answerTokens.bitWidthUsed]
            let bounded = old.map { min(seconds, max($0 * Self.surprise, 0.001)) } ?? seconds
            answerSeconds[answerTokens.bitWidthUsed] = Self.mixed(old, bounded, change)
        }
    }

    private var wantsAnswersAlone: Bool { answerSeconds.isEmpty || mixedSteps >= Self.mostMixedSteps }

    /// The time of a step without prompts: where none of this size was seen, that of the next smaller one, or else of the
    /// next larger; 0 if there was none at all.
    private func seconds(of answerTokens: Int) -> Double {
        guard answerTokens > 0 else { return 0 }
        let width = answerTokens.bitWidthUsed
        let known = answerSeconds.keys.filter { $0 <= width }.max() ?? answerSeconds.keys.min()
        return known.flatMap { answerSeconds[$0] } ?? 0
    }

    private static func mixed(_ old: Double?, _ new: Double, _ change: Double = change) -> Double {
        old.map { $0 + (new - $0) * change } ?? new
    }
}

extension Int {
    /// Bits that a positive number takes.
    fileprivate var bitWidthUsed: Int { Int.bitWidth - leadingZeroBitCount }
}
