/// In which parts of a text special tokens are recognised.
package enum SpecialTokenPolicy {
    case all
    case none
    /// Only within these ranges of UTF-8 bytes, in order; a token must lie within one of them.
    case ranges([Range<Int>])

    /// Whether a match of a token's content counts: one that lies partly within a range and partly outside does not.
    func counts(_ token: AddedToken, _ match: Range<Int>) -> Bool {
        guard !token.mayAppearInText, case .ranges(let ranges) = self else { return true }
        return !Self.touches(ranges, match) || allowsSpecials(match)
    }

    /// Whether a token is allowed where it was found.
    func allows(_ token: AddedToken, _ match: Range<Int>) -> Bool { token.mayAppearInText || allowsSpecials(match) }

    func allowsSpecials(_ range: Range<Int>) -> Bool {
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

    /// The first range that ends at `end` or later, by binary search: a long conversation has thousands.
    private static func first(of ranges: [Range<Int>], endingAt end: Int) -> Range<Int>? {
        var (low, high) = (0, ranges.count)
        while low < high {
            let middle = (low + high) / 2
            if ranges[middle].upperBound < end { low = middle + 1 } else { high = middle }
        }
        return low < ranges.count ? ranges[low] : nil
    }
}
