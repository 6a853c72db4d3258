/// Byte-pair encoding: joins neighbours in the order of the merges' ranks until nothing is left to join.
struct BytePairMerger: Sendable {
    /// Arrays that one encoding uses for all its words.
    struct Workspace {
        /// The symbols to merge; afterwards what is left of them.
        var symbols: [Int32] = []
        /// For each symbol, the merge with the next one.
        fileprivate var merges: [UInt64] = []
        fileprivate var next: [Int32] = []
        fileprivate var previous: [Int32] = []
        fileprivate var candidates = CandidateHeap()

        mutating func shrink() { if symbols.capacity > 1 << 16 { self = Workspace() } }
    }

    /// The longest word, in symbols, for which a linear scan finds the next merge.
    private static let longestScanned = 48
    private static let none = UInt64.max

    private var table: MergeTable

    init(capacity: Int) { table = MergeTable(capacity: capacity) }

    /// Adds a merge; of two for the same pair the last counts, as in the reference.
    /// - Returns: whether there was room for it.
    mutating func add(_ left: Int32, _ right: Int32, rank: UInt32, result: Int32) -> Bool {
        table.add(left, right, rank: rank, result: result)
    }

    /// Takes out the merges that make any of these tokens.
    mutating func removeMerges(into results: Set<Int32>) { table.removeMerges(into: results) }

    @inline(__always)
    private func merge(_ left: Int32, _ right: Int32) -> UInt64 { table[left, right] ?? Self.none }

    private static func result(_ merge: UInt64) -> Int32 { Int32(truncatingIfNeeded: merge & 0xFFFF_FFFF) }

    /// Merges the workspace's symbols in place.
    func merge(_ work: inout Workspace) {
        let count = work.symbols.count
        guard count > 1 else { return }
        if count <= Self.longestScanned {
            mergeShort(&work)
        } else if count < Int32.max {
            mergeLong(&work)
        }
    }

    /// Finds each next merge by a linear scan: the lowest rank, and of equal ones the leftmost.
    private func mergeShort(_ work: inout Workspace) {
        work.merges.removeAll(keepingCapacity: true)
        for index in 1..<work.symbols.count {
            work.merges.append(merge(work.symbols[index - 1], work.symbols[index]))
        }
        while true {
            var best = Self.none
            var place = 0
            for index in work.merges.indices where work.merges[index] >> 32 < best >> 32 {
                best = work.merges[index]
                place = index
            }
            guard best != Self.none else { return }
            work.symbols[place] = Self.result(best)
            work.symbols.remove(at: place + 1)
            work.merges.remove(at: place)
            if place > 0 { work.merges[place - 1] = merge(work.symbols[place - 1], work.symbols[place]) }
            if place < work.merges.count {
                work.merges[place] = merge(work.symbols[place], work.symbols[place + 1])
            }
        }
    }

    /// Symbols form a linked list, candidate pairs a heap ordered by rank and then by position, so that n symbols cost
    /// O(n log n) whatever they are.
    private func mergeLong(_ work: inout Workspace) {
        let count = Int32(truncatingIfNeeded: work.symbols.count)
        work.next.removeAll(keepingCapacity: true)
        work.next.append(contentsOf: 1...count)
        work.next[Int(count) - 1] = -1
        work.previous.removeAll(keepingCapacity: true)
        work.previous.append(contentsOf: -1..<(count - 1))
        work.candidates.removeAll()
        for position in 0..<(count - 1) {
            let merge = merge(work.symbols[Int(position)], work.symbols[Int(position) + 1])
            if merge != Self.none { work.candidates.append(merge, position) }
        }
        work.candidates.order()
        while let (rank, position) = work.candidates.pop() {
            // A candidate is stale once either side was joined with something else.
            guard work.symbols[position] >= 0, work.next[position] >= 0 else { continue }
            let merge = merge(work.symbols[position], work.symbols[Int(work.next[position])])
            if merge != Self.none, merge >> 32 == rank { join(&work, at: position, Self.result(merge)) }
        }
        work.symbols.removeAll { $0 < 0 }
    }

    private func join(_ work: inout Workspace, at position: Int, _ result: Int32) {
        let joined = Int(work.next[position])
        work.symbols[position] = result
        work.symbols[joined] = -1
        let after = work.next[joined]
        work.next[position] = after
        if after >= 0 {
            work.previous[Int(after)] = Int32(truncatingIfNeeded: position)
            let merge = merge(result, work.symbols[Int(after)])
            if merge != Self.none { work.candidates.push(merge, Int32(truncatingIfNeeded: position)) }
        }
        let before = work.previous[position]
        if before >= 0 {
            let merge = merge(work.symbols[Int(before)], result)
            if merge != Self.none { work.candidates.push(merge, before) }
        }
    }
}

/// A binary min-heap of merges and their positions, the lowest rank first, then the leftmost.
struct CandidateHeap {
    /// Rank above, position below, so that one comparison orders them.
    private var items: [UInt64] = []

    mutating func removeAll() { items.removeAll(keepingCapacity: true) }

    private static func item(_ merge: UInt64, _ position: Int32) -> UInt64 {
        merge & 0xFFFF_FFFF_0000_0000 | UInt64(UInt32(bitPattern: position))
    }

    /// Adds without keeping the order; `order` restores it.
    mutating func append(_ merge: UInt64, _ position: Int32) { items.append(Self.item(merge, position)) }

    mutating func order() {
        for parent in stride(from: items.count / 2 - 1, through: 0, by: -1) { sink(parent) }
    }

    mutating func push(_ merge: UInt64, _ position: Int32) {
        append(merge, position)
        var child = items.count - 1
        let item = items[child]
        while child > 0, item < items[(child - 1) / 2] {
            items[child] = items[(child - 1) / 2]
            child = (child - 1) / 2
        }
        items[child] = item
    }

    mutating func pop() -> (rank: UInt64, position: Int)? {
        guard let first = items.first, let last = items.popLast() else { return nil }
        if !items.isEmpty {
            items[0] = last
            sink(0)
        }
        return (first >> 32, Int(first & 0xFFFF_FFFF))
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
