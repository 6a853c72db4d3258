/// Byte-pair encoding: joins neighbours in the order of the merges' ranks until nothing is left to join.
///
/// Symbols form a linked list, candidate pairs a heap ordered by rank and then by position, so a piece of n symbols
/// costs O(n log n) whatever is in it.
struct BytePairMerger: Sendable {
    private struct Merge {
        var rank: Int32
        var result: Int32
    }

    private struct Candidate {
        var rank: Int32
        var position: Int32
        var left: Int32
        var right: Int32
    }

    private var merges: [UInt64: Merge] = [:]

    private static func key(_ left: Int32, _ right: Int32) -> UInt64 {
        UInt64(UInt32(bitPattern: left)) << 32 | UInt64(UInt32(bitPattern: right))
    }

    init(capacity: Int) { merges.reserveCapacity(capacity) }

    /// Adds the next merge; of two for the same pair the last counts, as in the reference.
    mutating func add(_ left: Int32, _ right: Int32, result: Int32, rank: Int32) {
        merges[Self.key(left, right)] = Merge(rank: rank, result: result)
    }

    func merge(_ symbols: [Int32]) -> [Int32] {
        guard symbols.count > 1 else { return symbols }
        var symbols = symbols
        let none: Int32 = -1
        var next = (1...symbols.count).map { $0 == symbols.count ? none : Int32($0) }
        var previous = (0..<symbols.count).map { Int32($0) - 1 }
        var heap = Heap()

        func consider(_ position: Int32) {
            let after = next[Int(position)]
            guard position != none, after != none else { return }
            let left = symbols[Int(position)]
            let right = symbols[Int(after)]
            guard let merge = merges[Self.key(left, right)] else { return }
            heap.push(Candidate(rank: merge.rank, position: position, left: left, right: right))
        }

        for position in 0..<(symbols.count - 1) { consider(Int32(position)) }
        while let candidate = heap.pop() {
            let position = Int(candidate.position)
            let after = next[position]
            // A candidate is stale once either side was joined with something else.
            guard after != none, symbols[position] == candidate.left, symbols[Int(after)] == candidate.right,
                let merge = merges[Self.key(candidate.left, candidate.right)]
            else { continue }
            symbols[position] = merge.result
            symbols[Int(after)] = none
            next[position] = next[Int(after)]
            if next[position] != none { previous[Int(next[position])] = candidate.position }
            next[Int(after)] = none
            if previous[position] != none { consider(previous[position]) }
            consider(candidate.position)
        }
        return symbols.filter { $0 != none }
    }

    /// A binary min-heap by rank, then position.
    private struct Heap {
        private var items: [Candidate] = []

        private static func precedes(_ a: Candidate, _ b: Candidate) -> Bool {
            a.rank != b.rank ? a.rank < b.rank : a.position < b.position
        }

        mutating func push(_ item: Candidate) {
            items.append(item)
            var child = items.count - 1
            while child > 0, Self.precedes(items[child], items[(child - 1) / 2]) {
                items.swapAt(child, (child - 1) / 2)
                child = (child - 1) / 2
            }
        }

        mutating func pop() -> Candidate? {
            guard let first = items.first, let last = items.popLast() else { return nil }
            guard !items.isEmpty else { return first }
            items[0] = last
            var parent = 0
            while true {
                var least = parent
                for child in [2 * parent + 1, 2 * parent + 2]
                where child < items.count && Self.precedes(items[child], items[least]) {
                    least = child
                }
                guard least != parent else { return first }
                items.swapAt(parent, least)
                parent = least
            }
        }
    }
}
