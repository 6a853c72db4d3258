import EngineContract

/// Finds where in a text the last tokens of another one came last: sixteen of them, or else eight, or else four.
///
/// Each place is entered once for each length, and a search looks at one place for each, however long the text is and however
/// often it has the same words: the end of a question and the beginning of its answer are found among a thousand others.
struct GramIndex {
    static let lengths = [16, 8, 4]

    struct Match: Equatable {
        /// The place of its last token.
        var end: Int
        var length: Int
    }

    /// Where a sequence of tokens ended last, by its hash.
    private var lastEnd: [UInt64: Int32] = [:]
    /// Tokens that are in the index.
    private var count = 0

    /// - Parameter tokens: those of the last call, and more after them.
    mutating func add(_ tokens: [Token]) {
        for end in count..<max(count, tokens.count) {
            for length in Self.lengths where length <= end + 1 {
                lastEnd[Self.hash(tokens, end: end, length)] = Int32(clamping: end)
            }
        }
        count = max(count, tokens.count)
    }

    /// The longest of the sequences in the text that equal another one's last tokens.
    func match(of other: [Token], in tokens: [Token]) -> Match? {
        for length in Self.lengths where length <= other.count {
            guard let end = lastEnd[Self.hash(other, end: other.count - 1, length)].map(Int.init),
                end < tokens.count, end + 1 >= length,
                tokens[(end + 1 - length)...end] == other[(other.count - length)...]
            else { continue }
            return Match(end: end, length: length)
        }
        return nil
    }

    private static func hash(_ tokens: [Token], end: Int, _ length: Int) -> UInt64 {
        tokens[(end + 1 - length)...end].reduce(UInt64(length)) {
            ($0 ^ UInt64(UInt32(bitPattern: $1))) &* 0x9E37_79B9_7F4A_7C15
        }
    }
}
