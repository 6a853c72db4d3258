import EngineContract

/// Which KV blocks are free, which are referenced and how often, and which can be evicted.
///
/// Every block is in exactly one of three states: free, referenced, or evictable (no session refers to it, but the
/// prefix cache may hand it out again). Evictable blocks form a linked list in the order of their last use. All
/// operations but those on idle memory are O(1).
struct BlockPool {
    private static let none: BlockIndex = -1

    private var references: [Int32]
    private var isEvictable: [Bool]
    /// A stack: the block freed last is given out first.
    private var free: [BlockIndex]
    private var older: [BlockIndex]
    private var newer: [BlockIndex]
    private var oldest = Self.none
    private var newest = Self.none
    /// Which blocks have been given out since their memory was last given back to the system.
    private var isTouched: [Bool]
    /// When each block was last given back to the pool, in ticks.
    private var lastUse: [Int32]
    private var now: Int32 = 0

    let count: Int
    private(set) var evictableCount = 0
    private(set) var touchedCount = 0

    init(count: Int) {
        self.count = max(0, count)
        references = Array(repeating: 0, count: self.count)
        isEvictable = Array(repeating: false, count: self.count)
        older = Array(repeating: Self.none, count: self.count)
        newer = older
        isTouched = isEvictable
        lastUse = Array(repeating: 0, count: self.count)
        free = (0..<BlockIndex(clamping: self.count)).reversed()
    }

    var freeCount: Int { free.count }
    var referencedCount: Int { count - free.count - evictableCount }
    /// Blocks that can be given out.
    var availableCount: Int { free.count + evictableCount }

    /// A free block, now with one reference.
    mutating func takeFree() -> BlockIndex? {
        guard let block = free.popLast() else { return nil }
        references[Int(block)] = 1
        if !isTouched[Int(block)] {
            isTouched[Int(block)] = true
            touchedCount += 1
        }
        return block
    }

    /// The least recently used evictable block, now with one reference; the caller forgets its contents.
    mutating func takeOldestEvictable() -> BlockIndex? {
        guard oldest != Self.none else { return nil }
        let block = oldest
        unlink(block)
        references[Int(block)] = 1
        return block
    }

    /// Adds a reference to a block that is referenced or evictable.
    mutating func retain(_ block: BlockIndex) {
        if isEvictable[Int(block)] { unlink(block) }
        references[Int(block)] += 1
    }

    /// Takes a reference away. A block without any is evictable if the prefix cache has it, else free.
    mutating func release(_ block: BlockIndex, isCached: Bool) {
        references[Int(block)] -= 1
        guard references[Int(block)] == 0 else { return }
        lastUse[Int(block)] = now
        if isCached { append(block) } else { free.append(block) }
    }

    // MARK: Idle memory

    /// Advances the clock by which blocks count as idle.
    mutating func advanceTick() { now &+= 1 }

    /// Up to `limit` evictable blocks that were last used more than `ticks` ticks ago, least recently used first.
    func idleEvictable(since ticks: Int, limit: Int) -> [BlockIndex] {
        let idle = sequence(first: oldest) { newer[Int($0)] }.prefix {
            $0 != Self.none && Int(now &- lastUse[Int($0)]) > ticks
        }
        return Array(idle.prefix(limit))
    }

    /// Makes an evictable block free. It has been idle since its last use, not since now.
    mutating func freeEvictable(_ block: BlockIndex) {
        guard isEvictable[Int(block)] else { return }
        unlink(block)
        free.append(block)
    }

    /// Up to `limit` blocks that have been free for more than `ticks` ticks; their memory counts as given back from now on.
    mutating func takeIdleFree(since ticks: Int, limit: Int) -> [BlockIndex] {
        guard touchedCount > referencedCount else { return [] }
        var idle: [BlockIndex] = []
        for block in free where isTouched[Int(block)] && Int(now &- lastUse[Int(block)]) > ticks {
            guard idle.count < limit else { break }
            isTouched[Int(block)] = false
            idle.append(block)
        }
        touchedCount -= idle.count
        return idle
    }

    // MARK: Looking

    func references(to block: BlockIndex) -> Int { Int(references[Int(block)]) }

    func isFree(_ block: BlockIndex) -> Bool { references[Int(block)] == 0 && !isEvictable[Int(block)] }

    /// The evictable blocks, least recently used first.
    var evictableBlocks: [BlockIndex] {
        sequence(first: oldest) { newer[Int($0)] }.prefix { $0 != Self.none }
    }

    /// What is inconsistent in the lists, or nil if nothing is.
    var problem: String? {
        let (freeBlocks, evictable) = (Set(free), Set(evictableBlocks))
        guard freeBlocks.count == free.count, evictable.count == evictableCount else {
            return "a block is in a list twice"
        }
        guard isTouched.count(where: { $0 }) == touchedCount else {
            return "the touched blocks are not \(touchedCount)"
        }
        for block in 0..<BlockIndex(clamping: count) {
            guard isTouched[Int(block)] || isFree(block) else { return "block \(block) is in use and not touched" }
            let states = [freeBlocks.contains(block), evictable.contains(block), references[Int(block)] > 0]
            guard states.count(where: { $0 }) == 1, isEvictable[Int(block)] == evictable.contains(block) else {
                return "block \(block): free, evictable, referenced: \(states)"
            }
        }
        return nil
    }

    // MARK: The list of evictable blocks

    private mutating func append(_ block: BlockIndex) {
        isEvictable[Int(block)] = true
        evictableCount += 1
        older[Int(block)] = newest
        newer[Int(block)] = Self.none
        if newest == Self.none { oldest = block } else { newer[Int(newest)] = block }
        newest = block
    }

    private mutating func unlink(_ block: BlockIndex) {
        isEvictable[Int(block)] = false
        evictableCount -= 1
        let (before, after) = (older[Int(block)], newer[Int(block)])
        if before == Self.none { oldest = after } else { newer[Int(before)] = after }
        if after == Self.none { newest = before } else { older[Int(after)] = before }
    }
}
