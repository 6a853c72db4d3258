/// Lines of at most so many characters, as Python's `textwrap` makes them.
struct WordWrap {
    let width: Int
    let breaksLongWords: Bool
    let breaksOnHyphens: Bool
    let budget: Budget

    /// A piece of a line that is broken at its ends only, and its length in characters.
    private struct Chunk {
        var text: Text
        var length: Int

        var isBlank: Bool { text.trimmed().isEmpty }
    }

    /// White space in a word's sense: a no-break space is part of a word.
    private static let space = #"[\t\n\x0B\x0C\r ]"#
    private static let nonSpace = #"[^\t\n\x0B\x0C\r ]"#
    private static let word = #"[\p{L}\p{N}_]"#
    private static let letter = #"[\p{L}\p{Nl}\p{No}_]"#
    /// What a hyphen or dash may follow.
    private static let beforeDash = #"[\p{L}\p{N}_!"'&.,?]"#

    /// White space; a dash between words; a word, or its part up to a hyphen between letters or to a dash.
    private static let hyphenated = Result { () throws(PatternFault) in
        let hyphen = "-(?:(?<=\(letter)\(letter)-)|(?<=\(letter)-\(beforeDash)-))(?=\(letter)-?\(letter))"
        let end = #"(?=\#(space)|\z)"#
        let dash = "(?<=\(beforeDash))(?=-{2,}\(word))"
        return try Pattern(
            "\(space)+|(?<=\(beforeDash))-{2,}(?=\(word))|\(nonSpace)+?(?:\(hyphen)|\(end)|\(dash))"
        )
    }
    private static let whole = Result { () throws(PatternFault) in try Pattern("\(space)+|\(nonSpace)+") }

    /// The lines of a text without line breaks.
    func lines(of text: Text) throws(TemplateError) -> [Text] {
        guard width > 0 else { throw .operation("invalid width \(width) (must be > 0)") }
        try budget.spend(bytes: text.count)
        var rest = Array(try chunks(of: text).reversed())
        var lines: [Text] = []
        while !rest.isEmpty {
            try budget.spend()
            if !lines.isEmpty, let first = rest.last, first.isBlank { rest.removeLast() }
            let line = takeLine(from: &rest)
            guard !line.isEmpty else { continue }
            var builder = TextBuilder(budget)
            for chunk in line { try builder.append(chunk.text) }
            lines.append(builder.finish())
        }
        return lines
    }

    private func chunks(of text: Text) throws(TemplateError) -> [Chunk] {
        try text.matches(of: breaksOnHyphens ? Self.hyphenated : Self.whole, budget).map {
            Chunk(text: text[$0], length: text.length(of: $0))
        }
    }

    /// Takes what fits into a line from the end of `rest`.
    private func takeLine(from rest: inout [Chunk]) -> [Chunk] {
        var line: [Chunk] = []
        var length = 0
        while let chunk = rest.last, chunk.length <= width - length {
            line.append(chunk)
            length += chunk.length
            rest.removeLast()
        }
        // A chunk that fits no line begins in this one, or has one of its own.
        if let chunk = rest.last, chunk.length > width {
            if breaksLongWords {
                let (first, second) = cut(chunk, after: width - length)
                line.append(first)
                rest[rest.count - 1] = second
            } else if line.isEmpty {
                line.append(rest.removeLast())
            }
        }
        if line.last?.isBlank == true { line.removeLast() }
        return line
    }

    /// Cuts a chunk after so many characters, or after the last hyphen among them that follows something else.
    private func cut(_ chunk: Chunk, after count: Int) -> (Chunk, Chunk) {
        var end = chunk.text.offset(ofScalar: count)
        var length = count
        if breaksOnHyphens, let hyphen = chunk.text[0..<end].bytes.lastIndex(of: UInt8(ascii: "-")) {
            let offset = hyphen - chunk.text.start
            if chunk.text[0..<offset].bytes.contains(where: { $0 != UInt8(ascii: "-") }) {
                end = offset + 1
                length = chunk.text.length(of: 0..<end)
            }
        }
        let (first, second) = (chunk.text[0..<end], chunk.text[end..<chunk.text.count])
        return (Chunk(text: first, length: length), Chunk(text: second, length: chunk.length - length))
    }
}

extension Text {
    /// The matches of a pattern, from left to right.
    func matches(of pattern: Result<Pattern, PatternFault>, _ budget: Budget) throws(TemplateError) -> [Range<Int>] {
        try budget.spend(bytes: count)
        var matches: [Range<Int>] = []
        do throws(PatternFault) {
            var matcher = try pattern.get().matcher(for: Array(bytes))
            matcher.appendMatches(in: 0..<count, to: &matches)
        } catch {
            throw .operation("a filter's pattern is at fault: \(error)")
        }
        try budget.spend(matches.count)
        return matches
    }
}
