/// Hangul's syllables, which are taken apart and put together by arithmetic (Unicode, section 3.12).
enum Hangul {
    static let syllables: Range<UInt32> = 0xAC00..<0xD7A4
    private static let leads: Range<UInt32> = 0x1100..<0x1113
    static let vowels: Range<UInt32> = 0x1161..<0x1176
    /// With one before the first, which stands for no final consonant.
    static let tails: Range<UInt32> = 0x11A7..<0x11C3

    static func decomposed(_ syllable: UInt32) -> [UInt32] {
        let index = syllable - syllables.lowerBound
        let tail = index % 28
        let parts = [leads.lowerBound + index / 588, vowels.lowerBound + index % 588 / 28]
        return tail == 0 ? parts : parts + [tails.lowerBound + tail]
    }

    static func composed(_ first: UInt32, _ second: UInt32) -> UInt32? {
        if leads.contains(first), vowels.contains(second) {
            return syllables.lowerBound + ((first - leads.lowerBound) * 21 + second - vowels.lowerBound) * 28
        }
        guard syllables.contains(first), (first - syllables.lowerBound) % 28 == 0, tails.contains(second),
            second > tails.lowerBound
        else { return nil }
        return first + second - tails.lowerBound
    }
}
