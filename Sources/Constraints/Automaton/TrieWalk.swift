/// The tokens found by walking a trie with a lexeme.
struct TrieWalk: Sendable {
    /// A node behind whose byte the lexeme may end, with nodes below it.
    struct Crossing: Sendable {
        var node: Int32
        /// What is left of the lexeme, which has a tag.
        var lexeme: RegexID
    }

    /// Tokens that stay within the lexeme, or end with it.
    private(set) var tokens: [Int32] = []
    private(set) var crossings: [Crossing] = []
    /// Nodes that were visited.
    private(set) var visits = 0
    /// Rows by depth: the offset of the row of the lexeme that the path down to that depth leads to.
    private var rows: [Int32] = []

    mutating func removeAll() {
        tokens.removeAll(keepingCapacity: true)
        crossings.removeAll(keepingCapacity: true)
        visits = 0
    }

    /// Walks the nodes of a range, which are all below one node at `depth`, or the whole trie at depth 0.
    mutating func run(
        _ trie: VocabularyTrie,
        _ range: Range<Int>,
        depth: Int,
        _ lexeme: RegexID,
        _ automaton: inout Automaton
    ) {
        if rows.count <= trie.depth { rows = [Int32](repeating: 0, count: trie.depth + 1) }
        rows[depth] = Int32(automaton.rows.offset(lexeme, &automaton.pool))
        var index = range.lowerBound
        while index < range.upperBound {
            // The walk pauses where a row is missing, and goes on below when it is made.
            guard let missing = advance(trie, &index, range.upperBound, automaton.rows) else { return }
            let depth = Int(trie.nodes[index].depth)
            rows[depth] = Int32(automaton.rows.offset(missing, &automaton.pool))
            index += 1
        }
    }

    /// - Returns: the lexeme whose row is needed below the node at `index`, or nil at the end.
    private mutating func advance(
        _ trie: VocabularyTrie,
        _ index: inout Int,
        _ end: Int,
        _ store: RowStore
    ) -> RegexID? {
        var place = index
        var visits = 0
        defer {
            index = place
            self.visits += visits
        }
        return trie.nodes.withUnsafeBufferPointer { nodes in
            store.steps.withUnsafeBufferPointer { steps in
                store.offsets.withUnsafeBufferPointer { offsets in
                    rows.withUnsafeMutableBufferPointer { rows in
                        // Depths are at most that of the trie, offsets come from the store, and a row has 256 steps.
                        while place < end {
                            let node = nodes[place]
                            visits += 1
                            let bits = steps[Int(rows[Int(node.depth) - 1]) + Int(node.byte)]
                            if bits == 0 {
                                place = Int(node.end)
                                continue
                            }
                            if node.token >= 0 { tokens.append(node.token) }
                            let hasChildren = Int(node.end) > place + 1
                            if hasChildren, bits & 1 != 0 {
                                crossings.append(Crossing(node: Int32(place), lexeme: bits >> 2))
                            }
                            if bits & 2 != 0 {
                                place = Int(node.end)
                                continue
                            }
                            if hasChildren {
                                let target = Int(bits >> 2)
                                guard target < offsets.count, offsets[target] >= 0 else { return bits >> 2 }
                                rows[Int(node.depth)] = offsets[target]
                            }
                            place += 1
                        }
                        return nil
                    }
                }
            }
        }
    }
}
