import EngineContract

/// The accounting of KV blocks: which are free, which are referenced and how often, which are kept for their contents.
///
/// Every block is in exactly one of three states: free, referenced, or kept (no session refers to it, but the prefix
/// cache may hand it out again). Kept blocks form a list in the order of their last use; all operations are O(1).
struct BlockPool {
    private static let none: BlockIndex = -1

    private var references: [Int32]
    private var isKept: [Bool]
    private var free: [BlockIndex]
    private var older: [BlockIndex]
    private var newer: [BlockIndex]
    private var oldest = Self.none
    private var newest = Self.none
    /// Which blocks have memory of the system, as they were given out since it was last given back.
    private var isTouched: [Bool]
    /// When each block was last given back, in ticks.
    private var lastUse: [Int32]
    private var now: Int32 = 0

    let count: Int
    private(set) var keptCount = 0
    private(set) var touchedCount = 0

    init(count: Int) {
        self.count = max(0, count)
        references = Array(repeating: 0, count: self.count)
        isKept = Array(repeating: false, count: self.count)
        older = Array(repeating: Self.none, count: self.count)
        newer = older
        isTouched = isKept
        lastUse = Array(repeating: 0, count: self.count)
        free = (0..<BlockIndex(clamping: self.count)).reversed()
    }

    var freeCount: Int { free.count }
    var referencedCount: Int { count - free.count - keptCount }
    /// Blocks that an allocation can have.
    var availableCount: Int { free.count + keptCount }

    /// A free block with one reference.
    mutating func takeFree() -> BlockIndex? {
        guard let block = free.popLast() else { return nil }
        references[Int(block)] = 1
        if !isTouched[Int(block)] {
            isTouched[Int(block)] = true
            touchedCount += 1
        }
        return block
    }

    /// The least recently used kept block, now with one reference; its contents are forgotten.
    mutating func takeOldestKept() -> BlockIndex? {
        guard oldest != Self.none else { return nil }
        let block = oldest
        unlink(block)
        references[Int(block)] = 1
        return block
    }

    /// Adds a reference to a block that is referenced or kept.
    mutating func retain(_ block: BlockIndex) {
        if isKept[Int(block)] { unlink(block) }
        references[Int(block)] += 1
    }

    /// Takes a reference away. A block without any is kept for its contents, or free.
    mutating func release(_ block: BlockIndex, keep: Bool) {
        references[Int(block)] -= 1
        guard references[Int(block)] == 0 else { return }
        lastUse[Int(block)] = now
        if keep { append(block) } else { free.append(block) }
    }

    // MARK: Memory of no use

    /// Counts the time that blocks are not used.
    mutating func passTick() { now &+= 1 }

    /// Some blocks that have been kept for more than so many ticks, the least recently used first.
    func idleKept(since ticks: Int, limit: Int) -> [BlockIndex] {
        let some = sequence(first: oldest) { newer[Int($0)] }.prefix {
            $0 != Self.none && Int(now &- lastUse[Int($0)]) > ticks
        }
        return Array(some.prefix(limit))
    }

    /// Makes a kept block free; it counts as not used since it was last.
    mutating func freeKept(_ block: BlockIndex) {
        guard isKept[Int(block)] else { return }
        unlink(block)
        free.append(block)
    }

    /// Some blocks that have been free for more than so many ticks, and whose memory is counted as given back from now on.
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

    func references(to block: BlockIndex) -> Int { Int(references[Int(block)]) }

    /// Whether nobody refers to a block and nothing of it is kept.
    func isFree(_ block: BlockIndex) -> Bool { references[Int(block)] == 0 && !isKept[Int(block)] }

    /// The kept blocks, least recently used first.
    var keptBlocks: [BlockIndex] {
        sequence(first: oldest) { newer[Int($0)] }.prefix { $0 != Self.none }
    }

    /// What is wrong with the lists, or nil if nothing is.
    var problem: String? {
        let (freeBlocks, kept) = (Set(free), Set(keptBlocks))
        guard freeBlocks.count == free.count, kept.count == keptCount else { return "a block is in a list twice" }
        guard isTouched.count(where: { $0 }) == touchedCount else {
            return "the touched blocks are not \(touchedCount)"
        }
        for block in 0..<BlockIndex(clamping: count) {
            guard isTouched[Int(block)] || isFree(block) else { return "block \(block) is in use and not touched" }
            let states = [freeBlocks.contains(block), kept.contains(block), references[Int(block)] > 0]
            guard states.count(where: { $0 }) == 1, isKept[Int(block)] == kept.contains(block) else {
                return "block \(block): free, kept, referenced: \(states)"
            }
        }
        return nil
    }

    private mutating func append(_ block: BlockIndex) {
        isKept[Int(block)] = true
        keptCount += 1
        older[Int(block)] = newest
        newer[Int(block)] = Self.none
        if newest == Self.none { oldest = block } else { newer[Int(newest)] = block }
        newest = block
    }

    private mutating func unlink(_ block: BlockIndex) {
        isKept[Int(block)] = false
        keptCount -= 1
        let (before, after) = (older[Int(block)], newer[Int(block)])
        if before == Self.none { oldest = after } else { newer[Int(before)] = after }
        if after == Self.none { newest = before } else { older[Int(after)] = before }
    }
}
