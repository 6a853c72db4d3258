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
