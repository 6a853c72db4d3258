import EngineContract
import Support
import Testing

@testable import Scheduling

@Suite struct BlockPoolTests {
    /// A pool of which all blocks are taken, in the order of their indices.
    private func takenPool(_ count: Int) throws -> BlockPool {
        var pool = BlockPool(count: count)
        for block in 0..<BlockIndex(count) { #expect(pool.takeFree() == block) }
        return pool
    }

    @Test("Every block is given out once, and the one freed last first")
    func free() throws {
        var pool = try takenPool(3)
        #expect(pool.takeFree() == nil && pool.takeOldestEvictable() == nil)
        #expect(pool.freeCount == 0 && pool.referencedCount == 3 && pool.availableCount == 0)
        for block in [2, 0] as [BlockIndex] { pool.release(block, isCached: false) }
        #expect(pool.isFree(0) && !pool.isFree(1) && pool.isFree(2) && pool.availableCount == 2)
        #expect(pool.takeFree() == 0 && pool.takeFree() == 2 && pool.takeFree() == nil)
        #expect(pool.problem == nil)
        for count in [0, -5] { #expect(BlockPool(count: count).count == 0) }
    }

    @Test("A block is given back with its last reference, and evictable only if it is cached")
    func references() throws {
        var pool = try takenPool(2)
        pool.retain(0)
        #expect(pool.references(to: 0) == 2)
        pool.release(0, isCached: true)
        #expect(pool.references(to: 0) == 1 && pool.evictableCount == 0 && pool.availableCount == 0)
        pool.release(0, isCached: true)
        pool.release(1, isCached: false)
        #expect(pool.evictableBlocks == [0] && !pool.isFree(0) && pool.isFree(1))
        #expect(pool.referencedCount == 0 && pool.evictableCount == 1 && pool.freeCount == 1)
        pool.retain(0)
        #expect(pool.evictableBlocks == [] && pool.references(to: 0) == 1 && pool.problem == nil)
    }

    @Test("Evictable blocks are taken in the order of their last use")
    func leastRecentlyUsed() throws {
        var pool = try takenPool(5)
        for block in [3, 1, 4, 0, 2] as [BlockIndex] { pool.release(block, isCached: true) }
        // Used again: the newest now.
        pool.retain(4)
        pool.release(4, isCached: true)
        // Neither first nor last in the list.
        pool.retain(0)
        #expect(pool.evictableBlocks == [3, 1, 2, 4])
        var taken: [BlockIndex?] = []
        for _ in 0..<5 { taken.append(pool.takeOldestEvictable()) }
        #expect(taken == [3, 1, 2, 4, nil])
        #expect(pool.problem == nil)
    }

    @Test("Blocks are idle once more than so many ticks have passed since their last use")
    func idle() throws {
        var pool = try takenPool(6)
        for block in [0, 1, 2] as [BlockIndex] { pool.release(block, isCached: true) }
        pool.release(3, isCached: false)
        pool.advanceTick()
        pool.release(4, isCached: false)
        pool.retain(1)
        pool.release(1, isCached: true)
        #expect(pool.idleEvictable(since: 1, limit: 9) == [] && pool.takeIdleFree(since: 1, limit: 9) == [])
        pool.advanceTick()
        #expect(pool.idleEvictable(since: 1, limit: 9) == [0, 2] && pool.idleEvictable(since: 1, limit: 1) == [0])
        #expect(pool.idleEvictable(since: 0, limit: 9) == [0, 2, 1])
        #expect(pool.touchedCount == 6)
        #expect(pool.takeIdleFree(since: 1, limit: 9) == [3] && pool.takeIdleFree(since: 1, limit: 9) == [])
        #expect(pool.touchedCount == 5)
        // What is freed has been idle since its last use.
        pool.freeEvictable(2)
        pool.freeEvictable(5)
        #expect(pool.references(to: 5) == 1 && pool.evictableBlocks == [0, 1])
        #expect(pool.takeIdleFree(since: 1, limit: 9) == [2] && pool.touchedCount == 4)
        #expect(pool.takeIdleFree(since: 0, limit: 9) == [4] && pool.problem == nil)
        // Whatever is given out is touched again.
        while pool.takeFree() != nil {}
        #expect(pool.touchedCount == 6 && pool.problem == nil)
    }

    @Test("Any order of calls gives what a plain model gives", arguments: 1...20)
    func random(seed: UInt64) {
        var generator = SeededGenerator(seed: seed)
        let count = Int.random(in: 1...12, using: &generator)
        var pool = BlockPool(count: count)
        var references: [BlockIndex: Int] = [:]
        var evictable: [BlockIndex] = []
        for _ in 0..<500 {
            switch Int.random(in: 0..<6, using: &generator) {
            case 0, 1:
                guard let block = pool.takeFree() else {
                    #expect(references.count + evictable.count == count)
                    continue
                }
                #expect(references[block] == nil && !evictable.contains(block))
                references[block] = 1
            case 2:
                let expected = evictable.isEmpty ? nil : evictable.removeFirst()
                #expect(pool.takeOldestEvictable() == expected)
                if let expected { references[expected] = 1 }
            case 3:
                let known = references.keys.sorted() + evictable
                guard let block = known.randomElement(using: &generator) else { continue }
                evictable.removeAll { $0 == block }
                references[block, default: 0] += 1
                pool.retain(block)
            default:
                guard let block = references.keys.sorted().randomElement(using: &generator) else { continue }
                let isCached = Bool.random(using: &generator)
                pool.release(block, isCached: isCached)
                references[block, default: 0] -= 1
                guard references[block] == 0 else { continue }
                references[block] = nil
                if isCached { evictable.append(block) }
            }
            #expect(pool.problem == nil && pool.evictableBlocks == evictable)
            #expect(pool.referencedCount == references.count)
            #expect(references.allSatisfy { pool.references(to: $0.key) == $0.value })
        }
    }
}
