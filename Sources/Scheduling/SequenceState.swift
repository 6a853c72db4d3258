import EngineContract

/// A session's tokens and the table of KV blocks that hold the computed ones. A plain value: `KVCacheManager` gives it
/// blocks and takes them back.
///
///     0 ..< outOfWindowBlocks × block size   no further token sees these positions; their blocks are given back
///     … ..< fullBlocks × block size          in full blocks, which the prefix cache knows by their contents
///     … ..< computed                         in the block after them, which no other session has
///     computed ..< tokens.count              known, to be computed: `remaining`
struct SequenceState {
    let blockSize: Int
    /// The prompt and what was sampled after it.
    private(set) var tokens: [Token] = []
    /// The different tokens among them, if the session's sampling penalizes repetition.
    private var seen: SeenTokens?
    /// How many of `tokens` have their keys and values in `blocks`.
    private(set) var computed = 0
    /// The block table: position p lies in `blocks[p / blockSize]`.
    private(set) var blocks: [BlockIndex] = []
    private(set) var fullBlocks = 0
    private(set) var outOfWindowBlocks = 0
    /// The prefix cache's keys of the tokens before block 0, 1, …, for each block that `tokens` reach the end of.
    private var keys = [PrefixCache.root]
    let promptCount: Int
    /// What it has of state memory while it runs; `KVCacheManager` sees to it.
    var memory: SequenceMemory?
    /// Where to take snapshots of its state; nil before it has run.
    var borders: SnapshotBorders?
    /// While a sequence is given what a store has, up to a state: how many of its blocks the state is of that it has now. It
    /// cannot be computed on from the blocks after those.
    var blocksOfState: Int?
    /// The block store's names of the first blocks, made when they are needed.
    private var names: [String] = []

    init(prompt: [Token], blockSize: Int, tracksSeenTokens: Bool = false) {
        self.blockSize = max(1, blockSize)
        tokens = prompt
        promptCount = prompt.count
        if tracksSeenTokens { seen = SeenTokens(prompt) }
        addKeys()
    }

    var remaining: Int { tokens.count - computed }
    var seenTokens: [Token] { seen?.tokens ?? [] }
    /// The blocks that the sequence holds: those of its table that are not given back.
    var heldBlocks: ArraySlice<BlockIndex> { blocks[outOfWindowBlocks...] }
    /// Whether the next token to be computed is the first of a block.
    var endsAtBlockBorder: Bool { computed == fullBlocks * blockSize }

    mutating func append(_ token: Token) {
        tokens.append(token)
        seen?.insert(token)
        addKeys()
    }

    private mutating func addKeys() {
        while keys.count * blockSize <= tokens.count {
            let index = keys.count - 1
            keys.append(PrefixCache.key(after: keys[index], tokens(ofBlock: index)))
        }
    }

    // MARK: Blocks of the sequence

    /// Blocks that `count` tokens take.
    func blockCount(for count: Int) -> Int { (count + blockSize - 1) / blockSize }

    /// Whether there are tokens for the whole of a block, and one more to be computed after it.
    func reachesPast(block index: Int) -> Bool { (index + 1) * blockSize < tokens.count }

    func tokens(ofBlock index: Int) -> ArraySlice<Token> { tokens[(index * blockSize)..<((index + 1) * blockSize)] }

    /// The key of all tokens before a block, which must be known.
    func key(beforeBlock index: Int) -> PrefixCache.Key { keys[index] }

    /// The key of the first block's tokens; nil if there are not so many.
    var firstKey: PrefixCache.Key? { keys.count > 1 ? keys[1] : nil }

    /// The keys of all blocks' tokens, and of what is left after the last whole one.
    var keysOfAllTokens: [PrefixCache.Key] {
        let rest = tokens[((keys.count - 1) * blockSize)...]
        return keys.dropFirst() + (rest.isEmpty ? [] : [PrefixCache.key(after: keys[keys.count - 1], rest)])
    }

    /// A store's name of a block, whose tokens must be known.
    mutating func storedName(_ index: Int, in store: any BlockStore) -> String {
        while names.count <= index { names.append(store.name(after: names.last, tokens(ofBlock: names.count))) }
        return names[index]
    }

    /// What a store knows a block by; nil unless `reachesPast(block:)`.
    mutating func storedBlock(_ index: Int, in store: any BlockStore) -> StoredBlock? {
        guard reachesPast(block: index) else { return nil }
        return StoredBlock(
            name: storedName(index, in: store),
            parent: index > 0 ? names[index - 1] : nil,
            tokens: Array(tokens(ofBlock: index))
        )
    }

    /// What a step does with the state that computes the next `count` tokens; nil where the model has none.
    /// - Parameter hasDrafts: whether drafts come after them.
    func stateUse(_ count: Int, hasDrafts: Bool = false) -> StateUse? {
        guard let memory, let slot = memory.slot else { return nil }
        var snapshots = memory.planned.map { planned in
            StateUse.Snapshot(slot: planned.slot, tokens: planned.border * blockSize - computed)
        }
        if hasDrafts, let slot = memory.beforeDrafts { snapshots.append(StateUse.Snapshot(slot: slot, tokens: count)) }
        snapshots.sort { $0.tokens < $1.tokens }
        return StateUse(slot: slot, source: memory.source, snapshots: snapshots)
    }

    // MARK: Changes of the block table

    mutating func addBlock(_ block: BlockIndex) { blocks.append(block) }

    mutating func markComputed(_ count: Int) { computed += count }

    mutating func markFull() { fullBlocks += 1 }

    /// Continues from blocks that hold the next tokens already, in place of the block that is not full.
    /// - Returns: how many tokens need not be computed because of it.
    mutating func adopt(_ cached: [BlockIndex]) -> Int {
        blocks.replaceSubrange(fullBlocks..., with: cached)
        fullBlocks = blocks.count
        let before = computed
        computed = fullBlocks * blockSize
        return computed - before
    }

    /// Takes the blocks after the first `count` out of the table.
    /// - Returns: the blocks taken out.
    mutating func removeBlocks(after count: Int) -> [BlockIndex] {
        let removed = Array(blocks.dropFirst(count))
        blocks.removeLast(removed.count)
        return removed
    }

    /// Takes the blocks before index `end` out of the table; the others keep their places in it.
    /// - Returns: the blocks taken out.
    mutating func removeOutOfWindowBlocks(before end: Int) -> [BlockIndex] {
        let removed = Array(blocks[outOfWindowBlocks..<max(outOfWindowBlocks, end)])
        for index in 0..<removed.count { blocks[outOfWindowBlocks + index] = StepEntry.outOfWindow }
        outOfWindowBlocks += removed.count
        return removed
    }

    /// Forgets what was computed after the first `count` blocks, which must be full.
    /// - Returns: the blocks after them.
    mutating func cutBack(to count: Int) -> [BlockIndex] {
        fullBlocks = count
        computed = count * blockSize
        return removeBlocks(after: count)
    }

    /// Forgets all that was computed; the tokens stay.
    mutating func removeAllBlocks() {
        blocksOfState = nil
        blocks = []
        fullBlocks = 0
        outOfWindowBlocks = 0
        computed = 0
    }
}
