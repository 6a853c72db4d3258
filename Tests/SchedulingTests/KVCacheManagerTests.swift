import EngineContract
import Testing

@testable import Scheduling

@Suite struct KVCacheManagerTests {
    private func sequence(_ count: Int, from first: Token = 0) -> SequenceState {
        SequenceState(prompt: (0..<Token(count)).map { first + $0 }, blockSize: 4)
    }

    /// Computes the next tokens of a sequence, as a step does.
    private func compute(_ count: Int, of sequence: inout SequenceState, _ kv: inout KVCacheManager) {
        #expect(kv.allocateBlocks(for: &sequence, tokens: count))
        kv.markComputed(count, of: &sequence)
    }

    @Test("A sequence has the blocks that its computed tokens need, and gives all of them back")
    func allocation() {
        var kv = KVCacheManager(blocks: 5, blockSize: 4)
        var sequence = sequence(11)
        compute(3, of: &sequence, &kv)
        #expect(sequence.blocks.count == 1 && sequence.fullBlocks == 0 && sequence.remaining == 8)
        compute(6, of: &sequence, &kv)
        #expect(sequence.blocks.count == 3 && sequence.fullBlocks == 2 && sequence.computed == 9)
        compute(2, of: &sequence, &kv)
        #expect(sequence.blocks.count == 3 && kv.pool.referencedCount == 3 && kv.problem(with: [sequence]) == nil)
        kv.releaseBlocks(of: &sequence)
        #expect(sequence.blocks.isEmpty && sequence.computed == 0 && sequence.tokens.count == 11)
        // The two full blocks stay in the cache.
        #expect(kv.pool.referencedCount == 0 && kv.pool.evictableCount == 2 && kv.problem(with: []) == nil)
    }

    @Test("What a draft model has taken in is found with the blocks, and forgotten when they are given out anew")
    func followed() {
        var kv = KVCacheManager(blocks: 3, blockSize: 4)
        var (first, second) = (sequence(12), sequence(12, from: 100))
        compute(12, of: &first, &kv)
        kv.markFollowed(9, of: first)
        #expect(kv.followedCount(of: first, after: 0) == 8 && kv.followedCount(of: first, after: 9) == 9)
        kv.markFollowed(12, of: first)
        kv.releaseBlocks(of: &first)
        var again = sequence(13)
        #expect(kv.reuseCachedBlocks(for: &again) == 12 && kv.followedCount(of: again, after: 0) == 12)
        kv.releaseBlocks(of: &again)
        compute(12, of: &second, &kv)
        kv.releaseBlocks(of: &second)
        var other = sequence(13, from: 100)
        #expect(kv.reuseCachedBlocks(for: &other) == 12 && kv.followedCount(of: other, after: 0) == 0)
    }

    @Test("Where there are too few blocks, a sequence keeps those that it got")
    func exhaustion() {
        var kv = KVCacheManager(blocks: 3, blockSize: 4)
        var (first, second) = (sequence(4), sequence(20, from: 100))
        compute(4, of: &first, &kv)
        #expect(!kv.allocateBlocks(for: &second, tokens: 20))
        #expect(second.blocks.count == 2 && kv.pool.availableCount == 0)
        kv.releaseBlocks(of: &first)
        #expect(kv.allocateBlocks(for: &second, tokens: 12) && kv.problem(with: [second]) == nil)
        // Its block was given to the second sequence, so the first one's tokens cannot be found any more.
        #expect(kv.cachedTokens(of: sequence(5)) == 0)
    }

    @Test("A prefix is found as long as one token is left to compute, also while another sequence computes it")
    func reuse() {
        var kv = KVCacheManager(blocks: 10, blockSize: 4)
        var (first, second) = (sequence(12), sequence(13))
        compute(9, of: &first, &kv)
        for (count, cached) in [(4, 0), (5, 4), (8, 4), (9, 8), (13, 8)] {
            #expect(kv.cachedTokens(of: sequence(count)) == cached, "\(count) tokens")
        }
        #expect(kv.cachedTokens(of: sequence(13, from: 1)) == 0)
        // A block that is not full is given back for the cached one.
        compute(2, of: &second, &kv)
        #expect(kv.reuseCachedBlocks(for: &second) == 6 && second.computed == 8 && second.fullBlocks == 2)
        #expect(second.blocks == Array(first.blocks.prefix(2)) && kv.pool.references(to: first.blocks[0]) == 2)
        #expect(kv.reuseCachedBlocks(for: &second) == 0)
        compute(3, of: &first, &kv)
        #expect(kv.reuseCachedBlocks(for: &second) == 4 && second.remaining == 1)
        #expect(kv.problem(with: [first, second]) == nil)
        kv.releaseBlocks(of: &first)
        #expect(kv.pool.referencedCount == 3 && kv.problem(with: [second]) == nil)
    }

