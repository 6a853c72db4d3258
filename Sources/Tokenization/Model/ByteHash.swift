/// A hash of bytes, seeded anew in each process, so that no text or file can be made whose words all fall together.
enum ByteHash {
    private static let seed = UInt64.random(in: .min ... .max)

    /// FNV-1a with another seed, its high bits mixed down.
    @inline(__always)
    static func hash(_ text: [UInt8], _ range: Range<Int>, seed: UInt64 = Self.seed) -> UInt64 {
        var hash = seed
        for index in range { hash = (hash ^ UInt64(text[index])) &* 0x100_0000_01B3 }
        hash ^= hash >> 32
        return hash &* 0x9E37_79B9_7F4A_7C15
    }
}
