/// Byte-pair encoding: joins neighbours in the order of the merges' ranks until nothing is left to join.
///
/// Symbols form a linked list, candidate pairs a heap ordered by rank and then by position, so a piece of n symbols
/// costs O(n log n) whatever is in it.
struct BytePairMerger: Sendable {
    private struct Merge {
        var rank: UInt32
        var result: Int32
    }

    /// Arrays that one encoding uses for all its pieces.
    struct Workspace {
        /// The symbols to merge; afterwards what is left of them.
        var symbols: [Int32] = []
        fileprivate var next: [Int] = []
        fileprivate var previous: [Int] = []
        fileprivate var candidates = CandidateHeap()
    }

    private var merges: [UInt64: Merge] = [:]
    private var results: [Int32] = []

    private static func key(_ left: Int32, _ right: Int32) -> UInt64 {
        UInt64(UInt32(bitPattern: left)) << 32 | UInt64(UInt32(bitPattern: right))
    }

    init(capacity: Int) {
        merges.reserveCapacity(capacity)
        results.reserveCapacity(capacity)
    }

    /// Adds the next merge; of two for the same pair the last counts, as in the reference.
    mutating func add(_ left: Int32, _ right: Int32, result: Int32) {
        merges[Self.key(left, right)] = Merge(rank: UInt32(truncatingIfNeeded: results.count), result: result)
        results.append(result)
    }

    private func merge(_ work: borrowing Workspace, at position: Int) -> Merge? {
        let after = work.next[position]
        return after < 0 ? nil : merges[Self.key(work.symbols[position], work.symbols[after])]
    }

    /// Merges the workspace's symbols in place.
    func merge(_ work: inout Workspace) {
        let count = work.symbols.count
        // Positions share a number with ranks; a text that long is left in single symbols.
        guard count > 1, count < UInt32.max else { return }
        work.next.removeAll(keepingCapacity: true)
        work.next.append(contentsOf: 1...count)
        work.next[count - 1] = -1
        work.previous.removeAll(keepingCapacity: true)
        work.previous.append(contentsOf: -1..<(count - 1))
        work.candidates.removeAll()
        for position in 0..<(count - 1) {
            if let merge = merge(work, at: position) { work.candidates.append(rank: merge.rank, position: position) }
        }
        work.candidates.order()
        while let (rank, position) = work.candidates.pop() {
            // A candidate is stale once either side was joined with something else.
            guard work.symbols[position] >= 0, let merge = merge(work, at: position), merge.result == results[rank]
            else { continue }
            join(&work, at: position, result: merge.result)
        }
        work.symbols.removeAll { $0 < 0 }
    }

    private func join(_ work: inout Workspace, at position: Int, result: Int32) {
        let joined = work.next[position]
        work.symbols[position] = result
        work.symbols[joined] = -1
        let after = work.next[joined]
        work.next[position] = after
        if after >= 0 { work.previous[after] = position }
        let before = work.previous[position]
        if before >= 0, let merge = merge(work, at: before) {
            work.candidates.push(rank: merge.rank, position: before)
        }
        if let merge = merge(work, at: position) { work.candidates.push(rank: merge.rank, position: position) }
    }
}

/// A binary min-heap of pairs, the lowest rank first, then the leftmost.
struct CandidateHeap {
    /// Rank above, position below, so that one comparison orders them.
    private var items: [UInt64] = []

    mutating func removeAll() { items.removeAll(keepingCapacity: true) }

    /// Adds without keeping the order; `order` restores it.
    mutating func append(rank: UInt32, position: Int) {
        items.append(UInt64(rank) << 32 | UInt64(UInt32(truncatingIfNeeded: position)))
    }

    mutating func order() {
        for parent in stride(from: items.count / 2 - 1, through: 0, by: -1) { sink(parent) }
    }

    mutating func push(rank: UInt32, position: Int) {
        append(rank: rank, position: position)
        var child = items.count - 1
        let item = items[child]
        while child > 0, item < items[(child - 1) / 2] {
            items[child] = items[(child - 1) / 2]
            child = (child - 1) / 2
        }
        items[child] = item
    }

    mutating func pop() -> (rank: Int, position: Int)? {
        guard let first = items.first, let last = items.popLast() else { return nil }
        if !items.isEmpty {
            items[0] = last
            sink(0)
        }
        return (Int(first >> 32), Int(first & 0xFFFF_FFFF))
    }

    private mutating func sink(_ start: Int) {
        var parent = start
        let item = items[parent]
        let count = items.count
        while 2 * parent + 1 < count {
            var child = 2 * parent + 1
            if child + 1 < count, items[child + 1] < items[child] { child += 1 }
            guard items[child] < item else { break }
            items[parent] = items[child]
            parent = child
        }
        items[parent] = item
    }
}
