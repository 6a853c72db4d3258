/// A table from one number to another, for the places where every character or every pair of symbols is looked up.
///
/// Open addressing in one array, the key beside its value, at most half full: a look-up is one multiplication and
/// mostly one cache line.
struct PairTable: Sendable {
    /// No key: the pairs and characters that are keys are smaller.
    private static let free = UInt64.max

    /// Different in each process, so that nobody can prepare a file whose keys all collide.
    private static let multiplier = UInt64.random(in: .min ... .max) | 1

    /// Keys at the even places, values at the odd ones.
    private var slots: [UInt64]
    private let multiplier = Self.multiplier
    private(set) var count = 0

    /// - Parameter capacity: how many keys are expected; there may be more.
    init(capacity: Int = 0) {
        slots = [UInt64](repeating: Self.free, count: 4 * max(8, capacity + 1))
    }

    /// The upper bits of the product with the multiplier are as good as random, and so is where they fall among the slots.
    @inline(__always)
    private func start(_ key: UInt64) -> Int {
        Int(truncatingIfNeeded: (key &* multiplier).multipliedFullWidth(by: UInt64(slots.count / 2)).high) << 1
    }

    @inline(__always)
    private func after(_ index: Int) -> Int { index + 2 < slots.count ? index + 2 : 0 }

    @inline(__always)
    subscript(key: UInt64) -> UInt64? {
        var index = start(key)
        while true {
            let found = slots[index]
            if found == key { return slots[index + 1] }
            if found == Self.free { return nil }
            index = after(index)
        }
    }

    /// Sets the value of a key; of two for the same key the last counts.
    mutating func insert(_ value: UInt64, for key: UInt64) {
        guard key != Self.free else { return }
        if (count + 1) * 4 > slots.count { grow() }
        var index = start(key)
        while slots[index] != key, slots[index] != Self.free { index = after(index) }
        if slots[index] == Self.free { count += 1 }
        slots[index] = key
        slots[index + 1] = value
    }

    private mutating func grow() {
        var larger = PairTable(capacity: slots.count / 2)
        for index in stride(from: 0, to: slots.count, by: 2) where slots[index] != Self.free {
            larger.insert(slots[index + 1], for: slots[index])
        }
        self = larger
    }
}
