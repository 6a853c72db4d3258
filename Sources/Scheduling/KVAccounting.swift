import EngineContract

/// The KV blocks of all sessions: the pool and the prefix cache kept in step with each other.
struct KVAccounting {
    private(set) var pool: BlockPool
    private var cache = PrefixCache()
    private let blockSize: Int
    /// How many positions a token sees; nil: all.
    private let window: Int?
    /// The most blocks that a session has at once.
    private let mostBlocks: Int

    /// - Parameter stepTokens: the most tokens of a step.
    init(blocks: Int, blockSize: Int, window: Int? = nil, stepTokens: Int = .max) {
        pool = BlockPool(count: blocks)
        self.blockSize = max(1, blockSize)
        self.window = window.map { max(1, $0) }
        let (seen, overflow) = (window ?? .max).addingReportingOverflow(stepTokens)
        mostBlocks = overflow ? .max : seen / self.blockSize + 2
    }

    /// Tokens of a session that need not be computed if it begins now.
    func cachedTokens(of session: Session) -> Int { cachedBlocks(of: session).count * blockSize }

    /// Whether there is memory now for all of a session's known tokens and the next, whatever the running ones hold and
    /// still lack for theirs.
    func fits(_ session: Session, others: [Session]) -> Bool {
        let pending = others.reduce(0) { sum, other in
            let lacking = blocksHolding(other.tokens.count) - other.blocks.count
            return sum + max(0, min(lacking, mostBlocks - other.ownBlocks.count))
        }
        let needed = min(blocksHolding(session.tokens.count + 1), mostBlocks)
        guard pool.availableCount < needed + pending else { return true }
        let hits = cachedBlocks(of: session)
        let kept = hits.count { pool.references(to: $0) == 0 }
        return pool.availableCount - kept >= max(0, needed - hits.count) + pending
    }

    private func blocksHolding(_ tokens: Int) -> Int { (tokens + blockSize - 1) / blockSize }

    /// The longest chain of cached blocks with the tokens that follow the session's full blocks, at least one token
    /// being left to compute.
    private func cachedBlocks(of session: Session) -> [BlockIndex] {
        var blocks: [BlockIndex] = []
        var index = session.fullBlocks
        while (index + 1) * blockSize < session.tokens.count {
            let parent = session.key(beforeBlock: index, blockSize: blockSize)
            let key = session.key(beforeBlock: index + 1, blockSize: blockSize)
            let tokens = session.tokens[(index * blockSize)..<((index + 1) * blockSize)]
            guard let block = cache.block(key, after: parent, tokens) else { break }
            blocks.append(block)
            index += 1
        }
        return blocks
    }

    /// The block that a session fills next; nil if it has not the tokens for one and one more.
    func nextBlock(of session: Session) -> StepPlanner.NextBlock? {
        guard (session.fullBlocks + 1) * blockSize < session.tokens.count else { return nil }
        return StepPlanner.NextBlock(
            key: session.key(beforeBlock: session.fullBlocks + 1, blockSize: blockSize),
            computed: session.computed - session.fullBlocks * blockSize
        )
    }

    /// Gives a session the cached blocks that its next tokens fill, whoever computed them; what it has of a block that
    /// is not full is given back.
    /// - Returns: how many tokens that spares.
    mutating func reuse(_ session: Session) -> Int {
        let blocks = cachedBlocks(of: session)
        guard !blocks.isEmpty else { return 0 }
        for block in blocks { pool.retain(block) }
        for block in session.blocks[session.fullBlocks...] { pool.release(block, keep: false) }
        let spared = session.adopt(blocks, blockSize: blockSize)
        releaseOutOfWindow(session)
        return spared
    }

    /// Gives back the blocks of which no further token of a session sees a position.
    private mutating func releaseOutOfWindow(_ session: Session) {
        guard let window else { return }
        let firstSeen = max(0, session.computed - window + 1)
        for block in session.dropBlocks(before: firstSeen / blockSize) {
            pool.release(block, keep: cache.contains(block))
        }
    }

