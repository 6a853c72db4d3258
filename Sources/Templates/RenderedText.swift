/// The text of a rendered conversation, and for every byte of it where it comes from.
package struct RenderedText {
    let text: Text

    init(text: Text) { self.text = text }

    package init(_ text: String, _ origin: TextOrigin) { self.text = Text(text, origin) }

    package var string: String { text.string }

    /// UTF-8.
    package var bytes: [UInt8] { Array(text.bytes) }

    /// The byte ranges of one origin each, in order; together they are the whole text.
    package var runs: [(range: Range<Int>, origin: TextOrigin)] { text.runs }

    /// The byte offsets at which `part` occurs, occurrences that overlap an earlier one left out.
    package func offsets(of part: String) -> [Int] {
        part.isEmpty ? [] : TextSearch(Text(part)).all(in: text)
    }

    /// What is before the last mark of a `TemplateValue.marked`; nil if there is no mark.
    package var beforeMark: RenderedText? { ContinuationMark.prefix(of: text).map(RenderedText.init) }

    /// This text with more at its end.
    /// - Throws: `TemplateError` if the whole would be too long.
    package func appending(_ more: String, _ origin: TextOrigin = .input) throws(TemplateError) -> RenderedText {
        RenderedText(text: try text.appending(Text(more, origin), Budget(steps: .max)))
    }

    /// This text with its placeholders filled in, by their numbers.
    /// - Throws: `TemplateError` if the whole would be too long.
    package func filled(with fillings: [RenderedText]) throws(TemplateError) -> RenderedText {
        RenderedText(text: try Placeholder.fill(text, with: fillings.map(\.text)))
    }
}

/// Where characters come from.
package enum TextOrigin: UInt8, Sendable {
    /// Messages, tools, whatever came with a request.
    case input
    /// The template itself and the model's special tokens.
    case template
    /// The mark of `TemplateValue.marked`.
    case mark
    /// A `TemplateValue.placeholder`.
    case placeholder
}

/// A text that stands for another one, which is put in its place when all is rendered.
enum Placeholder {
    /// Letters and digits, which trimming keeps.
    static func text(_ number: Int) -> Text { Text("P\(number);", .placeholder) }

    /// A text with its placeholders filled in; those without a filling go.
    static func fill(_ text: Text, with fillings: [Text]) throws(TemplateError) -> Text {
        guard text.runs.contains(where: { $0.origin == .placeholder }) else { return text }
        var builder = TextBuilder(Budget(steps: .max))
        for (range, origin) in text.runs {
            guard origin == .placeholder else {
                try builder.append(text[range])
                continue
            }
            for part in text[range].string.split(separator: ";") {
                guard let number = Int(part.dropFirst()), fillings.indices.contains(number) else { continue }
                try builder.append(fillings[number])
            }
        }
        return builder.finish()
    }
}

/// A mark at the end of a text, by which that place is found in the output.
enum ContinuationMark {
    /// A letter, which trimming keeps, and a space, which trimming removes: the output shows whether the template trims
    /// its messages.
    private static let mark = "M "

    static func appended(to text: Text) throws(TemplateError) -> Text {
        try text.appending(Text(mark, .mark), Budget(steps: .max))
    }

    /// What is before the last mark; nil if there is none. If the template trims, white space that a user wrote before
    /// the mark is removed; what the template wrote stays.
    static func prefix(of rendered: Text) -> Text? {
        let runs = rendered.runs
        guard let found = runs.last(where: { $0.origin == .mark }) else { return nil }
        // A space that the template itself writes there counts as the mark's, as it does in transformers.
        let space = found.range.lowerBound + mark.utf8.count - 1
        let isTrimmed = space >= rendered.count || rendered[space] != UInt8(ascii: " ")
        let before = rendered[0..<found.range.lowerBound]
        guard isTrimmed, let (range, origin) = before.runs.last, origin == .input else { return before }
        return before[0..<range.lowerBound + before[range].trimmed(start: false).count]
    }
}
