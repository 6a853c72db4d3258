/// A regular expression as `tokenizer.json` writes them, or a literal text.
struct Pattern: Sendable {
    private let program: PatternProgram

    /// - Throws: `PatternFault` if it is malformed, or uses what is not supported.
    init(_ source: String) throws(PatternFault) {
        program = try PatternProgram(PatternParser.parse(source))
    }

    init(literal: [UInt8]) throws(PatternFault) {
        let scalars = String(decoding: literal, as: UTF8.self).unicodeScalars
        program = try PatternProgram(.sequence(scalars.map { .scalar(ScalarRanges($0.value)) }))
    }

    func matcher(for text: [UInt8]) -> PatternMatcher { PatternMatcher(program, text) }

    /// The text with every match replaced.
    func replacingMatches(in text: [UInt8], by replacement: [UInt8]) -> [UInt8] {
        var matches: [Range<Int>] = []
        var matcher = matcher(for: text)
        matcher.appendMatches(in: text.indices, to: &matches)
        var result: [UInt8] = []
        result.reserveCapacity(text.count)
        var done = 0
        for match in matches {
            result += text[done..<match.lowerBound]
            result += replacement
            done = match.upperBound
        }
        result += text[done...]
        return result
    }
}
