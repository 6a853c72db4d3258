import EngineContract

/// The KV blocks of all sequences, and their states where the model has any: keeps the block pool, the prefix cache and the
/// state slots consistent with each other. Every change of a sequence's block table goes through here.
struct KVCacheManager {
    private(set) var pool: BlockPool
    private(set) var cache = PrefixCache()
    /// Blocks that an engine's draft model has taken in to their end.
    private var followed: Set<BlockIndex> = []
    /// Nil if the model has no state.
    var states: StateSlots?
    private let blockSize: Int
    /// How many positions a token sees, itself included; nil: all.
    private let window: Int?
    /// The most blocks that a sequence holds at once.
    private let maxHeldBlocks: Int

    /// - Parameters:
    ///   - stepTokens: the most tokens of a step.
    ///   - stateSlots: nil if the model has no state.
    init(blocks: Int, blockSize: Int, window: Int? = nil, stepTokens: Int = .max, stateSlots: Int? = nil) {
        states = stateSlots.map { StateSlots(count: $0) }
        pool = BlockPool(count: blocks)
        self.blockSize = max(1, blockSize)
        self.window = window.map { max(1, $0) }
        let (seen, overflow) = (window ?? .max).addingReportingOverflow(stepTokens)
        maxHeldBlocks = overflow ? .max : seen / self.blockSize + 2
    }

    /// How many tokens of a sequence are found in the cache now, after those that it has computed.
    func cachedTokens(of sequence: SequenceState) -> Int { cachedBlocks(of: sequence).count * blockSize }

    /// Whether there is memory for all known tokens of a sequence and one more, after what the running ones still need
    /// for theirs.
    func fits(_ sequence: SequenceState, beside running: some Sequence<SequenceState>) -> Bool {
        guard hasRoomForState else { return false }
        let pending = running.reduce(0) { sum, other in
            let missing = other.blockCount(for: other.tokens.count) - other.blocks.count
            return sum + max(0, min(missing, maxHeldBlocks - other.heldBlocks.count))
        }
        let needed = min(sequence.blockCount(for: sequence.tokens.count + 1), maxHeldBlocks)
        guard pool.availableCount < needed + pending else { return true }
        let cached = cachedBlocks(of: sequence)
        let evictable = cached.count { pool.references(to: $0) == 0 }
        return pool.availableCount - evictable >= max(0, needed - cached.count) + pending
    }

    /// The longest chain of cached blocks with the tokens after the sequence's full blocks, such that at least one token
    /// is left to compute, and there is a snapshot at its end where the model has a state.
    private func cachedBlocks(of sequence: SequenceState) -> [BlockIndex] {
        let blocks = matchingBlocks(of: sequence)
        guard let states else { return blocks }
        return Array(blocks.prefix((blocks.lastIndex { states.hasSnapshot(at: $0) } ?? -1) + 1))
    }

    /// The same, snapshot or not.
    func matchingBlocks(of sequence: SequenceState) -> [BlockIndex] {
        var blocks: [BlockIndex] = []
        var index = sequence.fullBlocks
        while sequence.reachesPast(block: index) {
            guard let block = cachedBlock(of: sequence, index) else { break }
            blocks.append(block)
            index += 1
        }
        return blocks
    }

    /// The cached block with the tokens of a sequence's block, and those before it.
    func cachedBlock(of sequence: SequenceState, _ index: Int) -> BlockIndex? {
        let (parent, key) = (sequence.key(beforeBlock: index), sequence.key(beforeBlock: index + 1))
        return cache.block(key, after: parent, sequence.tokens(ofBlock: index))
    }

    /// The block that a sequence fills next; nil if its tokens do not reach past the end of one. Where there are states,
    /// what reaches to its next snapshot counts as one block: nobody can continue before it.
    func nextBlock(of sequence: SequenceState) -> StepPlanner.NextBlock? {
        if states != nil {
            guard hasRoomForState, let border = nextBorder(of: sequence) else { return nil }
            return StepPlanner.NextBlock(key: sequence.key(beforeBlock: border), computed: sequence.computed)
        }
        guard sequence.reachesPast(block: sequence.fullBlocks) else { return nil }
        return StepPlanner.NextBlock(
            key: sequence.key(beforeBlock: sequence.fullBlocks + 1),
            computed: sequence.computed - sequence.fullBlocks * blockSize
        )
    }

    // MARK: Giving and taking blocks

    /// Gives a sequence the cached blocks that hold its next tokens, whichever session computed them; a block of its own
    /// that is not full yet is given back.
    /// - Returns: how many tokens need not be computed because of it.
    mutating func reuseCachedBlocks(for sequence: inout SequenceState) -> Int {
        let blocks = cachedBlocks(of: sequence)
        guard !blocks.isEmpty else { return 0 }
        let reused = adopt(blocks, for: &sequence)
        if let last = blocks.last { beginState(of: &sequence, at: last) }
        releaseOutOfWindowBlocks(of: &sequence)
        return reused
    }

    /// Gives a sequence cached blocks in place of its own that is not full yet.
    /// - Returns: how many tokens need not be computed because of it.
    mutating func adopt(_ blocks: [BlockIndex], for sequence: inout SequenceState) -> Int {
        for block in blocks { pool.retain(block) }
        for block in sequence.blocks[sequence.fullBlocks...] { pool.release(block, isCached: false) }
        return sequence.adopt(blocks)
    }

    /// Gives back the blocks of a sequence after the first `count`, which must be full; their tokens are to be computed again.
    mutating func cutBack(_ sequence: inout SequenceState, to count: Int) {
        for block in sequence.cutBack(to: count).reversed() { pool.release(block, isCached: cache.contains(block)) }
    }

