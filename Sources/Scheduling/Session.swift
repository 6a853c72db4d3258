import EngineContract

/// A session's state. Owned by the Scheduler actor and never seen outside of it.
final class Session {
    let id: SessionID
    let request: GenerationRequest
    let delivery: Delivery
    /// How many tokens may be sampled in all, and what reaching that means.
    let sampleLimit: Int
    let limitReason: FinishReason
    let submitted: ContinuousClock.Instant

    /// The prompt and what was sampled after it.
    private(set) var tokens: [Token]
    /// The first of `tokens` whose keys and values are in the blocks.
    private(set) var computed = 0
    var blocks: [BlockIndex] = []
    /// How many of the blocks are full and registered, and the key of the last of them.
    var registeredBlocks = 0
    var lastKey = PrefixCache.root

    var sampled = 0
    var cachedTokens: Int?
    var lastTokenAt: ContinuousClock.Instant?
    var isInStep = false
    /// Set when the session ended while a step still writes to its blocks.
    var ending: FinishReason?
    var isPaused = false

    init(
        id: SessionID,
        request: GenerationRequest,
        delivery: Delivery,
        sampleLimit: Int,
        limitReason: FinishReason
    ) {
        self.id = id
        self.request = request
        self.delivery = delivery
        self.sampleLimit = sampleLimit
        self.limitReason = limitReason
        submitted = .now
        tokens = request.prompt
    }

    var remaining: Int { tokens.count - computed }
    /// Past its first token, and one behind: the next step is a decode step for it.
    var isDecoding: Bool { remaining == 1 && sampled > 0 }

    var summary: (FinishReason) -> GenerationSummary {
        { [request, cachedTokens, sampled] reason in
            GenerationSummary(
                reason: reason,
                promptTokens: request.prompt.count,
                cachedTokens: cachedTokens ?? 0,
                generatedTokens: sampled
            )
        }
    }

    /// Starts from blocks that hold the first tokens already.
    func begin(with blocks: [BlockIndex], blockSize: Int, lastKey: PrefixCache.Key) {
        self.blocks = blocks
        self.lastKey = lastKey
        registeredBlocks = blocks.count
        computed = blocks.count * blockSize
        if cachedTokens == nil { cachedTokens = computed }
    }

    /// Forgets everything computed; the tokens stay.
    func reset() {
        blocks = []
        registeredBlocks = 0
        lastKey = PrefixCache.root
        computed = 0
    }

    func advance(_ count: Int) { computed += count }
    func append(_ token: Token) { tokens.append(token) }

    func entry(_ count: Int) -> StepEntry {
        let end = computed + count
        return StepEntry(
            session: id,
            tokens: Array(tokens[computed..<end]),
            startPosition: computed,
            blocks: blocks,
            samples: end == tokens.count && sampleLimit > 0,
            sampling: request.sampling,
            sampleIndex: sampled
        )
    }
}
