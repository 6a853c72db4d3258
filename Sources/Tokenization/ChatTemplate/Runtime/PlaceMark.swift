/// The end of a marked text, and how it is found again.
enum PlaceMark {
    /// A letter, which no trimming takes, and a space, which every trimming takes: so what is rendered tells whether
    /// the template trims what it is given.
    private static let mark = "M "

    static func appended(to text: Text) throws(TemplateError) -> Text {
        try text.appending(Text(mark, .mark), Budget(steps: .max))
    }

    /// What is before the last mark, trimmed at its end if the template trims; nil if there is no mark.
    static func prefix(of rendered: Text) -> Text? {
        let stretches = rendered.stretches
        guard let found = stretches.last(where: { $0.origin == .mark }) else { return nil }
        let isTrimmed = found.range.count < mark.utf8.count
        let before = rendered[0..<found.range.lowerBound]
        return isTrimmed ? before.trimmed(start: false) : before
    }
}
