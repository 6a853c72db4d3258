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
