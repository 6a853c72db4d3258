import EngineContract

/// Drafts a session's next tokens, as long as drafts are accepted: out of its own text or recent ones, or with what the
/// engine's draft head has drafted in the step before.
///
/// Drafts of texts cost next to nothing and may be long; the head's, which each cost a part of a step, are right where
/// nothing is repeated. So the head is asked while no draft of a text is being tried, and where both say the same, the
/// longer one is taken. Of two texts that one counts in which more of the last tokens came before.
struct Drafter {
    static let maxLength = 7

    private var lookup = PromptLookup()
    private var textPace = TextDraftPace()
    private var recentPace = TextDraftPace()
    private var headPace = HeadDraftPace()
    /// What the head has drafted, and after how many tokens of the session.
    private var ofHead: (tokens: [Token], after: Int) = ([], 0)
    /// Where the last draft came from.
    private(set) var source = DraftSource.text

    /// A draft of the tokens after `tokens`, at most `limit`.
    /// - Parameter recent: the texts of other sessions that it may come from.
    mutating func draft(after tokens: [Token], limit: Int, recent: TextTree? = nil) -> [Token] {
        let ofHead = ofHead.after == tokens.count ? Array(ofHead.tokens.prefix(limit)) : []
        let own = lookup.draft(after: tokens, count: min(limit, textPace.next()))
        let other = recent?.draft(after: tokens, count: min(limit, recentPace.next())) ?? TextDraft()
        let (text, textSource) = other.matched > own.matched ? (other.tokens, DraftSource.recent) : (own.tokens, .text)
        let isOfText = ofHead.isEmpty || text.count > ofHead.count && text.starts(with: ofHead)
        source = isOfText ? textSource : .head
        return isOfText ? text : ofHead
    }

    /// Adapts to how much of the last draft was accepted.
    /// - Parameter count: the draft's length; 0 changes nothing.
    mutating func learn(accepted: Int, of count: Int) {
        guard count > 0 else { return }
        switch source {
        case .text: textPace.learn(accepted: accepted, of: count)
        case .recent: recentPace.learn(accepted: accepted, of: count)
        case .head: headPace.learn(accepted: accepted, of: count)
        }
    }

    // MARK: The draft head

    /// How many tokens the head should draft beside the last draft, of `count` tokens; at most `limit`.
    mutating func wantedOfHead(beside count: Int, atMost limit: Int) -> Int {
        guard limit > 0, count == 0 || source == .head else { return 0 }
        return min(limit, headPace.next())
    }

    /// Takes what the head has drafted after so many tokens of the session.
    mutating func take(_ draft: [Token], after count: Int) { ofHead = (draft, count) }
}

/// Where a draft comes from.
package enum DraftSource: String, Sendable, CaseIterable {
    /// The session's own text.
    case text
    /// Texts of sessions that have ended.
    case recent
    /// The engine's draft head.
    case head
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

/// How many tokens a draft head drafts: one more after a draft that was accepted as a whole, fewer after others. Where its
/// first tokens are accepted too seldom to pay for it, none for a number of steps, which doubles each time.
struct HeadDraftPace {
    static let maxLength = 3
    /// The share of accepted first tokens below which a head rests.
    private static let leastShare = 0.35
    /// What is believed of it when it begins anew: a few rejected drafts more, and it rests again.
    private static let shareOfTrial = 0.5
    private static let firstPause = 16
    private static let maxPause = 512

    private var length = 1
    /// Of the drafts' first tokens, how many are accepted, the last dozen counting most.
    private var share = 0.75
    private var pause = firstPause
    private var pausedSteps = 0

    /// How many tokens are to be drafted for the next step.
    mutating func next() -> Int {
        guard pausedSteps == 0 else {
            pausedSteps -= 1
            return 0
        }
        return length
    }

    mutating func learn(accepted: Int, of count: Int) {
        share += ((accepted > 0 ? 1 : 0) - share) / 12
        length = min(Self.maxLength, accepted + 1)
        if share > Self.shareOfTrial { pause = Self.firstPause }
        guard share < Self.leastShare else { return }
        pausedSteps = pause
        pause = min(Self.maxPause, 2 * pause)
        share = Self.shareOfTrial
    }
}
