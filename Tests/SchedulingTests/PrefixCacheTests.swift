import EngineContract
import Testing

@testable import Scheduling

@Suite struct PrefixCacheTests {
    private let root = PrefixCache.root

    @Test("A block is found by its tokens and those before it, and by nothing else")
    func lookup() {
        var cache = PrefixCache()
        let tokens: [Token] = [1, 2, 3]
        let first = PrefixCache.key(after: root, tokens[...])
        let second = PrefixCache.key(after: first, tokens[...])
        #expect(first != second)
        #expect(cache.block(first, after: root, tokens[...]) == nil)
        cache.insert(7, first, after: root, tokens[...])
        cache.insert(8, second, after: first, tokens[...])
        #expect(cache.block(first, after: root, tokens[...]) == 7)
        #expect(cache.block(second, after: first, tokens[...]) == 8)
        // Where two hashes are equal, what was hashed decides.
        #expect(cache.block(first, after: root, [1, 2, 4]) == nil)
        #expect(cache.block(first, after: second, tokens[...]) == nil)
        // A slice's indices do not matter.
        #expect(cache.block(first, after: root, [0, 1, 2, 3].dropFirst()) == 7)
        #expect(PrefixCache.key(after: root, [0, 1, 2, 3].dropFirst()) == first)
        #expect(cache.blocks == [7, 8])
    }

    @Test("Of two blocks with the same contents the first is found, and the second is not cached")
    func duplicates() {
        var cache = PrefixCache()
        let key = PrefixCache.key(after: root, [1, 2])
        cache.insert(3, key, after: root, [1, 2])
        cache.insert(4, key, after: root, [1, 2])
        #expect(cache.block(key, after: root, [1, 2]) == 3 && cache.contains(3) && !cache.contains(4))
        cache.remove(4)
        #expect(cache.contains(3))
        cache.remove(3)
        #expect(cache.block(key, after: root, [1, 2]) == nil && !cache.contains(3) && cache.blocks == [])
        cache.insert(4, key, after: root, [1, 2])
        #expect(cache.block(key, after: root, [1, 2]) == 4)
    }

    @Test("A store knows a block by the chain of names before it, as long as that chain is cached")
    func descriptions() {
        var cache = PrefixCache()
        let store = MemoryStore()
        var key = root
        for block in 0..<3 as Range<BlockIndex> {
            let next = PrefixCache.key(after: key, [block, 5])
            cache.insert(block, next, after: key, [block, 5])
            key = next
        }
        var names: [PrefixCache.Key: String] = [:]
        #expect(
            cache.description(of: 2, in: store, names: &names)
                == StoredBlock(name: "0,5|1,5|2,5", parent: "0,5|1,5", tokens: [2, 5])
        )
        #expect(Set(names.values) == ["0,5", "0,5|1,5"])
        #expect(
            cache.description(of: 0, in: store, names: &names)
                == StoredBlock(name: "0,5", parent: nil, tokens: [0, 5])
        )
        #expect(cache.description(of: 9, in: store, names: &names) == nil)
        cache.remove(0)
        names = [:]
        #expect(cache.description(of: 2, in: store, names: &names) == nil)
        #expect(cache.description(of: 1, in: store, names: &names) == nil)
    }
}
