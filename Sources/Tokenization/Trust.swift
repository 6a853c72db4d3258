/// Which parts of a text may spell special tokens.
package enum Trust {
    case all
    case none
    /// Only these parts, in order; a token must lie within one of them.
    case ranges([Range<Int>])

    /// Whether a match of a token's content is one: what lies partly in a trusted part and partly outside is none.
    func sees(_ token: AddedToken, _ match: Range<Int>) -> Bool {
        guard !token.mayBeSpelled, case .ranges(let ranges) = self else { return true }
        return !Self.touches(ranges, match) || isTrusted(match)
    }

    /// Whether a token may be where it was found.
    func allows(_ token: AddedToken, _ match: Range<Int>) -> Bool { token.mayBeSpelled || isTrusted(match) }

    func isTrusted(_ range: Range<Int>) -> Bool {
        switch self {
        case .all: true
        case .none: false
        case .ranges(let ranges):
            Self.first(of: ranges, endingAt: range.upperBound).map { $0.lowerBound <= range.lowerBound } ?? false
        }
    }

    private static func touches(_ ranges: [Range<Int>], _ match: Range<Int>) -> Bool {
        first(of: ranges, endingAt: match.lowerBound + 1).map { $0.lowerBound < match.upperBound } ?? false
    }

    /// The first range that ends at `end` or later. A long conversation has thousands, and is asked as often.
    private static func first(of ranges: [Range<Int>], endingAt end: Int) -> Range<Int>? {
        var (low, high) = (0, ranges.count)
        while low < high {
            let middle = (low + high) / 2
            if ranges[middle].upperBound < end { low = middle + 1 } else { high = middle }
        }
        return low < ranges.count ? ranges[low] : nil
    }
}
