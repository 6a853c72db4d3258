/// Text under way is held as UTF-8: what byte-level vocabularies need, and no `String` comparison can merge
/// characters that a vocabulary tells apart.
extension [UInt8] {
    /// The character that begins at `index`, and the index after it.
    @inline(__always)
    func scalar(at index: Int) -> (value: UInt32, end: Int) {
        let lead = self[index]
        return lead < 0x80 ? (UInt32(lead), index + 1) : longScalar(at: index)
    }

    private func longScalar(at index: Int) -> (value: UInt32, end: Int) {
        let lead = self[index]
        let length = lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : 2
        // The bytes come from strings, so this holds; if it did not, nothing worse than U+FFFD would follow.
        guard lead >= 0xC0, index + length <= count else { return (0xFFFD, index + 1) }
        var value = UInt32(lead) & (0x7F >> UInt32(length))
        for offset in 1..<length { value = value << 6 | UInt32(self[index + offset] & 0x3F) }
        return (value < 0x110000 ? value : 0xFFFD, index + length)
    }

    /// The character that ends before `index`.
    func scalar(before index: Int) -> (value: UInt32, start: Int)? {
        guard index > 0 else { return nil }
        var start = index - 1
        while start > 0, self[start] & 0xC0 == 0x80 { start -= 1 }
        return (scalar(at: start).value, start)
    }

    /// The end of the character at `index`, if it is in a set.
    @inline(__always)
    func end(of set: ScalarSet, at index: Int, before limit: Int) -> Int? {
        let (scalar, end) = scalar(at: index)
        return set.contains(scalar) ? Swift.min(end, limit) : nil
    }

    /// The end of all the characters of a set that stand together at `index`.
    func end(ofRun set: ScalarSet, at index: Int, before limit: Int) -> Int {
        var index = index
        while index < limit, let end = end(of: set, at: index, before: limit) { index = end }
        return index
    }

    mutating func append(scalar: UInt32) {
        switch scalar {
        case ..<0x80: append(UInt8(truncatingIfNeeded: scalar))
        case ..<0x800:
            append(0xC0 | UInt8(truncatingIfNeeded: scalar >> 6))
            append(0x80 | UInt8(truncatingIfNeeded: scalar & 0x3F))
        case ..<0x10000:
            append(0xE0 | UInt8(truncatingIfNeeded: scalar >> 12))
            append(0x80 | UInt8(truncatingIfNeeded: scalar >> 6 & 0x3F))
            append(0x80 | UInt8(truncatingIfNeeded: scalar & 0x3F))
        default:
            append(0xF0 | UInt8(truncatingIfNeeded: scalar >> 18))
            append(0x80 | UInt8(truncatingIfNeeded: scalar >> 12 & 0x3F))
            append(0x80 | UInt8(truncatingIfNeeded: scalar >> 6 & 0x3F))
            append(0x80 | UInt8(truncatingIfNeeded: scalar & 0x3F))
        }
    }

    func hasBytes(_ other: [UInt8], at index: Int) -> Bool {
        guard other.count <= count - index else { return false }
        for offset in other.indices where self[index + offset] != other[offset] { return false }
        return true
    }

    /// Whether these bytes are UTF-8: whole characters, none written longer than need be, no surrogates.
    var isUTF8: Bool {
        var index = 0
        while index < count {
            let lead = self[index]
            let length = lead < 0x80 ? 1 : lead < 0xC2 ? 0 : lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : lead < 0xF5 ? 4 : 0
            guard length > 0, index + length <= count else { return false }
            for offset in 1..<Swift.max(length, 1) where self[index + offset] & 0xC0 != 0x80 { return false }
            if length > 2 {
                let start = UInt16(lead) << 8 | UInt16(self[index + 1])
                guard !(0xE000..<0xE0A0).contains(start), !(0xEDA0..<0xEE00).contains(start),
                    !(0xF000..<0xF090).contains(start), start < 0xF490
                else { return false }
            }
            index += length
        }
        return true
    }
}
