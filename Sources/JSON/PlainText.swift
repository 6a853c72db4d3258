/// Bytes of a string that stand for themselves.
extension [UInt8] {
    private static let ones: UInt64 = 0x0101_0101_0101_0101
    private static let highBits: UInt64 = 0x8080_8080_8080_8080

    /// Finds the first quote, backslash or control character, eight bytes at a time.
    /// - Returns: its index, or `limit` if there is none before it; and whether all bytes up to it are ASCII.
    @inline(__always)
    func endOfPlainText(from start: Int, before limit: Int) -> (end: Int, isASCII: Bool) {
        let bytes = span.bytes
        var index = start
        var bits: UInt64 = 0
        while index + 8 <= limit {
            let word = UInt64(littleEndian: bytes.unsafeLoadUnaligned(fromByteOffset: index, as: UInt64.self))
            let marks =
                Self.zeros(word ^ (Self.ones &* 0x22)) | Self.zeros(word ^ (Self.ones &* 0x5C))
                | (word &- Self.ones &* 0x20) & ~word & Self.highBits
            guard marks == 0 else {
                // Of the marked bytes the lowest is certain: a borrow reaches only those above it.
                let place = marks.trailingZeroBitCount & ~7
                bits |= word & ((1 << UInt64(place)) - 1)
                return (index + place / 8, bits & Self.highBits == 0)
            }
            bits |= word
            index += 8
        }
        while index < limit, self[index] >= 0x20, self[index] != UInt8(ascii: "\""), self[index] != UInt8(ascii: "\\") {
            bits |= UInt64(self[index])
            index += 1
        }
        return (index, bits & Self.highBits == 0)
    }

    /// The high bit of each byte that is zero; those above the lowest may be marked too.
    @inline(__always)
    private static func zeros(_ word: UInt64) -> UInt64 { (word &- ones) & ~word & highBits }

    /// Whether bytes are UTF-8: whole characters, none written longer than need be, no surrogates.
    func isUTF8(_ range: Range<Int>) -> Bool {
        var index = range.lowerBound
        while index < range.upperBound {
            let lead = self[index]
            if lead < 0x80 {
                index = endOfASCII(from: index + 1, before: range.upperBound)
                continue
            }
            let length = lead < 0xC2 ? 0 : lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : lead < 0xF5 ? 4 : 0
            guard length > 0, index + length <= range.upperBound else { return false }
            let second = self[index + 1]
            let allowed: ClosedRange<UInt8> =
                switch lead {
                case 0xE0: 0xA0...0xBF
                case 0xED: 0x80...0x9F
                case 0xF0: 0x90...0xBF
                case 0xF4: 0x80...0x8F
                default: 0x80...0xBF
                }
            guard allowed.contains(second) else { return false }
            for place in index + 2..<Swift.max(index + 2, index + length) where self[place] & 0xC0 != 0x80 {
                return false
            }
            index += length
        }
        return true
    }

    /// Where the last whole eight bytes of ASCII end, at `start` or later.
    private func endOfASCII(from start: Int, before limit: Int) -> Int {
        let bytes = span.bytes
        var index = start
        while index + 8 <= limit,
            bytes.unsafeLoadUnaligned(fromByteOffset: index, as: UInt64.self) & Self.highBits == 0
        {
            index += 8
        }
        return index
    }
}
