/// The pattern of GPT-2, scanned by hand; `ByteLevel` has it built in.
struct GPT2Scanner {
    static let pattern = #"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+"#

    private let text: ClassifiedText

    /// Appends the matches in a range of the text; they cover it.
    static func appendMatches(in text: [UInt8], _ range: Range<Int>, to result: inout [Range<Int>]) {
        let scanner = GPT2Scanner(text: ClassifiedText(text, end: range.upperBound))
        var start = range.lowerBound
        while start < range.upperBound {
            let end = scanner.match(start)
            result.append(start..<end)
            start = end
        }
    }

    /// The end of the match that begins at `start`.
    private func match(_ start: Int) -> Int {
        if text.bytes[start] == UInt8(ascii: "'"), let end = text.contraction(at: start, ignoringCase: false) {
            return end
        }
        let word = text.bytes[start] == UInt8(ascii: " ") && start + 1 < text.end ? start + 1 : start
        let (kind, end) = text.classified(word)
        guard kind == CharacterClass.space || kind == CharacterClass.lineBreak else {
            return text.run(of: kind, from: end)
        }
        return text.spaces(from: start).end
    }
}
