import EngineContract

/// One request from submission to its last token. A reference, so that the tables that list it share one; owned by the
/// Scheduler actor and never seen outside of it. Its tokens and blocks are a value, `sequence`.
final class Session {
    enum Status {
        case waiting, running, finished
    }

    /// Since when the reader is too far behind, and how many events it had not read then.
    struct Pause {
        var since: ContinuousClock.Instant
        var unread: Int
    }

    let id: SessionID
    let request: GenerationRequest
    let channel: TokenChannel
    /// How many tokens may be sampled in all, and what reaching that means.
    let sampleLimit: Int
    let limitReason: FinishReason
    let submitted = ContinuousClock.now

    var sequence: SequenceState
    var status = Status.waiting
    var pause: Pause?
    /// How many sessions behind this one were admitted before it, because there was no memory for this one.
    var timesPassed = 0
    /// Whether other clients' sessions have been asked once to give up seats for this one.
    var hasClaimedSeat = false
    /// Whether its blocks are looked for in the block store.
    var usesStore = true

    /// Tokens of the answer that were delivered, sampled or forced; the stop token too.
    var sampled = 0
    /// Forced tokens that the answer begins with: they are computed with the prompt, and delivered with the first sample.
    private(set) var leading: [Token] = []
    /// Delivered tokens that the channel does not have yet.
    var unsent = 0
    /// What may come after the known tokens.
    private(set) var constraint: (any TokenConstraint)?
    /// Whether a token has been sampled.
    var hasSampled = false
    /// How many tokens were forced after the last sampled one.
    private(set) var forcedCount = 0
    /// How many tokens before the last one, though delivered, are computed again because a draft after them was wrong.
    var repeatedCount = 0
    /// Prompt tokens that were found in the cache; nil before the session has run.
    var cachedTokens: Int?
    var wasPreempted = false
    var lastTokenAt: ContinuousClock.Instant?
    var drafter = Drafter()
    /// How many tokens of the text the engine's draft model has taken in.
    var followedCount = 0

    private let vocabularySize: Int

    /// - Parameter room: how many tokens the context leaves after the prompt.
    init(
        id: SessionID,
        request: GenerationRequest,
        channel: TokenChannel,
        room: Int,
        blockSize: Int,
        vocabularySize: Int = .max
    ) {
        self.id = id
        self.vocabularySize = vocabularySize
        self.request = request
        self.channel = channel
        sampleLimit = min(max(0, request.maxTokens), room)
        limitReason = request.maxTokens > room ? .contextFull : .maxTokens
        sequence = SequenceState(
            prompt: request.prompt,
            blockSize: blockSize,
            tracksSeenTokens: request.sampling.penalizesRepetition
        )
        constraint = request.constraint
    }

    var client: String { request.client }
    /// Past its first token, and behind by the last sampled token, those that were forced after it and those that are computed
    /// again before it, or fewer: its next step is a decode step. Not while it is given blocks up to a state: it cannot go on
    /// without that, however few tokens are left after it.
    var isDecoding: Bool {
        hasSampled && sequence.blocksOfState == nil && sequence.remaining <= 1 + forcedCount + repeatedCount
    }
    var hasRun: Bool { cachedTokens != nil }
    /// The most tokens of the prompt that the cache can have: whole blocks, and not the last token.
    var mostCachedTokens: Int { (request.prompt.count - 1) / sequence.blockSize * sequence.blockSize }

    func summary(_ reason: FinishReason) -> GenerationSummary {
        GenerationSummary(
            reason: reason,
            promptTokens: request.prompt.count,
            cachedTokens: cachedTokens ?? 0,
            generatedTokens: sampled
        )
    }

    /// A draft of the tokens after the next one, as far as the answer may go, its constraint allows and its reader has
    /// room.
    /// - Parameter recent: texts of other sessions.
    func makeDraft(atMost limit: Int, recent: RecentTexts) -> [Token] {
        let room = min(sampleLimit - sampled, channel.room) - 1
        guard room > 0 else { return [] }
        let draft = drafter.draft(
            after: sequence.tokens,
            limit: min(limit, room),
            recent: recent.tree(of: sequence)
        )
        guard var constraint, !draft.isEmpty else { return draft }
        return Array(draft.prefix { (constraint.forced.first ?? $0) == $0 && constraint.accept($0) })
    }

