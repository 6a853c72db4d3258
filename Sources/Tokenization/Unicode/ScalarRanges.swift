/// A set of characters as ranges of their numbers, for building; `ScalarSet` is for asking.
struct ScalarRanges: Hashable, Sendable {
    static let limit: UInt32 = 0x110000

    /// In order, not empty, not touching.
    private(set) var ranges: [Range<UInt32>]

    init() { ranges = [] }

    init(_ ranges: [Range<UInt32>]) {
        var merged: [Range<UInt32>] = []
        for range in ranges.sorted(by: { $0.lowerBound < $1.lowerBound }) where !range.isEmpty {
            if let last = merged.last, last.upperBound >= range.lowerBound {
                merged[merged.count - 1] = last.lowerBound..<max(last.upperBound, range.upperBound)
            } else {
                merged.append(range)
            }
        }
        self.ranges = merged
    }

    init(of scalars: [UInt32]) { self.init(scalars.map { $0..<$0 + 1 }) }

    init(_ scalar: UInt32) { ranges = [scalar..<scalar + 1] }

    /// Reads one of the generated tables of `gap,length`.
    init(table: String) {
        var reader = TableReader(table)
        var result: [Range<UInt32>] = []
        var end: UInt32 = 0
        while reader.hasMore() {
            let numbers = reader.numbers()
            guard let gap = numbers.first else { break }
            let start = end + gap
            end = start + (numbers.count > 1 ? numbers[1] : 1)
            result.append(start..<end)
        }
        ranges = result
    }

    static let all = ScalarRanges([0..<limit])

    var isEmpty: Bool { ranges.isEmpty }

    /// The character that it is all of, if it is one.
    var only: UInt32? { ranges.count == 1 && ranges[0].count == 1 ? ranges[0].lowerBound : nil }

    var complement: ScalarRanges {
        var result: [Range<UInt32>] = []
        var start: UInt32 = 0
        for range in ranges {
            if start < range.lowerBound { result.append(start..<range.lowerBound) }
            start = range.upperBound
        }
        if start < Self.limit { result.append(start..<Self.limit) }
        return ScalarRanges(result)
    }

    func union(_ other: ScalarRanges) -> ScalarRanges { ScalarRanges(ranges + other.ranges) }

    func intersection(_ other: ScalarRanges) -> ScalarRanges { complement.union(other.complement).complement }

    func subtracting(_ other: ScalarRanges) -> ScalarRanges { intersection(other.complement) }

    func contains(_ scalar: UInt32) -> Bool { ranges.contains { $0.contains(scalar) } }
}
