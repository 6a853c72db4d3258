import EngineContract

/// The KV blocks of all sessions: the pool and the prefix cache kept in step with each other.
struct KVAccounting {
    private(set) var pool: BlockPool
    private(set) var cache: PrefixCache
    private let blockSize: Int

    init(blocks: Int, blockSize: Int) {
        pool = BlockPool(count: blocks)
        cache = PrefixCache(blockSize: blockSize)
        self.blockSize = max(1, blockSize)
    }

    func cachedTokens(of prompt: [Token]) -> Int { cache.match(prompt).blocks.count * blockSize }

    /// Whether there is memory now for all of a session's known tokens and the next, whatever the running ones hold.
    func fits(_ session: Session, others: [Session]) -> Bool {
        let hit = cache.match(session.request.prompt).blocks
        let kept = hit.count { pool.references(to: $0) == 0 }
        let pending = others.reduce(0) { $0 + blocksNeeded($1.blocks.count * blockSize, $1.remaining, of: $1) }
        let needed = (session.remaining + 1 + blockSize - 1) / blockSize - hit.count
        return pool.availableCount - kept >= needed + pending
    }

    /// Blocks that a running session still lacks for the tokens it knows.
    private func blocksNeeded(_ capacity: Int, _ remaining: Int, of session: Session) -> Int {
        let tokens = session.computed + remaining
        return max(0, (tokens - capacity + blockSize - 1) / blockSize)
    }

    /// Gives a session the cached blocks that its tokens begin with.
    mutating func begin(_ session: Session) {
        let (blocks, key) = cache.match(session.tokens)
        for block in blocks { pool.retain(block) }
        session.begin(with: blocks, blockSize: blockSize, lastKey: key)
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

    private mutating func allocate() -> BlockIndex? {
        if let block = pool.takeFree() { return block }
        guard let block = pool.takeOldestKept() else { return nil }
        cache.remove(block)
        return block
    }

    /// Registers the blocks that a step has filled.
    mutating func register(_ session: Session) {
        while (session.registeredBlocks + 1) * blockSize <= session.computed {
            let start = session.registeredBlocks * blockSize
            let tokens = session.tokens[start..<(start + blockSize)]
            session.lastKey = cache.insert(session.blocks[session.registeredBlocks], after: session.lastKey, tokens)
            session.registeredBlocks += 1
        }
    }

    /// Gives all blocks back, the last first: a prefix outlives what follows it.
    mutating func release(_ session: Session) {
        for block in session.blocks.reversed() { pool.release(block, keep: cache.contains(block)) }
        session.blocks = []
    }
}
