package import EngineContract

/// Finds computed blocks by the tokens in them and before them.
///
/// A full block's key is a hash chained over its parent's key and its own tokens (as in vLLM's automatic prefix
/// caching). The hash is keyed anew in each process, so nobody can construct collisions; the block's own tokens are
/// compared besides.
package struct PrefixCache: Sendable {
    package typealias Key = Int

    private struct Entry {
        var block: BlockIndex
        var parent: Key
        var tokens: [Token]
    }

    /// The key before the first block.
    package static let root: Key = 0

    package let blockSize: Int
    private var entries: [Key: Entry] = [:]
    private var keys: [BlockIndex: Key] = [:]

    package init(blockSize: Int) { self.blockSize = max(1, blockSize) }

    package func key(after parent: Key, _ tokens: some Sequence<Token>) -> Key {
        var hasher = Hasher()
        hasher.combine(parent)
        for token in tokens { hasher.combine(token) }
        return hasher.finalize()
    }

    /// The longest chain of cached blocks that the tokens begin with, at least one token being left to compute.
    package func match(_ tokens: [Token]) -> (blocks: [BlockIndex], lastKey: Key) {
        var blocks: [BlockIndex] = []
        var parent = Self.root
        while (blocks.count + 1) * blockSize < tokens.count {
            let own = tokens[(blocks.count * blockSize)..<((blocks.count + 1) * blockSize)]
            let key = key(after: parent, own)
            guard let entry = entries[key], entry.parent == parent, entry.tokens.elementsEqual(own) else { break }
            blocks.append(entry.block)
            parent = key
        }
        return (blocks, parent)
    }

    /// Registers a computed block; another block with the same contents stays the one that is found.
    /// - Returns: the block's key, the parent of the next.
    package mutating func insert(_ block: BlockIndex, after parent: Key, _ tokens: ArraySlice<Token>) -> Key {
        let key = key(after: parent, tokens)
        if entries[key] == nil {
            entries[key] = Entry(block: block, parent: parent, tokens: Array(tokens))
            keys[block] = key
        }
        return key
    }

    package func contains(_ block: BlockIndex) -> Bool { keys[block] != nil }

    /// Forgets a block whose memory is given to somebody else.
    package mutating func remove(_ block: BlockIndex) {
        guard let key = keys.removeValue(forKey: block) else { return }
        entries[key] = nil
    }

    package var count: Int { entries.count }
}
