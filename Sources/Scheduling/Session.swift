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

    var sampled = 0
    /// Prompt tokens that were found in the cache; nil before the session has run.
    var cachedTokens: Int?
    var wasPreempted = false
    var lastTokenAt: ContinuousClock.Instant?
    var drafter = Drafter()

    /// - Parameter room: how many tokens the context leaves after the prompt.
    init(id: SessionID, request: GenerationRequest, channel: TokenChannel, room: Int, blockSize: Int) {
        self.id = id
        self.request = request
        self.channel = channel
        sampleLimit = min(max(0, request.maxTokens), room)
        limitReason = request.maxTokens > room ? .contextFull : .maxTokens
        sequence = SequenceState(
            prompt: request.prompt,
            blockSize: blockSize,
            tracksSeenTokens: request.sampling.penalizesRepetition
        )
    }

    var client: String { request.client }
    /// Past its first token, and one token behind: its next step is a decode step.
    var isDecoding: Bool { sequence.remaining == 1 && sampled > 0 }
    var hasRun: Bool { cachedTokens != nil }

    func summary(_ reason: FinishReason) -> GenerationSummary {
        GenerationSummary(
            reason: reason,
            promptTokens: request.prompt.count,
            cachedTokens: cachedTokens ?? 0,
            generatedTokens: sampled
        )
    }

    /// A draft of the tokens after the next one, as far as the answer may go and its reader has room.
    func makeDraft(atMost limit: Int) -> [Token] {
        let room = min(sampleLimit - sampled, channel.room) - 1
        return room > 0 ? drafter.draft(after: sequence.tokens, limit: min(limit, room)) : []
    }

    /// The session's part of a step.
    /// - Parameters:
    ///   - count: how many of its known tokens are computed.
    ///   - draft: what may follow the last known token, which must be among them.
    func stepEntry(_ count: Int, draft: [Token] = []) -> StepEntry {
        let end = sequence.computed + count
        let samples = end == sequence.tokens.count && sampleLimit > 0
        return StepEntry(
            session: id,
            tokens: sequence.tokens[sequence.computed..<end] + draft,
            startPosition: sequence.computed,
            blocks: sequence.blocks,
            samples: samples,
            sampling: request.sampling,
            sampleIndex: sampled,
            draftCount: draft.count,
            seen: samples ? sequence.seenTokens : []
        )
    }
}