    /// Adds the blocks that the next `tokens` tokens need.
    /// - Returns: false if there are not enough; the sequence keeps those that were added.
    mutating func allocateBlocks(for sequence: inout SequenceState, tokens: Int) -> Bool {
        while sequence.blocks.count * blockSize < sequence.computed + tokens {
            guard let block = allocate() else { return false }
            sequence.addBlock(block)
        }
        return true
    }

    private mutating func allocate() -> BlockIndex? {
        let free = pool.takeFree()
        guard let block = free ?? pool.takeOldestEvictable() else { return nil }
        followed.remove(block)
        if free == nil {
            cache.remove(block)
            states?.remove(block)
        }
        return block
    }

    /// Counts the next `count` tokens of a sequence as computed: blocks that are full now can be found by other sessions,
    /// and those that no further token sees are given back.
    mutating func markComputed(_ count: Int, of sequence: inout SequenceState) {
        addComputed(count, of: &sequence)
        releaseOutOfWindowBlocks(of: &sequence)
    }

    /// The same, but that it keeps all blocks.
    mutating func addComputed(_ count: Int, of sequence: inout SequenceState) {
        sequence.markComputed(count)
        while (sequence.fullBlocks + 1) * blockSize <= sequence.computed {
            let index = sequence.fullBlocks
            cache.insert(
                sequence.blocks[index],
                sequence.key(beforeBlock: index + 1),
                after: sequence.key(beforeBlock: index),
                sequence.tokens(ofBlock: index)
            )
            sequence.markFull()
        }
    }

    mutating func releaseOutOfWindowBlocks(of sequence: inout SequenceState) {
        guard let window else { return }
        let firstSeen = max(0, sequence.computed - window + 1)
        for block in sequence.removeOutOfWindowBlocks(before: firstSeen / blockSize) {
            pool.release(block, isCached: cache.contains(block))
        }
    }

    /// Gives back the blocks that were allocated for drafts alone.
    mutating func releaseDraftBlocks(of sequence: inout SequenceState) {
        for block in sequence.removeBlocks(after: sequence.blockCount(for: sequence.tokens.count)) {
            pool.release(block, isCached: false)
        }
    }

    /// Gives all blocks of a sequence back, the last first, so that a prefix is evicted after what follows it.
    mutating func releaseBlocks(of sequence: inout SequenceState) {
        for block in sequence.heldBlocks.reversed() { pool.release(block, isCached: cache.contains(block)) }
        // Those that were given back before, the first of them first, belong behind these.
        for index in (0..<sequence.outOfWindowBlocks).reversed() {
            guard let block = cachedBlock(of: sequence, index) else { continue }
            pool.retain(block)
            pool.release(block, isCached: true)
        }
        sequence.removeAllBlocks()
        releaseState(of: &sequence)
    }

    // MARK: A draft model

    /// Takes note that an engine's draft model has taken in the first `count` tokens of a sequence.
    mutating func markFollowed(_ count: Int, of sequence: SequenceState) {
        for block in sequence.heldBlocks.prefix(max(0, count / blockSize - sequence.outOfWindowBlocks)).reversed() {
            // Those before it were marked before.
            guard followed.insert(block).inserted else { return }
        }
    }

    /// How many tokens of a sequence an engine's draft model has taken in, where its blocks came from others.
    /// - Parameter count: how many it has for certain.
    func followedCount(of sequence: SequenceState, after count: Int) -> Int {
        var index = count / blockSize
        while index < sequence.fullBlocks {
            guard index < sequence.outOfWindowBlocks || followed.contains(sequence.blocks[index]) else { break }
            index += 1
        }
        return max(count, index * blockSize)
    }

    // MARK: Idle memory

    /// Advances the clock by which blocks count as idle.
    mutating func advanceTick() {
        pool.advanceTick()
        states?.advanceTick()
    }

    /// Up to `limit` evictable blocks that were last used more than `ticks` ticks ago, least recently used first.
    func idleEvictable(since ticks: Int, limit: Int) -> [BlockIndex] { pool.idleEvictable(since: ticks, limit: limit) }

    /// Forgets the contents of evictable blocks and makes them free.
    mutating func evict(_ blocks: [BlockIndex]) {
        for block in blocks {
            cache.remove(block)
            states?.remove(block)
            pool.freeEvictable(block)
        }
    }

    /// Up to `limit` blocks that have been free for more than `ticks` ticks; their memory counts as given back from now on.
    mutating func takeIdleFree(since ticks: Int, limit: Int) -> [BlockIndex] {
        pool.takeIdleFree(since: ticks, limit: limit)
    }

    /// The same of state slots, all there are.
    mutating func takeIdleFreeStates(since ticks: Int) -> [StateSlot] { states?.takeIdleFree(since: ticks) ?? [] }

    /// What is inconsistent in the accounting, or nil if nothing is.
    func problem(with sequences: some Sequence<SequenceState>) -> String? {
        var references = [Int](repeating: 0, count: pool.count)
        for sequence in sequences {
            for block in sequence.heldBlocks { references[Int(block)] += 1 }
        }
        if let block = references.indices.first(where: { pool.references(to: BlockIndex($0)) != references[$0] }) {
            let counted = pool.references(to: BlockIndex(block))
            return "block \(block) has \(counted) references, sessions have \(references[block])"
        }
        guard let cached = cache.blocks else { return "the tables of the prefix cache differ" }
        if let block = pool.evictableBlocks.first(where: { !cached.contains($0) }) {
            return "block \(block) is evictable, but cannot be found"
        }
        if let block = cached.first(where: { pool.isFree($0) }) { return "block \(block) is free, but can be found" }
        if let problem = states?.problem(held: sequences.flatMap { $0.memory?.held ?? [] }, cached: cached) {
            return problem
        }
        return pool.problem
    }
}