    /// How many tokens the engine is to draft for the step after one with a draft, the last one that was made.
    /// - Parameter cost: of a token, as a share of a step; nil if it is not known.
    func wantedDrafts(beside draft: [Token], atMost limit: Int, cost: Double?) -> Int {
        // The token after the draft is sampled, and the last one of the answer is not drafted either.
        let limit = min(limit, sampleLimit - sampled - draft.count - 2)
        guard limit > 0, drafter.engine != .model || missedCount != nil else { return 0 }
        return drafter.wantedOfEngine(beside: draft.count, atMost: limit, cost: cost)
    }

    /// How many computed tokens the engine's draft model has missed; nil if what these see was given back in part.
    var missedCount: Int? {
        guard followedCount < sequence.computed else { return 0 }
        return sequence.outOfWindowBlocks == 0 ? sequence.computed - followedCount : nil
    }

    /// Takes what the engine has drafted after the last known token.
    func take(_ draft: [Token]) {
        let tokens = draft.prefix(Drafter.maxLength).prefix { 0..<vocabularySize ~= Int($0) }
        drafter.take(Array(tokens), after: sequence.tokens.count)
    }

    /// The session's part of a step.
    /// - Parameters:
    ///   - count: how many of its known tokens are computed.
    ///   - draft: what may follow the last known token, which must be among them.
    ///   - wanted: how many tokens the engine is to draft for the next step.
    ///   - madeUp: how many tokens that it missed the engine's draft model takes in; and the entry's after them if these are
    ///     all. Nil: none of either.
    func stepEntry(_ count: Int, draft: [Token] = [], wanted: Int = 0, madeUp: Int? = nil) -> StepEntry {
        let end = sequence.computed + count
        let samples = end == sequence.tokens.count && sampleLimit > 0
        var entry = StepEntry(
            session: id,
            tokens: sequence.tokens[sequence.computed..<end] + draft,
            startPosition: sequence.computed,
            blocks: sequence.blocks,
            samples: samples,
            sampling: request.sampling,
            sampleIndex: sampled + leading.count,
            draftCount: draft.count,
            seen: samples ? sequence.seenTokens : [],
            constraint: samples ? constraint : nil,
            state: sequence.stateUse(count, hasDrafts: !draft.isEmpty),
            wantedDrafts: samples ? wanted : 0
        )
        if let madeUp, let missedCount {
            entry.unfollowedStart = sequence.computed - missedCount
            entry.unfollowed = sequence.tokens[entry.unfollowedStart...].prefix(min(madeUp, missedCount))
            entry.isFollowed = madeUp >= missedCount
        }
        return entry
    }

    // MARK: Constraint

    /// Moves the constraint on by a token of the answer.
    /// - Returns: whether it allows the token.
    func constraintAccepts(_ token: Token) -> Bool { constraint?.accept(token) ?? true }

    /// Whether only an end token could follow what the answer has.
    var isFinished: Bool { constraint?.isFinished ?? false }

    /// The tokens that must come next, for certain; at most `limit`.
    func forcedTokens(atMost limit: Int) -> ArraySlice<Token> {
        guard limit > 0, let constraint else { return [] }
        return constraint.forced.prefix(limit).prefix { 0..<vocabularySize ~= Int($0) }
    }

    /// Appends a token of the answer to what is known and not computed.
    func append(_ token: Token, isForced: Bool) {
        sequence.append(token)
        forcedCount = isForced ? forcedCount + 1 : 0
        if !isForced { repeatedCount = 0 }
        hasSampled = hasSampled || !isForced
    }

    /// Lets the tokens that the answer must begin with be computed with the prompt. The last token of an answer is always
    /// sampled.
    func appendLeading() {
        for token in forcedTokens(atMost: min(sampleLimit, channel.room) - 1) {
            guard var next = constraint, next.accept(token), !next.isFinished, !request.stopTokens.contains(token)
            else { return }
            constraint = next
            leading.append(token)
            sequence.append(token)
        }
    }

    /// The leading tokens, if they were not taken before.
    func takeLeading() -> [Token] {
        defer { leading = [] }
        return leading
    }
}