    /// Adds the blocks that `tokens` more tokens need.
    /// - Returns: false if there are not enough; what was added stays.
    mutating func grow(_ session: Session, by tokens: Int) -> Bool {
        while session.blocks.count * blockSize < session.computed + tokens {
            guard let block = allocate() else { return false }
            session.blocks.append(block)
        }
        return true
    }

    /// Gives back the blocks that a session was given for guesses alone.
    mutating func shrink(_ session: Session) {
        for block in session.dropBlocks(after: blocksHolding(session.tokens.count)) {
            pool.release(block, keep: false)
        }
    }

    private mutating func allocate() -> BlockIndex? {
        if let block = pool.takeFree() { return block }
        guard let block = pool.takeOldestKept() else { return nil }
        cache.remove(block)
        return block
    }

    /// Registers the blocks that a step has filled.
    mutating func register(_ session: Session) {
        while (session.fullBlocks + 1) * blockSize <= session.computed {
            let index = session.fullBlocks
            cache.insert(
                session.blocks[index],
                session.key(beforeBlock: index + 1, blockSize: blockSize),
                after: session.key(beforeBlock: index, blockSize: blockSize),
                session.tokens[(index * blockSize)..<((index + 1) * blockSize)]
            )
            session.fullBlocks += 1
        }
        releaseOutOfWindow(session)
    }

    /// Gives all blocks back, the last first: a prefix outlives what follows it.
    mutating func release(_ session: Session) {
        for block in session.ownBlocks.reversed() { pool.release(block, keep: cache.contains(block)) }
        session.forgetComputed()
    }

    /// The kept blocks that a store could find again, least recently used first.
    func keptBlocks(in store: any BlockStore) -> [(block: BlockIndex, description: StoredBlock)] {
        descriptions(of: pool.keptBlocks, in: store)
    }

    /// Those of some blocks that a store could find again.
    func descriptions(
        of blocks: [BlockIndex],
        in store: any BlockStore
    ) -> [(block: BlockIndex, description: StoredBlock)] {
        var names: [PrefixCache.Key: String] = [:]
        return blocks.compactMap { block in
            cache.description(of: block, in: store, names: &names).map { (block, $0) }
        }
    }

    // MARK: Memory of no use

    /// Counts the time that blocks are not used.
    mutating func passTick() { pool.passTick() }

    /// Some blocks that have been kept for more than so many ticks, the least recently used first.
    func idleKept(since ticks: Int, limit: Int) -> [BlockIndex] { pool.idleKept(since: ticks, limit: limit) }

    /// Makes kept blocks free.
    mutating func forget(_ blocks: [BlockIndex]) {
        for block in blocks {
            cache.remove(block)
            pool.freeKept(block)
        }
    }

    /// Some blocks that have been free for more than so many ticks, and whose memory is counted as given back from now on.
    mutating func takeIdleFree(since ticks: Int, limit: Int) -> [BlockIndex] {
        pool.takeIdleFree(since: ticks, limit: limit)
    }

    /// What is wrong with the accounting, or nil if nothing is.
    func problem(with sessions: some Collection<Session>) -> String? {
        var references = [Int](repeating: 0, count: pool.count)
        for session in sessions {
            for block in session.ownBlocks { references[Int(block)] += 1 }
        }
        if let block = references.indices.first(where: { pool.references(to: BlockIndex($0)) != references[$0] }) {
            let counted = pool.references(to: BlockIndex(block))
            return "block \(block) has \(counted) references, sessions have \(references[block])"
        }
        guard let cached = cache.blocks else { return "the tables of the prefix cache differ" }
        if let block = pool.keptBlocks.first(where: { !cached.contains($0) }) {
            return "block \(block) is kept, but cannot be found"
        }
        if let block = cached.first(where: { pool.isFree($0) }) { return "block \(block) is free, but can be found" }
        return pool.problem
    }
}
