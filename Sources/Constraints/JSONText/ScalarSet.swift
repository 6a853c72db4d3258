/// A set of Unicode scalars, as ranges in order that do not touch.
struct ScalarSet: Hashable, Sendable {
    private(set) var ranges: [ClosedRange<UInt32>]

    static let all = ScalarSet([0...0xD7FF, 0xE000...0x10FFFF])
    static let none = ScalarSet([])

    init(_ ranges: [ClosedRange<UInt32>]) {
        self.ranges = []
        for range in ranges.sorted(by: { $0.lowerBound < $1.lowerBound }) {
            if let last = self.ranges.last, UInt64(range.lowerBound) <= UInt64(last.upperBound) + 1 {
                self.ranges[self.ranges.count - 1] = last.lowerBound...max(last.upperBound, range.upperBound)
            } else {
                self.ranges.append(range)
            }
        }
    }

    init(_ scalar: UInt32) { ranges = [scalar...scalar] }

    init(ascii characters: String) { self.init(characters.unicodeScalars.map { $0.value...$0.value }) }

    var isEmpty: Bool { ranges.isEmpty }

    func contains(_ scalar: UInt32) -> Bool { ranges.contains { $0.contains(scalar) } }

    func union(_ other: ScalarSet) -> ScalarSet { ScalarSet(ranges + other.ranges) }

    /// All scalars that are not in the set; no surrogates.
    var complement: ScalarSet {
        var result: [ClosedRange<UInt32>] = []
        var next: UInt32 = 0
        for range in ScalarSet(ranges + [0xD800...0xDFFF]).ranges {
            if range.lowerBound > next { result.append(next...(range.lowerBound - 1)) }
            next = range.upperBound + 1
        }
        if next <= 0x10FFFF { result.append(next...0x10FFFF) }
        return ScalarSet(result)
    }

    func subtracting(_ other: ScalarSet) -> ScalarSet { complement.union(other).complement }
    func intersection(_ other: ScalarSet) -> ScalarSet { complement.union(other.complement).complement }
}

extension RegexPool {
    /// The UTF-8 of any scalar of a set.
    mutating func utf8(_ set: ScalarSet) -> RegexID {
        var parts: [RegexID] = []
        for range in set.ranges {
            for (low, high, length) in [(0, 0x7F, 1), (0x80, 0x7FF, 2), (0x800, 0xFFFF, 3), (0x10000, 0x10FFFF, 4)]
                as [(UInt32, UInt32, Int)]
            {
                let (first, last) = (max(low, range.lowerBound), min(high, range.upperBound))
                if first <= last { parts.append(utf8(first, last, length)) }
            }
        }
        return union(parts)
    }

    /// The UTF-8 of the scalars from `first` to `last`, all of which take `length` bytes.
    private mutating func utf8(_ first: UInt32, _ last: UInt32, _ length: Int) -> RegexID {
        let (low, high) = (Self.encoding(first, length), Self.encoding(last, length))
        return byteRange(low[...], high[...])
    }

    /// The texts of equal length from `low` to `high` in which every byte but the first is from 80 to BF.
    private mutating func byteRange(_ low: ArraySlice<UInt8>, _ high: ArraySlice<UInt8>) -> RegexID {
        guard let (lowHead, highHead) = low.first.flatMap({ head in high.first.map { (head, $0) } }) else {
            return Self.empty
        }
        let (lowTail, highTail) = (low.dropFirst(), high.dropFirst())
        if lowHead == highHead {
            return pair(byte(lowHead), byteRange(lowTail, highTail))
        }
        let least = [UInt8](repeating: 0x80, count: lowTail.count)
        let most = [UInt8](repeating: 0xBF, count: lowTail.count)
        var parts: [RegexID] = []
        var (first, last) = (lowHead, highHead)
        if !lowTail.elementsEqual(least) {
            parts.append(pair(byte(lowHead), byteRange(lowTail, most[...])))
            first += 1
        }
        if !highTail.elementsEqual(most) {
            parts.append(pair(byte(highHead), byteRange(least[...], highTail)))
            last -= 1
        }
        if first <= last { parts.append(pair(bytes(ByteSet(first...last)), byteRange(least[...], most[...]))) }
        return union(parts)
    }

    private static func encoding(_ scalar: UInt32, _ length: Int) -> [UInt8] {
        var bytes: [UInt8] = []
        var rest = scalar
        for _ in 1..<max(1, length) {
            bytes.append(0x80 | UInt8(rest & 0x3F))
            rest >>= 6
        }
        let mark: [UInt32] = [0, 0, 0xC0, 0xE0, 0xF0]
        bytes.append(UInt8(mark[length] | rest))
        return bytes.reversed()
    }
}
