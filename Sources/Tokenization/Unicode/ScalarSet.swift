/// A set of characters that is quick to ask: two loads, whatever is in it.
///
/// The bits of 256 characters form a page, and equal pages are kept once.
struct ScalarSet: Sendable {
    private var pages: [UInt16] = []
    /// Four words for each page.
    private var words: [UInt64] = []

    init(_ set: ScalarRanges) {
        pages.reserveCapacity(Int(ScalarRanges.limit >> 8))
        words = [0, 0, 0, 0, .max, .max, .max, .max]
        var known: [[UInt64]: UInt16] = [:]
        var next = set.ranges[...]
        for start in stride(from: 0, to: ScalarRanges.limit, by: 256) {
            while let range = next.first, range.upperBound <= start { next.removeFirst() }
            guard let range = next.first, range.lowerBound < start + 256 else {
                pages.append(0)
                continue
            }
            if range.lowerBound <= start, range.upperBound >= start + 256 {
                pages.append(1)
                continue
            }
            let page = Self.page(at: start, next)
            let index = known[page] ?? UInt16(truncatingIfNeeded: words.count / 4)
            if known.updateValue(index, forKey: page) == nil { words += page }
            pages.append(index)
        }
    }

    /// The bits of the 256 characters from `start` on.
    private static func page(at start: UInt32, _ ranges: ArraySlice<Range<UInt32>>) -> [UInt64] {
        var page: [UInt64] = [0, 0, 0, 0]
        for range in ranges {
            guard range.lowerBound < start + 256 else { break }
            for word in 0..<4 {
                let first = start + 64 * UInt32(word)
                let part = range.clamped(to: first..<first + 64)
                guard !part.isEmpty else { continue }
                let ones = part.count == 64 ? UInt64.max : 1 << UInt64(part.count) - 1
                page[word] |= ones << UInt64(part.lowerBound - first)
            }
        }
        return page
    }

    @inline(__always)
    func contains(_ scalar: UInt32) -> Bool {
        let page = Int(pages[Int(truncatingIfNeeded: scalar >> 8)])
        return words[page << 2 | Int(truncatingIfNeeded: scalar >> 6 & 3)] >> UInt64(scalar & 63) & 1 == 1
    }
}

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
