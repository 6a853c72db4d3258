/// Finds the places where a text is cut.
enum Splitter: Sendable {
    case gpt2
    case llama3(mostDigits: Int)
    /// `\w+|[^\w\s]+`
    case words
    /// Each character of a set.
    case characters(ScalarSet)
    case pattern(Pattern)

    /// A regular expression; those of GPT-2 and Llama 3 have a scanner written by hand.
    init(regex: String) throws(PatternError) {
        if regex == GPT2Scanner.pattern {
            self = .gpt2
        } else if let digits = [1, 2, 3].first(where: { regex == Llama3Scanner.pattern(mostDigits: $0) }) {
            self = .llama3(mostDigits: digits)
        } else {
            self = .pattern(try Pattern(regex))
        }
    }

    /// Cuts each of the pieces of a text further.
    func pieces(
        of text: [UInt8],
        _ pieces: [Range<Int>],
        _ behavior: SplitBehavior,
        isInverted: Bool
    ) -> [Range<Int>] {
        var result: [Range<Int>] = []
        var matches: [Range<Int>] = []
        result.reserveCapacity(pieces.count)
        var matcher =
            if case .pattern(let pattern) = self { pattern.matcher(for: text) } else { nil as PatternMatcher? }
        for piece in pieces {
            switch self {
            // The scanners' matches cover the text, so as they are they are the pieces.
            case .gpt2 where behavior == .isolated: GPT2Scanner.appendMatches(in: text, piece, to: &result)
            case .llama3(let digits) where behavior == .isolated:
                Llama3Scanner.appendMatches(in: text, piece, mostDigits: digits, to: &result)
            default:
                matches.removeAll(keepingCapacity: true)
                appendMatches(in: text, piece, &matcher, to: &matches)
                behavior.appendPieces(of: piece, matches: matches, isInverted: isInverted, to: &result)
            }
        }
        return result
    }

    private func appendMatches(
        in text: [UInt8],
        _ range: Range<Int>,
        _ matcher: inout PatternMatcher?,
        to matches: inout [Range<Int>]
    ) {
        switch self {
        case .gpt2: GPT2Scanner.appendMatches(in: text, range, to: &matches)
        case .llama3(let digits): Llama3Scanner.appendMatches(in: text, range, mostDigits: digits, to: &matches)
        case .characters(let set):
            var index = range.lowerBound
            while index < range.upperBound {
                let end = text.scalar(at: index).end
                if text.end(of: set, at: index, before: range.upperBound) != nil { matches.append(index..<end) }
                index = end
            }
        case .words: Self.appendWords(in: text, range, to: &matches)
        case .pattern: matcher?.appendMatches(in: range, to: &matches)
        }
    }

    private static func appendWords(in text: [UInt8], _ range: Range<Int>, to matches: inout [Range<Int>]) {
        var index = range.lowerBound
        var last: (isWord: Bool, start: Int)?
        while index < range.upperBound {
            let (scalar, end) = text.scalar(at: index)
            let isWord = WordCharacters.ofWords.contains(scalar)
            let kind = isWord || !CharacterClass.isSpace(scalar) ? isWord : nil
            if let open = last, open.isWord != kind {
                matches.append(open.start..<index)
                last = nil
            }
            if last == nil, let kind { last = (kind, index) }
            index = end
        }
        if let last { matches.append(last.start..<range.upperBound) }
    }
}

/// What happens to the matches of a pattern.
enum SplitBehavior: String, Sendable, CaseIterable {
    case removed = "Removed"
    case isolated = "Isolated"
    case mergedWithPrevious = "MergedWithPrevious"
    case mergedWithNext = "MergedWithNext"
    case contiguous = "Contiguous"

    /// A match, or what is between two.
    struct Segment {
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
            Self.forEachSegment(range, matches) { if !$0.range.isEmpty { result.append($0.range) } }
        case .removed:
            Self.forEachSegment(range, matches) {
                if $0.isMatch == isInverted, !$0.range.isEmpty { result.append($0.range) }
            }
        case .contiguous, .mergedWithPrevious, .mergedWithNext:
            var segments: [Segment] = []
            Self.forEachSegment(range, matches) {
                segments.append(Segment(range: $0.range, isMatch: $0.isMatch != isInverted))
            }
            result += merged(segments).filter { !$0.isEmpty }
        }
    }

    private static func forEachSegment(_ range: Range<Int>, _ matches: [Range<Int>], _ body: (Segment) -> Void) {
        var done = range.lowerBound
        for match in matches {
            if done < match.lowerBound { body(Segment(range: done..<match.lowerBound, isMatch: false)) }
            body(Segment(range: match, isMatch: true))
            done = match.upperBound
        }
        if done < range.upperBound { body(Segment(range: done..<range.upperBound, isMatch: false)) }
    }

    private func merged(_ segments: [Segment]) -> [Range<Int>] {
        var result: [Range<Int>] = []
        var follows = false
        for segment in self == .mergedWithNext ? segments.reversed() : segments {
            let joins = self == .contiguous ? segment.isMatch == follows : segment.isMatch && !follows
            if joins, let last = result.last {
                let low = min(last.lowerBound, segment.range.lowerBound)
                result[result.count - 1] = low..<max(last.upperBound, segment.range.upperBound)
            } else {
                result.append(segment.range)
            }
            follows = segment.isMatch
        }
        return self == .mergedWithNext ? result.reversed() : result
    }
}
