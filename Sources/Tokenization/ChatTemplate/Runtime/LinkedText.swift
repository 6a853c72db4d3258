/// Web and mail addresses made links, as Jinja's `urlize` makes them.
struct LinkedText {
    /// The longest address that is shown whole, in characters.
    var shownLength: Int?
    /// Of links to web pages.
    var attributes = Text.empty
    /// Beginnings of further addresses.
    var schemes: [Text] = []
    let budget: Budget
    private let opening = ["(", "<", "&lt;"].map { Text($0) }
    /// In the order of `opening`.
    private let closing = [")", ">", "&gt;"].map { Text($0) }
    private let trailing = [")", ">", "&gt;", ".", ","].map { Text($0) }

    init(budget: Budget) { self.budget = budget }

    private static let word = #"[\p{L}\p{N}_]"#
    private static let wordPart = #"[\p{L}\p{N}_%\-]"#
    private static let nonSpace = #"[^\s\x1C-\x1F]"#

    private static let web = Result { () throws(PatternFault) in
        let http = "[hH][tT][tT][pP][sS]?://"
        let named = "(?:\(http)|[wW][wW][wW]\\.)(?:\(wordPart)+\\.)*"
        let top = "(?:[a-zA-Z]{2,63}|[xX][nN]--[\\p{L}\\p{N}_%]{2,59})"
        let known = ["com", "net", "int", "edu", "gov", "org", "info", "mil"].map { name in
            name.map { "[\($0)\($0.uppercased())]" }.joined()
        }
        let bare = "(?:\(wordPart){2,63}\\.)+(?:\(known.joined(separator: "|")))"
        let four = #"\p{Nd}{1,3}(?:\.\p{Nd}{1,3}){3}"#
        let hex = #"[\p{Nd}a-fA-F]"#
        let six = "\\[(?:\(hex){0,4}:){2}(?:\(hex){1,4}:?|:){0,6}\\]"
        let place = "(?:\(named)\(top)|\(bare)|\(http)(?:\(four)|\(six)))"
        return try Pattern(#"\A\#(place)(?::\p{Nd}{1,5})?(?:[/?#]\#(nonSpace)*)?\z"#)
    }
    private static let mail = Result { () throws(PatternFault) in
        try Pattern(#"\A\#(nonSpace)+@\#(word)[\p{L}\p{N}_.\-]*\.\#(word)+\z"#)
    }
    private static let scheme = Result { () throws(PatternFault) in try Pattern(#"\A[\p{L}\p{N}_.+\-]{2,}:/{0,2}\z"#) }

    static func isScheme(_ text: Text, _ budget: Budget) throws(TemplateError) -> Bool {
        try !text.matches(of: scheme, budget).isEmpty
    }

    /// - Parameter text: with its HTML escaped.
    func linked(_ text: Text) throws(TemplateError) -> Text {
        var builder = TextBuilder(budget)
        var start = 0
        try text.forEachScalar { (scalar, range) throws(TemplateError) in
            guard scalar.isPythonSpace else { return true }
            try append(text[start..<range.lowerBound], to: &builder)
            try builder.append(text[range])
            start = range.upperBound
            return true
        }
        try append(text[start..<text.count], to: &builder)
        return builder.finish()
    }

    /// Appends a word, with a link in it if it is an address between punctuation.
    private func append(_ word: Text, to builder: inout TextBuilder) throws(TemplateError) {
        guard !word.isEmpty else { return }
        try budget.spend(bytes: word.count)
        var start = 0
        while let mark = opening.first(where: { word.hasPrefix($0, at: start) }) { start += mark.count }
        var end = word.count
        while end > start, let mark = trailing.first(where: { word[start..<end].hasSuffix($0) }) {
            end -= mark.count
        }
        // Of brackets that the address opens, the closing ones belong to it.
        for (opening, closing) in zip(self.opening, self.closing) {
            let middle = word[start..<end]
            let opened = TextSearch(opening).all(in: middle).count
            guard opened > TextSearch(closing).all(in: middle).count else { continue }
            let ends = TextSearch(closing).all(in: word[end..<word.count], atMost: opened)
            if let last = ends.last { end += last + closing.count }
        }
        try builder.append(word[0..<start])
        try appendLink(word[start..<end], to: &builder)
        try builder.append(word[end..<word.count])
    }

    private func appendLink(_ text: Text, to builder: inout TextBuilder) throws(TemplateError) {
        func starts(_ beginning: String) -> Bool { text.hasPrefix(Text(beginning)) }
        func append(_ scheme: String, _ attributes: Text, shown: Text) throws(TemplateError) {
            try builder.append("<a href=\"\(scheme)", .outside)
            try builder.append(text)
            try builder.append("\"", .outside)
            try builder.append(attributes)
            try builder.append(">", .outside)
            try builder.append(shown)
            try builder.append("</a>", .outside)
        }
        if try !text.matches(of: Self.web, budget).isEmpty {
            let isWhole = starts("https://") || starts("http://")
            return try append(isWhole ? "" : "https://", attributes, shown: try shortened(text))
        }
        let address = text[(starts("mailto:") ? 7 : 0)..<text.count]
        if starts("mailto:"), try !address.matches(of: Self.mail, budget).isEmpty {
            return try append("", .empty, shown: address)
        }
        if text.bytes.contains(UInt8(ascii: "@")), !text.bytes.contains(UInt8(ascii: ":")),
            !starts("www."), !starts("@"),
            try !text.matches(of: Self.mail, budget).isEmpty
        {
            return try append("mailto:", .empty, shown: text)
        }
        if schemes.contains(where: { text.count > $0.count && text.hasPrefix($0) }) {
            return try append("", attributes, shown: text)
        }
        try builder.append(text)
    }

    private func shortened(_ text: Text) throws(TemplateError) -> Text {
        guard let shownLength, text.length > shownLength else { return text }
        let indices = try SliceIndices(start: nil, stop: shownLength, step: nil, length: text.length)
        return try text.sliced(indices, budget).appending(Text("...", .outside), budget)
    }
}
