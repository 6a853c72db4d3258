/// The text of a rendered conversation, and for every byte of it where it comes from.
package struct RenderedText {
    let text: Text

    package var string: String { text.string }

    /// UTF-8.
    package var bytes: [UInt8] { Array(text.bytes) }

    /// The byte ranges of one origin each, in order; together they are the whole text.
    package var runs: [(range: Range<Int>, origin: TextOrigin)] { text.stretches }

    /// The byte offsets at which `part` occurs, occurrences that overlap an earlier one left out.
    package func offsets(of part: String) -> [Int] {
        part.isEmpty ? [] : TextSearch(Text(part)).all(in: text)
    }

    /// What is before the last mark of a `TemplateValue.marked`; nil if there is no mark.
    package var beforeMark: RenderedText? { PlaceMark.prefix(of: text).map(RenderedText.init) }

    /// This text with text from outside at its end.
    /// - Throws: `TemplateError` if the whole would be too long.
    package func appending(_ more: String) throws(TemplateError) -> RenderedText {
        RenderedText(text: try text.appending(Text(more, .outside), Budget(steps: .max)))
    }
}

/// Where characters come from.
package enum TextOrigin: UInt8, Sendable {
    /// Messages, tools, whatever came with a request.
    case outside
    /// The template itself and the model's special tokens.
    case format
    /// The mark of `TemplateValue.marked`.
    case mark
}

/// The end of a marked text, and how it is found again.
enum PlaceMark {
    /// A letter, which no trimming takes, and a space, which every trimming takes: so what is rendered tells whether
    /// the template trims what it is given.
    private static let mark = "M "

    static func appended(to text: Text) throws(TemplateError) -> Text {
        try text.appending(Text(mark, .mark), Budget(steps: .max))
    }

    /// What is before the last mark; nil if there is no mark. If the template trims, what a user wrote loses the white
    /// space at its end there; what the template wrote itself stays.
    static func prefix(of rendered: Text) -> Text? {
        let stretches = rendered.stretches
        guard let found = stretches.last(where: { $0.origin == .mark }) else { return nil }
        // A space that the template itself writes there counts as the mark's, as it does in transformers.
        let space = found.range.lowerBound + mark.utf8.count - 1
        let isTrimmed = space >= rendered.count || rendered[space] != UInt8(ascii: " ")
        let before = rendered[0..<found.range.lowerBound]
        guard isTrimmed, let (range, origin) = before.stretches.last, origin == .outside else { return before }
        return before[0..<range.lowerBound + before[range].trimmed(start: false).count]
    }
}
