/// A set of characters that is quick to ask: two loads, whatever is in it.
///
/// The bits of 256 characters form a page, and equal pages are kept once.
struct ScalarSet: Sendable {
    private var pages: [UInt16] = []
    /// Four words for each page.
    private var words: [UInt64] = []

    init(_ set: ScalarRanges) {
        pages.reserveCapacity(Int(ScalarRanges.limit >> 8))
        var known: [[UInt64]: UInt16] = [:]
        var next = set.ranges[...]
        for start in stride(from: 0, to: ScalarRanges.limit, by: 256) {
            var page: [UInt64] = [0, 0, 0, 0]
            for range in next.prefix(while: { $0.lowerBound < start + 256 }) {
                for scalar in range.clamped(to: start..<start + 256) {
                    page[Int(scalar & 255) >> 6] |= 1 << UInt64(scalar & 63)
                }
            }
            next = next.drop { $0.upperBound <= start + 256 }
            if let index = known[page] {
                pages.append(index)
            } else {
                let index = UInt16(truncatingIfNeeded: words.count / 4)
                known[page] = index
                pages.append(index)
                words += page
            }
        }
    }

    @inline(__always)
    func contains(_ scalar: UInt32) -> Bool {
        let page = Int(pages[Int(truncatingIfNeeded: scalar >> 8)])
        return words[page << 2 | Int(truncatingIfNeeded: scalar >> 6 & 3)] >> UInt64(scalar & 63) & 1 == 1
    }
}
