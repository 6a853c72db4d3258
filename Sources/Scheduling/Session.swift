import EngineContract

/// A session's state. Owned by the Scheduler actor and never seen outside of it.
///
///     0 ..< blocksOutOfWindow × block size   seen by no further token: the blocks are given back
///     … ..< fullBlocks × block size          in full blocks, which the prefix cache knows by their contents
///     … ..< computed                         in a block of the session's own
///     computed ..< tokens.count              known, to be computed: `remaining`
final class Session {
    enum Place {
        case waiting, running, ended
    }

    /// Since when the reader is too far behind, and how many events it had not read then.
    struct Pause {
        var since: ContinuousClock.Instant
        var unread: Int
    }

    let id: SessionID
    let request: GenerationRequest
    let delivery: Delivery
    /// How many tokens may be sampled in all, and what reaching that means.
    let sampleLimit: Int
    let limitReason: FinishReason
    let submitted: ContinuousClock.Instant

    var place = Place.waiting
    var pause: Pause?
    /// Sessions of a later turn that were let in before, for want of memory for this one.
    var timesPassed = 0
    /// Whether others have been asked to give up their seats for this session.
    var hasClaimed = false

    /// The prompt and what was sampled after it.
    private(set) var tokens: [Token]
    /// The same, each once, if the session's sampling penalizes repetition.
    private var seen: SeenTokens?
    /// How many of them have their keys and values in the blocks.
    private(set) var computed = 0
    var blocks: [BlockIndex] = []
    var fullBlocks = 0
    private(set) var blocksOutOfWindow = 0
    /// The prefix cache's keys: before the first block, after it, …; made as they are needed.
    private var keys = [PrefixCache.root]
    /// The store's names of the first blocks, made as they are needed.
    private var names: [String] = []
    /// Whether blocks are looked for in the store.
    var usesStore = true

    var sampled = 0
    /// Prompt tokens that others had computed; nil before the session has run.
    var cachedTokens: Int?
    var wasPreempted = false
    var lastTokenAt: ContinuousClock.Instant?
    var drafter = Drafter()

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
        if request.sampling.penalizesRepetition { seen = SeenTokens(request.prompt) }
    }

    var remaining: Int { tokens.count - computed }
    /// Past its first token, and one behind: the next step is a decode step for it.
    var isDecoding: Bool { remaining == 1 && sampled > 0 }
    var hasRun: Bool { cachedTokens != nil }

    func summary(_ reason: FinishReason) -> GenerationSummary {
        GenerationSummary(
            reason: reason,
            promptTokens: request.prompt.count,
            cachedTokens: cachedTokens ?? 0,
            generatedTokens: sampled
        )
    }

    /// The key of all tokens before a block.
    func key(beforeBlock index: Int, blockSize: Int) -> PrefixCache.Key {
        while keys.count <= index {
            let end = keys.count * blockSize
            keys.append(PrefixCache.key(after: keys[keys.count - 1], tokens[(end - blockSize)..<end]))
        }
        return keys[index]
    }

    /// What the store knows a block by; nil if the session has not the tokens for it and one more.
    func storedBlock(_ index: Int, blockSize: Int, in store: any BlockStore) -> StoredBlock? {
        guard (index + 1) * blockSize < tokens.count else { return nil }
        func own(_ index: Int) -> ArraySlice<Token> { tokens[(index * blockSize)..<((index + 1) * blockSize)] }
        while names.count <= index { names.append(store.name(after: names.last, own(names.count))) }
        return StoredBlock(name: names[index], parent: index > 0 ? names[index - 1] : nil, tokens: Array(own(index)))
    }

    /// Goes on from blocks that hold the next tokens already, in place of what follows its full ones.
    /// - Returns: how many tokens that spares.
    func adopt(_ shared: [BlockIndex], blockSize: Int) -> Int {
        blocks.replaceSubrange(fullBlocks..., with: shared)
        fullBlocks = blocks.count
        let before = computed
        computed = fullBlocks * blockSize
        return computed - before
    }

    /// Forgets everything computed; the tokens stay.
    func forgetComputed() {
        blocks = []
        fullBlocks = 0
        blocksOutOfWindow = 0
        computed = 0
    }

    /// The blocks that the session has.
    var ownBlocks: ArraySlice<BlockIndex> { blocks[blocksOutOfWindow...] }

    /// Takes the blocks behind the first `count` out of the table.
    /// - Returns: those that it had.
    func dropBlocks(after count: Int) -> [BlockIndex] {
        let dropped = Array(blocks.dropFirst(count))
        blocks.removeLast(dropped.count)
        return dropped
    }

    /// Takes the first blocks, up to `end`, out of the table, whose other blocks stay where they are.
    /// - Returns: those that it had.
    func dropBlocks(before end: Int) -> [BlockIndex] {
        let dropped = Array(blocks[blocksOutOfWindow..<max(blocksOutOfWindow, end)])
        for index in 0..<dropped.count { blocks[blocksOutOfWindow + index] = StepEntry.outOfWindow }
        blocksOutOfWindow += dropped.count
        return dropped
    }

    func advance(_ count: Int) { computed += count }
    func append(_ token: Token) {
        tokens.append(token)
        seen?.insert(token)
    }

    /// A guess of what will be sampled after the next token, as far as the answer may go and its reader has room.
    func draft(atMost limit: Int) -> [Token] {
        let room = min(sampleLimit - sampled, delivery.room) - 1
        return room > 0 ? drafter.draft(after: tokens, limit: min(limit, room)) : []
    }

    /// - Parameter draft: what may follow the last known token, which must be among the `count`.
    func entry(_ count: Int, draft: [Token] = []) -> StepEntry {
        let end = computed + count
        let samples = end == tokens.count && sampleLimit > 0
        return StepEntry(
            session: id,
            tokens: tokens[computed..<end] + draft,
            startPosition: computed,
            blocks: blocks,
            samples: samples,
            sampling: request.sampling,
            sampleIndex: sampled,
            draftCount: draft.count,
            seen: samples ? seen?.tokens ?? [] : []
        )
    }
}
