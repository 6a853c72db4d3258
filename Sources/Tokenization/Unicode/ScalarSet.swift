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
