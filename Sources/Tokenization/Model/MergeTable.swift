/// The merges of byte-pair encoding: what two neighbouring symbols become, and the rank of that merge.
///
/// Most pairs that are looked up have no merge, which one small array tells: at most two thirds of its slots are taken, and each
/// holds a part of its pair's hash beside the merge's number.
struct MergeTable: Sendable {
    /// As many as a slot can number.
    static let mostMerges = 1 << numberBits - 1
    /// The largest symbol that a merge may be of.
    static let largestSymbol = Int32(1) << symbolBits - 1

    private static let numberBits: UInt32 = 24
    private static let symbolBits: UInt64 = 21
    private static let free = UInt32.max
    /// Different in each process, so that nobody can prepare a file whose pairs all collide.
    private static let multiplier = UInt64.random(in: .min ... .max) | 1

    private var slots: [UInt32]
    /// For each merge, from above, its left symbol, its right one, and what they become.
    private var merges: [UInt64] = []
    /// nil while each merge's rank is its number.
    private var ranks: [UInt32]?
    private let multiplier = Self.multiplier

    var count: Int { merges.count }

    /// - Parameter capacity: how many merges are expected; there may be more.
    init(capacity: Int = 0) {
        slots = [UInt32](repeating: Self.free, count: 16 + capacity + capacity / 2)
        merges.reserveCapacity(capacity)
    }

    /// Adds a merge; of two for the same pair the last counts, as in the reference.
    /// - Returns: whether there was room for it. Its symbols must be no larger than `largestSymbol`.
    mutating func add(_ left: Int32, _ right: Int32, rank: UInt32, result: Int32) -> Bool {
        let pair = Self.pair(left, right)
        let entry = pair << Self.symbolBits | UInt64(UInt32(bitPattern: result))
        let slot = slot(of: pair)
        let isNew = slots[slot] == Self.free
        let merge = isNew ? count : Self.merge(slots[slot])
        if ranks == nil, Int(rank) != merge {
            ranks = (0..<count).map { UInt32(truncatingIfNeeded: $0) }
            ranks?.reserveCapacity(merges.capacity)
        }
        guard isNew else {
            merges[merge] = entry
            ranks?[merge] = rank
            return true
        }
        guard count < Self.mostMerges else { return false }
        slots[slot] = Self.entry(merge, pair &* multiplier)
        merges.append(entry)
        ranks?.append(rank)
        if count * 3 > slots.count * 2 { grow() }
        return true
    }

    /// Takes out the merges that make any of these symbols.
    mutating func removeMerges(into results: Set<Int32>) {
        let mask: UInt64 = 1 << Self.symbolBits - 1
        let kept = merges.indices.filter { !results.contains(Int32(truncatingIfNeeded: merges[$0] & mask)) }
        guard kept.count < count else { return }
        var table = MergeTable(capacity: kept.count)
        for merge in kept {
            // Each was in this table, which had the room for it.
            _ = table.add(
                Int32(truncatingIfNeeded: merges[merge] >> (2 * Self.symbolBits)),
                Int32(truncatingIfNeeded: merges[merge] >> Self.symbolBits & mask),
                rank: ranks?[merge] ?? UInt32(truncatingIfNeeded: merge),
                result: Int32(truncatingIfNeeded: merges[merge] & mask)
            )
        }
        self = table
    }

    /// The merge of two symbols: its rank, above, and what they become; nil if there is none.
    @inline(__always)
    subscript(left: Int32, right: Int32) -> UInt64? {
        let pair = Self.pair(left, right)
        let hash = pair &* multiplier
        var slot = start(hash)
        while slots[slot] != Self.free {
            let merge = Self.merge(slots[slot])
            if Self.entry(merge, hash) == slots[slot], merges[merge] >> Self.symbolBits == pair {
                let rank = if let ranks { ranks[merge] } else { UInt32(truncatingIfNeeded: merge) }
                return UInt64(rank) << 32 | merges[merge] & (1 << Self.symbolBits - 1)
            }
            slot = after(slot)
        }
        return nil
    }

    /// The slot that a pair's merge is in, or the free one it belongs in.
    private func slot(of pair: UInt64) -> Int {
        var slot = start(pair &* multiplier)
        while slots[slot] != Self.free, merges[Self.merge(slots[slot])] >> Self.symbolBits != pair {
            slot = after(slot)
        }
        return slot
    }

    private mutating func grow() {
        slots = [UInt32](repeating: Self.free, count: slots.count * 2)
        for merge in merges.indices {
            let pair = merges[merge] >> Self.symbolBits
            slots[slot(of: pair)] = Self.entry(merge, pair &* multiplier)
        }
    }

    @inline(__always)
    private static func pair(_ left: Int32, _ right: Int32) -> UInt64 {
        UInt64(UInt32(bitPattern: left)) << symbolBits | UInt64(UInt32(bitPattern: right))
    }

    /// The bits of the hash that are remembered are not those that tell where to begin.
    @inline(__always)
    private static func entry(_ merge: Int, _ hash: UInt64) -> UInt32 {
        UInt32(truncatingIfNeeded: hash >> 32) << numberBits | UInt32(truncatingIfNeeded: merge)
    }

    @inline(__always)
    private static func merge(_ entry: UInt32) -> Int { Int(entry & (1 << numberBits - 1)) }

    /// The upper bits of the product with the multiplier are as good as random.
    @inline(__always)
    private func start(_ hash: UInt64) -> Int {
        Int(truncatingIfNeeded: hash.multipliedFullWidth(by: UInt64(slots.count)).high)
    }

    @inline(__always)
    private func after(_ slot: Int) -> Int { slot + 1 < slots.count ? slot + 1 : 0 }
}