    @Test("The end of a text is evicted before its beginning")
    func eviction() {
        var kv = KVCacheManager(blocks: 3, blockSize: 4)
        var text = sequence(12)
        compute(12, of: &text, &kv)
        kv.releaseBlocks(of: &text)
        for (index, cached) in [8, 4, 0].enumerated() {
            var other = sequence(1, from: Token(100 * index + 100))
            #expect(kv.allocateBlocks(for: &other, tokens: 1))
            #expect(kv.cachedTokens(of: sequence(13)) == cached)
        }
    }

    @Test("A sequence fits if what the running ones still need is left, and what it shares counts once")
    func fitting() {
        var kv = KVCacheManager(blocks: 6, blockSize: 4)
        var running = sequence(16, from: 50)
        compute(8, of: &running, &kv)
        // Two blocks are in use, and two more will be.
        #expect(kv.fits(sequence(7), beside: [running]) && !kv.fits(sequence(8), beside: [running]))
        #expect(kv.fits(sequence(15), beside: []) && !kv.fits(sequence(16), beside: []))
        // The beginning that it shares with the running one takes no more memory.
        #expect(
            kv.fits(sequence(15, from: 50), beside: [running]) && !kv.fits(sequence(16, from: 50), beside: [running])
        )
        // An evictable block that it would reuse cannot be evicted for it as well.
        kv.releaseBlocks(of: &running)
        #expect(kv.fits(sequence(23, from: 50), beside: []) && !kv.fits(sequence(24, from: 50), beside: []))
    }

    @Test("Blocks that no further token sees are given back and leave their places in the table")
    func window() {
        var kv = KVCacheManager(blocks: 8, blockSize: 4, window: 6, stepTokens: 4)
        var sequence = sequence(28)
        for _ in 0..<6 { compute(4, of: &sequence, &kv) }
        // Token 24 sees positions 19 to 24.
        #expect(sequence.outOfWindowBlocks == 4 && sequence.heldBlocks.count == 2 && sequence.blocks.count == 6)
        #expect(sequence.blocks.prefix(4).allSatisfy { $0 == StepEntry.outOfWindow })
        #expect(kv.pool.referencedCount == 2 && kv.pool.evictableCount == 4 && kv.problem(with: [sequence]) == nil)
        // No sequence ever holds more than a window and a step take, however long it is.
        #expect(kv.fits(self.sequence(4000, from: 500), beside: [sequence]))
        let end = sequence.heldBlocks
        kv.releaseBlocks(of: &sequence)
        #expect(kv.pool.referencedCount == 0 && kv.problem(with: []) == nil)
        // What is evicted first is the end of a text, and its beginning last, whatever a window has given back before.
        #expect(Array(kv.pool.evictableBlocks.prefix(2)) == end.reversed())
        for left in (0..<6).reversed() {
            kv.evict(kv.idleEvictable(since: -1, limit: 1))
            #expect(kv.cachedTokens(of: self.sequence(28)) == 4 * left)
        }
    }

    @Test("Blocks of rejected drafts are given back and are never found")
    func drafts() {
        var kv = KVCacheManager(blocks: 4, blockSize: 4)
        var sequence = sequence(7)
        compute(6, of: &sequence, &kv)
        #expect(kv.allocateBlocks(for: &sequence, tokens: 1 + 7) && sequence.blocks.count == 4)
        kv.markComputed(1, of: &sequence)
        sequence.append(9)
        kv.releaseDraftBlocks(of: &sequence)
        #expect(sequence.blocks.count == 2 && kv.pool.freeCount == 2 && kv.problem(with: [sequence]) == nil)
        compute(1, of: &sequence, &kv)
        #expect(
            sequence.fullBlocks == 2
                && kv.cachedTokens(of: SequenceState(prompt: sequence.tokens + [1], blockSize: 4)) == 8
        )
    }

    @Test("The next block to be filled is known by its key, where the tokens reach past its end")
    func nextBlock() throws {
        var kv = KVCacheManager(blocks: 8, blockSize: 4)
        var (left, right) = (sequence(9), sequence(12))
        #expect(kv.nextBlock(of: sequence(4)) == nil)
        compute(2, of: &left, &kv)
        let (own, other) = (try #require(kv.nextBlock(of: left)), try #require(kv.nextBlock(of: right)))
        #expect(own.key == other.key && own.computed == 2 && other.computed == 0)
        compute(2, of: &left, &kv)
        #expect(kv.nextBlock(of: left)?.key != own.key && kv.nextBlock(of: left)?.computed == 0)
        compute(8, of: &right, &kv)
        #expect(kv.nextBlock(of: right) == nil)
    }

    @Test("What is inconsistent is found")
    func problems() {
        var kv = KVCacheManager(blocks: 4, blockSize: 4)
        var sequence = sequence(5)
        compute(5, of: &sequence, &kv)
        #expect(kv.problem(with: [])?.contains("has 1 references, sessions have 0") == true)
        #expect(kv.problem(with: [sequence, sequence])?.contains("sessions have 2") == true)
    }
}
