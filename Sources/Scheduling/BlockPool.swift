package import EngineContract

/// The accounting of KV blocks: which are free, which are referenced and how often, which are kept for their contents.
///
/// Every block is in exactly one of three states: free, referenced, or kept (no session refers to it, but the prefix
/// cache may hand it out again). Kept blocks form a list in the order of their last use; all operations are O(1).
package struct BlockPool: Sendable {
    private static let none: BlockIndex = -1

    private var references: [Int32]
    private var isKept: [Bool]
    private var free: [BlockIndex]
    private var older: [BlockIndex]
    private var newer: [BlockIndex]
    private var oldest = Self.none
    private var newest = Self.none

    package let count: Int
    package private(set) var keptCount = 0

    package init(count: Int) {
        self.count = max(0, count)
        references = Array(repeating: 0, count: self.count)
        isKept = Array(repeating: false, count: self.count)
        older = Array(repeating: Self.none, count: self.count)
        newer = older
        free = (0..<BlockIndex(clamping: self.count)).reversed()
    }

    package var freeCount: Int { free.count }
    package var referencedCount: Int { count - free.count - keptCount }
    /// Blocks that an allocation can have.
    package var availableCount: Int { free.count + keptCount }

    /// A free block with one reference.
    package mutating func takeFree() -> BlockIndex? {
        guard let block = free.popLast() else { return nil }
        references[Int(block)] = 1
        return block
    }

    /// The least recently used kept block, now with one reference; its contents are forgotten.
    package mutating func takeOldestKept() -> BlockIndex? {
        guard oldest != Self.none else { return nil }
        let block = oldest
        unlink(block)
        references[Int(block)] = 1
        return block
    }

    /// Adds a reference to a block that is referenced or kept.
    package mutating func retain(_ block: BlockIndex) {
        if isKept[Int(block)] { unlink(block) }
        references[Int(block)] += 1
    }

    /// Takes a reference away. A block without any is kept for its contents, or free.
    package mutating func release(_ block: BlockIndex, keep: Bool) {
        references[Int(block)] -= 1
        guard references[Int(block)] == 0 else { return }
        if keep { append(block) } else { free.append(block) }
    }

    package func references(to block: BlockIndex) -> Int { Int(references[Int(block)]) }

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
