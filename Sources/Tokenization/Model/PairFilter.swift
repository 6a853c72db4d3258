/// The pairs of neighbouring characters in some texts, as a Bloom filter with one hash.
///
/// For pairs of ASCII characters the answer is exact. For others about one in sixteen that was never added is found too, at
/// two bytes for each expected pair, so a false positive must cost only time.
struct PairFilter: Sendable {
    /// One bit for each pair of ASCII.
    private var ascii = [UInt64](repeating: 0, count: 256)
    /// One bit for each hash.
    private var others: [UInt64]
    private static let multiplier = UInt64.random(in: .min ... .max) | 1

    /// - Parameter capacity: how many pairs are expected.
    init(capacity: Int = 0) { others = [UInt64](repeating: 0, count: 16 + capacity / 4) }

    /// Adds the pairs within a text.
    mutating func insert(_ text: [UInt8]) {
        guard !text.isEmpty else { return }
        var (last, index) = text.scalar(at: 0)
        while index < text.count {
            let (scalar, end) = text.scalar(at: index)
            if last < 0x80, scalar < 0x80 {
                ascii[Int(last << 7 | scalar) >> 6] |= 1 << UInt64(scalar & 63)
            } else {
                let bit = bit(last, scalar)
                others[bit >> 6] |= 1 << UInt64(bit & 63)
            }
            last = scalar
            index = end
        }
    }

    @inline(__always)
    func contains(_ first: UInt32, _ second: UInt32) -> Bool {
        if first < 0x80, second < 0x80 {
            return ascii[Int(truncatingIfNeeded: first << 7 | second) >> 6] >> UInt64(second & 63) & 1 == 1
        }
        let bit = bit(first, second)
        return others[bit >> 6] >> UInt64(bit & 63) & 1 == 1
    }

    @inline(__always)
    private func bit(_ first: UInt32, _ second: UInt32) -> Int {
        let hash = (UInt64(first) << 32 | UInt64(second)) &* Self.multiplier
        return Int(truncatingIfNeeded: hash.multipliedFullWidth(by: UInt64(others.count) << 6).high)
    }
}
