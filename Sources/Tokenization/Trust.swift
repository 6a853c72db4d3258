/// Which parts of a text may spell special tokens.
enum Trust {
    case all
    case none
    /// Only these parts, in order; a token must lie within one of them.
    case ranges([Range<Int>])

    /// Whether a match of a token's content is one: what lies partly in a trusted part and partly outside is none.
    func sees(_ token: AddedToken, _ match: Range<Int>) -> Bool {
        guard !token.mayBeSpelled, case .ranges(let ranges) = self else { return true }
        return !ranges.contains { $0.overlaps(match) } || isTrusted(match)
    }

    /// Whether a token may be where it was found.
    func allows(_ token: AddedToken, _ match: Range<Int>) -> Bool { token.mayBeSpelled || isTrusted(match) }

    func isTrusted(_ range: Range<Int>) -> Bool {
        switch self {
        case .all: true
        case .none: false
        case .ranges(let ranges):
            ranges.contains { $0.lowerBound <= range.lowerBound && range.upperBound <= $0.upperBound }
        }
    }
}
