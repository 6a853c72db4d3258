/// The pairs of characters that stand side by side within some texts.
struct JointSet: Sendable {
    /// One bit for each pair of ASCII.
    private var ascii = [UInt64](repeating: 0, count: 256)
    private var others = PairTable()

    /// Adds the pairs within a text.
    mutating func insert(_ text: [UInt8]) {
        guard !text.isEmpty else { return }
        var (last, index) = text.scalar(at: 0)
        while index < text.count {
            let (scalar, end) = text.scalar(at: index)
            if last < 0x80, scalar < 0x80 {
                ascii[Int(last << 7 | scalar) >> 6] |= 1 << UInt64(scalar & 63)
            } else {
                others.insert(1, for: UInt64(last) << 32 | UInt64(scalar))
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
        return others[UInt64(first) << 32 | UInt64(second)] != nil
    }
}
