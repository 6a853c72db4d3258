/// GPT-2's pattern, scanned by hand in linear time:
/// `'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+`.
enum GPT2Scanner {
    static let pattern = #"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+"#

    /// The matches in a range of the text; they cover it.
    static func pieces(of text: [UInt8], in range: Range<Int>) -> [Range<Int>] {
        var result: [Range<Int>] = []
        var start = range.lowerBound
        while start < range.upperBound {
            let end = match(text, start, range.upperBound)
            result.append(start..<end)
            start = end
        }
        return result
    }

    private static func classified(_ text: [UInt8], _ index: Int) -> (kind: CharacterClass, end: Int) {
        let (scalar, end) = text.scalar(at: index)
        return (CharacterClass(scalar), end)
    }

    /// The end of the match that begins at `start`.
    private static func match(_ text: [UInt8], _ start: Int, _ end: Int) -> Int {
        if text[start] == UInt8(ascii: "'"), let contraction = contraction(text, start + 1, end) { return contraction }
        let word = text[start] == UInt8(ascii: " ") && start + 1 < end ? start + 1 : start
        var (kind, index) = classified(text, word)
        if kind != .space {
            while index < end {
                let next = classified(text, index)
                guard next.kind == kind else { break }
                index = next.end
            }
            return index
        }
        // White space before a word leaves its last character to the word, unless it is the only one.
        index = start
        var last = start
        while index < end {
            let next = classified(text, index)
            guard next.kind == .space else { return last > start ? last : index }
            last = index
            index = next.end
        }
        return index
    }

    private static func contraction(_ text: [UInt8], _ start: Int, _ end: Int) -> Int? {
        guard start < end else { return nil }
        switch text[start] {
        case UInt8(ascii: "s"), UInt8(ascii: "t"), UInt8(ascii: "m"), UInt8(ascii: "d"): return start + 1
        default: break
        }
        guard start + 1 < end else { return nil }
        switch (text[start], text[start + 1]) {
        case (UInt8(ascii: "r"), UInt8(ascii: "e")), (UInt8(ascii: "v"), UInt8(ascii: "e")),
            (UInt8(ascii: "l"), UInt8(ascii: "l")):
            return start + 2
        default: return nil
        }
    }
}
