import EngineContract

/// How many prompt tokens a step may carry beside running answers, learnt from how long steps take.
///
/// A step's time is that of its answers' tokens, known from steps without prompts, and something for each prompt token,
/// known from the last steps with them. The latter is no constant of the machine: the first few tokens are nearly free,
/// as the weights are read anyway. So it is learnt anew from each step, at the size that was just tried.
struct PrefillBudget {
    /// A prompt gets this many tokens of every step, whatever the goal: it always goes on. Products with as many tokens are
    /// nearly as fast, a token, as with many.
    static let least = 8
    /// Without a goal, prompts may make a step this many times as long as it would be without them, …
    private static let stretch = 2.0
    /// … or this long: nobody reads faster.
    private static let unnoticedSeconds = 0.02
    /// How much of what is believed the last step changes.
    private static let change = 0.3

    /// The longest step wanted while answers run; nil: see `stretch`.
    private let goalSeconds: Double?
    /// Time of a step without prompts, by the bit width of its number of tokens.
    private var answerSeconds: [Int: Double] = [:]
    private var secondsPerPromptToken: Double?

    init(goalSeconds: Double? = nil) { self.goalSeconds = goalSeconds }

    /// The most prompt tokens beside this many of running answers.
    func tokens(beside answerTokens: Int) -> Int {
        guard answerTokens > 0, let cost = secondsPerPromptToken, cost > 0 else { return .max }
        let answers = seconds(of: answerTokens)
        let goal = goalSeconds ?? max(Self.unnoticedSeconds, answers * Self.stretch)
        guard goal > answers else { return Self.least }
        return max(Self.least, Int(min((goal - answers) / cost, 1e9).rounded(.down)))
    }

    /// Learns from a step.
    mutating func learn(seconds: Double, answerTokens: Int, promptTokens: Int) {
        guard seconds.isFinite, seconds >= 0 else { return }
        if promptTokens > 0 {
            let own = max(0, seconds - self.seconds(of: answerTokens)) / Double(promptTokens)
            secondsPerPromptToken = Self.mixed(secondsPerPromptToken, own)
        } else if answerTokens > 0 {
            answerSeconds[answerTokens.bitWidthUsed] = Self.mixed(answerSeconds[answerTokens.bitWidthUsed], seconds)
        }
    }

    /// The time of a step without prompts: where none of this size was seen, that of the next smaller one.
    private func seconds(of answerTokens: Int) -> Double {
        guard answerTokens > 0 else { return 0 }
        for width in (1...answerTokens.bitWidthUsed).reversed() {
            if let seconds = answerSeconds[width] { return seconds }
        }
        return 0
    }

    private static func mixed(_ old: Double?, _ new: Double) -> Double {
        old.map { $0 + (new - $0) * change } ?? new
    }
}

extension Int {
    /// Bits that a positive number takes.
    fileprivate var bitWidthUsed: Int { Int.bitWidth - leadingZeroBitCount }
}
