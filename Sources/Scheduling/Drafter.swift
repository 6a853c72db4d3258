import EngineContract

/// Drafts a session's next tokens, as long as drafts are accepted: out of its own text or recent ones, or with what the
/// engine's draft head or model has drafted in the step before.
///
/// Drafts of texts cost next to nothing and may be long; the engine's, which each cost a part of a step, are right where
/// nothing is repeated. So the engine is asked while no draft of a text is being tried, and where both say the same, the
/// longer one is taken. Of two texts that one counts in which more of the last tokens came before.
struct Drafter {
    static let maxLength = 7

    /// What the engine drafts with.
    let engine: DraftSource
    private var lookup = PromptLookup()
    private var textPace = TextDraftPace()
    private var recentPace = TextDraftPace()
    private var enginePace: EngineDraftPace
    /// What the engine has drafted, and after how many tokens of the session.
    private var ofEngine: (tokens: [Token], after: Int) = ([], 0)
    /// Where the last draft came from.
    private(set) var source = DraftSource.text

    /// - Parameter share: of the engine's drafts that are believed to be accepted.
    init(engine: DraftSource = .head, share: Double = EngineDraftPace.firstShare) {
        self.engine = engine
        enginePace = EngineDraftPace(maxLength: engine == .model ? 5 : 3, share: share)
    }

    /// A draft of the tokens after `tokens`, at most `limit`.
    /// - Parameter recent: the texts of other sessions that it may come from.
    mutating func draft(after tokens: [Token], limit: Int, recent: TextTree? = nil) -> [Token] {
        let ofEngine = ofEngine.after == tokens.count ? Array(ofEngine.tokens.prefix(limit)) : []
        let own = lookup.draft(after: tokens, count: min(limit, textPace.next()))
        let other = recent?.draft(after: tokens, count: min(limit, recentPace.next())) ?? TextDraft()
        let isOfOther = other.matched > own.matched && !other.tokens.isEmpty
        let (text, textSource) = isOfOther ? (other.tokens, DraftSource.recent) : (own.tokens, .text)
        let isOfText = ofEngine.isEmpty || text.count > ofEngine.count && text.starts(with: ofEngine)
        source = isOfText ? textSource : engine
        return isOfText ? text : ofEngine
    }

    /// Adapts to how much of the last draft was accepted.
    /// - Parameter count: the draft's length; 0 changes nothing.
    mutating func learn(accepted: Int, of count: Int) {
        guard count > 0 else { return }
        switch source {
        case .text: textPace.learn(accepted: accepted, of: count)
        case .recent: recentPace.learn(accepted: accepted, of: count)
        case .head, .model: enginePace.learn(accepted: accepted, of: count)
        }
    }

    // MARK: The engine's drafts

    /// How many tokens the engine should draft beside the last draft, of `count` tokens; at most `limit`.
    /// - Parameter cost: of a token, as a share of a step; nil if it is not known.
    mutating func wantedOfEngine(beside count: Int, atMost limit: Int, cost: Double?) -> Int {
        guard limit > 0, count == 0 || source == engine else { return 0 }
        return min(limit, enginePace.next(cost: cost))
    }

    /// Takes what the engine has drafted after so many tokens of the session.
    mutating func take(_ draft: [Token], after count: Int) { ofEngine = (draft, count) }
}

/// Where a draft comes from.
package enum DraftSource: String, Sendable, CaseIterable {
    /// The session's own text.
    case text
    /// Texts of sessions that have ended.
    case recent
    /// The engine's draft head.
    case head
    /// The engine's draft model.
    case model
}

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

/// What a token costs that the engine drafts, as a share of a step without: to draft it, and to compute it along; and how often
/// such tokens are accepted. Measured, the last steps counting most.
struct DraftCost {
    /// Of the first tokens of all sessions' drafts, the share that is accepted: what a new session begins with, at most
    /// what it would without.
    private(set) var acceptedShare = EngineDraftPace.firstShare

    /// Seconds of steps of so many answers and no drafts.
    private var plainSeconds: [Int: Double] = [:]
    private var drafting: Double?
    private var checking = 0.0

    /// Nil before the first.
    var share: Double? { drafting.map { $0 + checking } }

    mutating func learn(_ result: StepResult, of step: Step) {
        let (count, drafts) = (step.entries.count, step.entries.reduce(0) { $0 + $1.draftCount })
        let rest = result.times.total - result.draftSeconds
        // Of answers alone, and what a draft model makes up for is not what a draft costs.
        guard rest > 0, step.tokenCount - drafts == count,
            step.entries.allSatisfy({ $0.samples && $0.unfollowed.isEmpty })
        else { return }
        if drafts == 0 {
            plainSeconds[count] = Self.average(plainSeconds[count], rest)
        } else if let plain = plainSeconds[count] {
            let more = max(0, rest / plain - 1) * Double(count) / Double(drafts)
            checking = Self.average(checking, min(1, more))
        }
        guard result.draftRounds > 0, result.draftSeconds > 0 else { return }
        let cost = result.draftSeconds / Double(result.draftRounds) / (plainSeconds[count] ?? rest)
        drafting = Self.average(drafting, min(4, cost))
    }

    /// Takes note of whether the first token of a draft was accepted.
    mutating func learn(isAccepted: Bool) {
        acceptedShare = min(EngineDraftPace.firstShare, acceptedShare + ((isAccepted ? 1 : 0) - acceptedShare) / 32)
    }

    private static func average(_ before: Double?, _ value: Double) -> Double {
        before.map { $0 + (value - $0) / 8 } ?? value
    }
}
