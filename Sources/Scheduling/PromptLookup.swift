import EngineContract

/// What may come next by a text in which the last few tokens came before.
struct TextDraft: Equatable {
    var tokens: [Token] = []
    /// How many tokens before them are known to be the same there.
    var matched = 0
}

/// Drafts the next tokens from a session's own text: where its last few tokens came before, those that followed them
/// there (prompt lookup decoding). It does well on answers that quote, correct or continue what they were given.
///
/// The search is that of LZ77 with hash chains: each pair of neighbouring tokens is found where it ended last, and from
/// there where it ended before; the longest match wins, the latest among equals. A token is looked at once when it is
/// taken into the index, and a search looks at a bounded number of places, however long the context is.
struct PromptLookup {
    private static let longestMatch = 16
    private static let maxPlaces = 16
    private static let nowhere: Int32 = -1

    /// Where each pair of tokens ended last.
    private var lastEnd: [UInt64: Int32] = [:]
    /// For each position, where the pair that ends there ended before. As long as what is in the index.
    private var earlierEnd: [Int32] = []

    /// - Parameter tokens: those of the last call, and more after them.
    /// - Returns: `count` tokens that may follow; none if the last two tokens have not come together before.
    mutating func draft(after tokens: [Token], count: Int) -> TextDraft {
        guard count > 0 else { return TextDraft() }
        index(tokens)
        guard let match = longestMatch(of: tokens) else { return TextDraft() }
        var draft: [Token] = []
        for position in (match.end + 1)..<(match.end + 1 + count) {
            // After the last token the match continues into the draft itself: a period repeats.
            draft.append(position < tokens.count ? tokens[position] : draft[position - tokens.count])
        }
        return TextDraft(tokens: draft, matched: match.length)
    }

    private mutating func index(_ tokens: [Token]) {
        for position in earlierEnd.count..<max(earlierEnd.count, tokens.count) {
            guard position > 0 else {
                earlierEnd.append(Self.nowhere)
                continue
            }
            let (first, second) = (UInt32(bitPattern: tokens[position - 1]), UInt32(bitPattern: tokens[position]))
            let earlier = lastEnd.updateValue(Int32(clamping: position), forKey: UInt64(first) << 32 | UInt64(second))
            earlierEnd.append(earlier ?? Self.nowhere)
        }
    }

    /// Where the longest of the sequences ends that equal the last tokens, and how long it is.
    private func longestMatch(of tokens: [Token]) -> (end: Int, length: Int)? {
        var best: (end: Int, length: Int)?
        var end = Int(earlierEnd.last ?? Self.nowhere)
        for _ in 0..<Self.maxPlaces where end >= 0 {
            let length = (0..<min(Self.longestMatch, end + 1)).prefix {
                tokens[end - $0] == tokens[tokens.count - 1 - $0]
            }
            if length.count > best?.length ?? 0 { best = (end, length.count) }
            if length.count == Self.longestMatch { break }
            end = Int(earlierEnd[end])
        }
        return best
    }
}
