/// The filters for lines, for HTML and for addresses.
extension Interpreter {
    func markupFilter(_ filter: Filter, _ value: Value, _ bound: [Value?]) throws(TemplateError) -> Text {
        switch filter {
        case .striptags: try withoutTags(try string(value))
        case .urlencode: try encoded(value)
        case .urlize: try linked(try escaped(value), bound)
        case .wordwrap: try wrapped(value, bound)
        default: try attributes(value, isSpaced: bound[0]?.isTrue ?? true)
        }
    }

    private func optionalInteger(_ value: Value?, _ what: String) throws(TemplateError) -> Int? {
        switch value {
        case nil, .some(.none): return nil
        case let value?:
            guard let integer = value.integer else { throw .operation("\(what) is an integer") }
            return integer
        }
    }

    private func optionalText(_ value: Value?, _ what: String) throws(TemplateError) -> Text? {
        switch value {
        case nil, .some(.none): return nil
        case .text(let text)?: return text
        case let value?: throw .operation("\(what) is a string, not \(value.typeName)")
        }
    }

    // MARK: Lines

    private func wrapped(_ value: Value, _ bound: [Value?]) throws(TemplateError) -> Text {
        if case .undefined(let undefined) = value { throw undefined.error }
        guard case .text(let text) = value else {
            throw .operation("'\(value.typeName)' object has no attribute 'splitlines'")
        }
        let wrap = WordWrap(
            width: try optionalInteger(bound[0] ?? .integer(79), "a width") ?? 0,
            breaksLongWords: bound[1]?.isTrue ?? true,
            breaksOnHyphens: bound[3]?.isTrue ?? true,
            budget: budget
        )
        let separator = try optionalText(bound[2], "a line break") ?? Text("\n")
        try budget.spend(bytes: text.count)
        var builder = TextBuilder(budget)
        for (index, range) in try lineRanges(of: text.plain).enumerated() {
            if index > 0 { try builder.append(separator) }
            for (number, line) in try wrap.lines(of: text.plain[range]).enumerated() {
                if number > 0 { try builder.append(separator) }
                try builder.append(line)
            }
        }
        return builder.finish()
    }

    // MARK: HTML

    /// The text without tags and comments, its white space made single spaces, its references replaced.
    private func withoutTags(_ text: Text) throws(TemplateError) -> Text {
        try budget.spend(bytes: text.count)
        let (ends, commentEnds) = (TextSearch(Text(">")), TextSearch(Text("-->")))
        var kept = TextBuilder(budget)
        var done = 0
        var offset = 0
        while offset < text.count {
            guard text[offset] == UInt8(ascii: "<") else {
                offset += 1
                continue
            }
            let isComment = text.hasPrefix(Text("<!--"), at: offset)
            let end =
                isComment
                ? commentEnds.first(in: text, from: offset + 4).map { $0 + 3 }
                : ends.first(in: text, from: offset).map { $0 + 1 }
            // What is not closed stays, whatever follows.
            guard let end else { break }
            try kept.append(text[done..<offset])
            (done, offset) = (end, end)
        }
        try kept.append(text[done..<text.count])
        let words = try split(kept.finish().plain, [nil, nil], fromEnd: false)
        return try HTMLEntities.replaced(in: try joined(words, [.text(Text(" ", .outside)), nil]), budget)
    }

    private func attributes(_ value: Value, isSpaced: Bool) throws(TemplateError) -> Text {
        if case .undefined(let undefined) = value { throw undefined.error }
        guard case .dict(let dict) = value else {
            throw .operation("'\(value.typeName)' object has no attribute 'items'")
        }
        var builder = TextBuilder(budget)
        for (key, value) in zip(dict.keys, dict.values) {
            if case .none = value { continue }
            if value.isUndefined { continue }
            guard case .text(let name) = key else { throw .operation("an attribute's name is a string") }
            let forbidden = Array(" \t\n\u{B}\u{C}\r/>=".utf8)
            guard !name.bytes.contains(where: forbidden.contains) else {
                throw .operation("Invalid character in attribute name: \(try repr(key).string)")
            }
            if isSpaced || builder.count > 0 { try builder.append(" ", .outside) }
            try builder.append(try escaped(name))
            try builder.append("=\"", .outside)
            try builder.append(try escaped(value))
            try builder.append("\"", .outside)
        }
        return builder.finish()
    }

    // MARK: Addresses

    private func encoded(_ value: Value) throws(TemplateError) -> Text {
        var builder = TextBuilder(budget)
        let pairs: [Value]
        switch value {
        case .dict(let dict): pairs = try Value.view(DictView(dict: dict, kind: .items)).elements(budget)
        case .list, .tuple, .range, .view, .iterator, .undefined, .loop: pairs = try value.elements(budget)
        default:
            try append(value, isQuery: false, to: &builder)
            return builder.finish()
        }
        for (index, pair) in pairs.enumerated() {
            let parts = try pair.elements(budget)
            guard parts.count == 2 else { throw .operation("urlencode needs pairs, not \(parts.count) values") }
            if index > 0 { try builder.append("&", .outside) }
            try append(parts[0], isQuery: true, to: &builder)
            try builder.append("=", .outside)
            try append(parts[1], isQuery: true, to: &builder)
        }
        return builder.finish()
    }

    /// Appends a value, its bytes in percent notation but for those that mean nothing in an address (RFC 3986, 2.3).
    private func append(_ value: Value, isQuery: Bool, to builder: inout TextBuilder) throws(TemplateError) {
        let text = try string(value)
        for offset in 0..<text.count {
            let byte = text[offset]
            let origin = text.origin(at: offset)
            switch byte {
            case UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "a")...UInt8(ascii: "z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"), UInt8(ascii: "."), UInt8(ascii: "-"),
                UInt8(ascii: "~"):
                try builder.append(byte, origin)
            case UInt8(ascii: "/") where !isQuery: try builder.append(byte, origin)
            case UInt8(ascii: " ") where isQuery: try builder.append(UInt8(ascii: "+"), origin)
            default:
                let digits = String(byte, radix: 16, uppercase: true)
                try builder.append(byte < 16 ? "%0\(digits)" : "%\(digits)", origin)
            }
        }
    }

    private func linked(_ text: Text, _ bound: [Value?]) throws(TemplateError) -> Text {
        var links = LinkedText(budget: budget)
        links.shownLength = try optionalInteger(bound[0], "a length")
        var relations: Set<Text> = [Text("noopener")]
        if bound[1]?.isTrue == true { relations.insert(Text("nofollow")) }
        if let written = try optionalText(bound[3], "rel") {
            for word in try split(written.plain, [nil, nil], fromEnd: false).elements(budget) {
                if case .text(let word) = word { relations.insert(word) }
            }
        }
        let target = try optionalText(bound[2], "target")
        var builder = TextBuilder(budget)
        for (index, relation) in relations.sorted(by: <).enumerated() {
            try builder.append(index == 0 ? " rel=\"" : " ", .outside)
            try builder.append(try escaped(relation))
        }
        try builder.append("\"", .outside)
        if let target, !target.isEmpty {
            try builder.append(" target=\"", .outside)
            try builder.append(try escaped(target))
            try builder.append("\"", .outside)
        }
        links.attributes = builder.finish()
        if let schemes = bound[4], !isNone(schemes) {
            for scheme in try schemes.elements(budget) {
                guard case .text(let text) = scheme, try LinkedText.isScheme(text, budget) else {
                    throw .operation("\(try repr(scheme).string) is not a valid URI scheme prefix.")
                }
                links.schemes.append(text)
            }
        }
        return try links.linked(text.plain)
    }
}
