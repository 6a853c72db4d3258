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

/// The pattern of Llama 3, and with digits apart that of Qwen 2 and 3, scanned by hand.
struct Llama3Scanner {
    /// The pattern is one of these, by the most digits that stay together.
    static func pattern(mostDigits: Int) -> String {
        #"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}\#(mostDigits == 1 ? "" : "{1,\(mostDigits)}")"#
            + #"| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"#
    }

    private let text: ClassifiedText
    private let mostDigits: Int

    /// Appends the matches in a range of the text; they cover it.
    static func appendMatches(in text: [UInt8], _ range: Range<Int>, mostDigits: Int, to result: inout [Range<Int>]) {
        let scanner = Llama3Scanner(text: ClassifiedText(text, end: range.upperBound), mostDigits: mostDigits)
        var start = range.lowerBound
        while start < range.upperBound {
            let end = scanner.match(start)
            result.append(start..<end)
            start = end
        }
    }

    /// The end of the match that begins at `start`.
    private func match(_ start: Int) -> Int {
        if text.bytes[start] == UInt8(ascii: "'"), let end = text.contraction(at: start, ignoringCase: true) {
            return end
        }
        let (kind, second) = text.classified(start)
        switch kind {
        case CharacterClass.letter: return text.run(of: kind, from: second)
        case CharacterClass.number: return digits(from: second)
        case CharacterClass.lineBreak: return spaces(start)
        default: break
        }
        guard second < text.end else { return second }
        let next = text.classified(second)
        if next.kind == CharacterClass.letter { return text.run(of: next.kind, from: next.end) }
        if kind == CharacterClass.other { return symbols(from: second) }
        if next.kind == CharacterClass.other, text.bytes[start] == UInt8(ascii: " ") { return symbols(from: next.end) }
        return spaces(start)
    }

    private func digits(from second: Int) -> Int {
        var end = second
        for _ in 1..<mostDigits {
            guard end < text.end, case let next = text.classified(end), next.kind == CharacterClass.number else {
                break
            }
            end = next.end
        }
        return end
    }

    /// The rest of ` ?[^\s\p{L}\p{N}]+[\r\n]*`.
    private func symbols(from second: Int) -> Int {
        text.run(of: CharacterClass.lineBreak, from: text.run(of: CharacterClass.other, from: second))
    }

    /// `\s*[\r\n]+|\s+(?!\S)|\s+`
    private func spaces(_ start: Int) -> Int {
        let (end, lineBreaks) = text.spaces(from: start)
        return lineBreaks ?? end
    }
}
