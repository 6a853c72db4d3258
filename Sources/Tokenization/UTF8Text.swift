/// Text under way is held as UTF-8: what byte-level vocabularies need, and no `String` comparison can merge
/// characters that a vocabulary tells apart.
extension [UInt8] {
    /// The character that begins at `index`, and the index after it.
    func scalar(at index: Int) -> (value: Unicode.Scalar, end: Int) {
        let lead = self[index]
        if lead < 0x80 { return (Unicode.Scalar(lead), index + 1) }
        let length = lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : 2
        // The bytes come from strings, so this holds; if it did not, nothing worse than U+FFFD would follow.
        guard lead >= 0xC0, index + length <= count else { return ("\u{FFFD}", index + 1) }
        var value = UInt32(lead) & (0x7F >> UInt32(length))
        for offset in 1..<length { value = value << 6 | UInt32(self[index + offset] & 0x3F) }
        return (Unicode.Scalar(value) ?? "\u{FFFD}", index + length)
    }

    /// The character that ends before `index`.
    func scalar(before index: Int) -> (value: Unicode.Scalar, start: Int)? {
        guard index > 0 else { return nil }
        var start = index - 1
        while start > 0, self[start] & 0xC0 == 0x80 { start -= 1 }
        return (scalar(at: start).value, start)
    }

    func hasBytes(_ other: [UInt8], at index: Int) -> Bool {
        guard other.count <= count - index else { return false }
        for offset in other.indices where self[index + offset] != other[offset] { return false }
        return true
    }

    /// With every occurrence of `pattern`, which is not empty, replaced; from left to right.
    func replacing(_ pattern: [UInt8], by replacement: [UInt8]) -> [UInt8] {
        var result: [UInt8] = []
        result.reserveCapacity(count)
        var index = 0
        while index < count {
            if hasBytes(pattern, at: index) {
                result += replacement
                index += pattern.count
            } else {
                result.append(self[index])
                index += 1
            }
        }
        return result
    }
}
