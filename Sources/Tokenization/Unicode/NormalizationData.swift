/// The decompositions, compositions and combining classes of the reference's version of Unicode.
struct NormalizationData: Sendable {
    static let shared = NormalizationData()

    private var parts: [UInt32] = []
    /// For each character, where its decomposition is in `parts`: the place, and the length below.
    private var canonical = PairTable(capacity: 2100)
    private var compatible = PairTable(capacity: 3700)
    private var pairs = PairTable(capacity: 1000)
    private var orders = PairTable(capacity: 1000)
    /// The characters that have a decomposition, but for Hangul.
    private(set) var canonicalKeys: [UInt32] = []
    /// Those that have one of their own when compatible characters are the same.
    private(set) var compatibleKeys: [UInt32] = []
    /// The characters of a combining class other than 0.
    private(set) var marks: [Range<UInt32>] = []
    /// What compositions give, but for Hangul.
    private(set) var composites: [UInt32] = []
    /// The second characters of the pairs that compose, but for Hangul.
    private(set) var seconds: [UInt32] = []

    private init() {
        read(CanonicalTable.decompositions) { data, key, parts in
            data.canonical.insert(data.add(parts), for: UInt64(key))
            data.canonicalKeys.append(key)
        }
        read(CompatibilityTable.decompositions) { data, key, parts in
            data.compatible.insert(data.add(parts), for: UInt64(key))
            data.compatibleKeys.append(key)
        }
        read(CanonicalTable.compositions) { data, key, pair in
            guard pair.count == 2 else { return }
            data.pairs.insert(UInt64(key), for: UInt64(pair[0]) << 32 | UInt64(pair[1]))
            data.composites.append(key)
            data.seconds.append(pair[1])
        }
        var reader = TableReader(CanonicalTable.combiningClasses)
        var end: UInt32 = 0
        while reader.hasMore(), case let numbers = reader.numbers(), numbers.count == 3 {
            let run = (end + numbers[0])..<(end + numbers[0] + numbers[1])
            for scalar in run { orders.insert(UInt64(numbers[2]), for: UInt64(scalar)) }
            marks.append(run)
            end = run.upperBound
        }
    }

    /// Reads a table of `gap:numbers`.
    private mutating func read(_ table: String, _ body: (inout NormalizationData, UInt32, [UInt32]) -> Void) {
        var reader = TableReader(table)
        var key: UInt32 = 0
        while reader.hasMore() {
            key += reader.number() ?? 1
            guard reader.take(":") else { return }
            body(&self, key, reader.numbers())
        }
    }

    private mutating func add(_ scalars: [UInt32]) -> UInt64 {
        defer { parts += scalars }
        return UInt64(parts.count) << 8 | UInt64(scalars.count)
    }

    /// The full decomposition of a character, nil if it has none; Hangul apart.
    func decomposition(_ scalar: UInt32, isCompatible: Bool) -> ArraySlice<UInt32>? {
        let place = (isCompatible ? compatible[UInt64(scalar)] : nil) ?? canonical[UInt64(scalar)]
        guard let place else { return nil }
        let start = Int(place >> 8)
        return parts[start..<start + Int(place & 255)]
    }

    /// What two characters compose to; Hangul apart.
    func composition(_ first: UInt32, _ second: UInt32) -> UInt32? {
        pairs[UInt64(first) << 32 | UInt64(second)].map { UInt32(truncatingIfNeeded: $0) }
    }

    /// The canonical combining class.
    func order(_ scalar: UInt32) -> UInt8 {
        scalar < 0x300 ? 0 : UInt8(truncatingIfNeeded: orders[UInt64(scalar)] ?? 0)
    }
}

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
