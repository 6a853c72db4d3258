import EngineContract

/// Finds computed blocks by the tokens in them and before them.
///
/// A full block's key is a hash chained over its parent's key and its own tokens (as in vLLM's automatic prefix
/// caching). The hash is keyed anew in each process, so nobody can construct collisions; the block's own tokens are
/// compared besides.
struct PrefixCache {
    typealias Key = Int

    private struct Entry {
        var block: BlockIndex
        var parent: Key
        var tokens: [Token]
    }

    /// The key before the first block.
    static let root: Key = 0

    private var entries: [Key: Entry] = [:]
    private var keys: [BlockIndex: Key] = [:]

    static func key(after parent: Key, _ tokens: ArraySlice<Token>) -> Key {
        var hasher = Hasher()
        hasher.combine(parent)
        tokens.withUnsafeBytes { hasher.combine(bytes: $0) }
        return hasher.finalize()
    }

    /// The block that holds these tokens behind those of its parent.
    func block(_ key: Key, after parent: Key, _ tokens: ArraySlice<Token>) -> BlockIndex? {
        guard let entry = entries[key], entry.parent == parent, entry.tokens[...] == tokens else { return nil }
        return entry.block
    }

    /// Registers a computed block; another block with the same contents stays the one that is found.
    mutating func insert(_ block: BlockIndex, _ key: Key, after parent: Key, _ tokens: ArraySlice<Token>) {
        guard entries[key] == nil else { return }
        entries[key] = Entry(block: block, parent: parent, tokens: Array(tokens))
        keys[block] = key
    }

    func contains(_ block: BlockIndex) -> Bool { keys[block] != nil }

    /// Forgets a block, whose memory is used for other tokens from now on.
    mutating func remove(_ block: BlockIndex) {
        guard let key = keys.removeValue(forKey: block) else { return }
        entries[key] = nil
    }

    /// The blocks from the beginning of a text to the end of this one; nil if one of them has been evicted.
    func chain(to block: BlockIndex) -> [BlockIndex]? {
        guard var key = keys[block] else { return nil }
        var chain: [BlockIndex] = []
        while key != Self.root {
            guard let entry = entries[key] else { return nil }
            chain.append(entry.block)
            key = entry.parent
        }
        return chain.reversed()
    }

    /// What a store knows a block by; nil if a block before it has been evicted.
    /// - Parameter names: of the blocks found so far, by key; saves naming a shared prefix again.
    func description(
        of block: BlockIndex,
        in store: any BlockStore,
        names: inout [Key: String]
    ) -> StoredBlock? {
        guard let key = keys[block], let entry = entries[key] else { return nil }
        var unnamed: [(key: Key, entry: Entry)] = []
        var next = entry.parent
        while next != Self.root, names[next] == nil {
            guard let parent = entries[next] else { return nil }
            unnamed.append((next, parent))
            next = parent.parent
        }
        for (key, entry) in unnamed.reversed() {
            names[key] = store.name(after: names[entry.parent], entry.tokens[...])
        }
        let parent = names[entry.parent]
        return StoredBlock(
            name: store.name(after: parent, entry.tokens[...]),
            parent: parent,
            tokens: entry.tokens
        )
    }

    /// The blocks that can be found, or nil if the two tables differ.
    var blocks: Set<BlockIndex>? {
        let found = Set(entries.values.map(\.block))
        return found == Set(keys.keys) && keys.allSatisfy { entries[$1]?.block == $0 } ? found : nil
    }
}
