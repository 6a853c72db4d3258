/// What becomes of the places where a pattern matches.
enum SplitBehavior: String, Sendable, CaseIterable {
    case removed = "Removed"
    case isolated = "Isolated"
    case mergedWithPrevious = "MergedWithPrevious"
    case mergedWithNext = "MergedWithNext"
    case contiguous = "Contiguous"

    /// One stretch of a text: a match, or what is between two.
    struct Stretch {
        var range: Range<Int>
        var isMatch: Bool
    }

    /// Appends the pieces that a range falls into; empty ones are left out.
    /// - Parameter matches: in order; with `isInverted`, what is between them counts as the matches.
    func appendPieces(
        of range: Range<Int>,
        matches: [Range<Int>],
        isInverted: Bool,
        to result: inout [Range<Int>]
    ) {
        switch self {
        case .isolated:
            Self.forEachStretch(range, matches) { if !$0.range.isEmpty { result.append($0.range) } }
        case .removed:
            Self.forEachStretch(range, matches) {
                if $0.isMatch == isInverted, !$0.range.isEmpty { result.append($0.range) }
            }
        case .contiguous, .mergedWithPrevious, .mergedWithNext:
            var stretches: [Stretch] = []
            Self.forEachStretch(range, matches) {
                stretches.append(Stretch(range: $0.range, isMatch: $0.isMatch != isInverted))
            }
            result += merged(stretches).filter { !$0.isEmpty }
        }
    }

    private static func forEachStretch(_ range: Range<Int>, _ matches: [Range<Int>], _ body: (Stretch) -> Void) {
        var done = range.lowerBound
        for match in matches {
            if done < match.lowerBound { body(Stretch(range: done..<match.lowerBound, isMatch: false)) }
            body(Stretch(range: match, isMatch: true))
            done = match.upperBound
        }
        if done < range.upperBound { body(Stretch(range: done..<range.upperBound, isMatch: false)) }
    }

    private func merged(_ stretches: [Stretch]) -> [Range<Int>] {
        var result: [Range<Int>] = []
        var follows = false
        for stretch in self == .mergedWithNext ? stretches.reversed() : stretches {
            let joins = self == .contiguous ? stretch.isMatch == follows : stretch.isMatch && !follows
            if joins, let last = result.last {
                let low = min(last.lowerBound, stretch.range.lowerBound)
                result[result.count - 1] = low..<max(last.upperBound, stretch.range.upperBound)
            } else {
                result.append(stretch.range)
            }
            follows = stretch.isMatch
        }
        return self == .mergedWithNext ? result.reversed() : result
    }
}
