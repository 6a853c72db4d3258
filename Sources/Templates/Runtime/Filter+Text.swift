/// The filters that make texts.
extension Interpreter {
    func textFilter(_ filter: Filter, _ value: Value, _ bound: [Value?]) throws(TemplateError) -> Text {
        switch filter {
        case .escape: return try escaped(value)
        case .safe: return try string(value).markup
        case .indent: return try indented(value, bound)
        case .replace:
            let (old, new) = (try string(bound[0] ?? .none), try string(bound[1] ?? .none))
            return try replace(in: try string(value).plain, old, new, try count(bound[2]))
        default: break
        }
        let text = try string(value)
        try budget.spend(bytes: text.count)
        let result: Text
        switch filter {
        case .forceEscape: return try escaped(text.isMarkup ? text.plain : text)
        case .string: return text
        case .capitalize: result = try changeCase(of: text, .capitalize)
        case .lower: result = try changeCase(of: text, .lower)
        case .upper: result = try changeCase(of: text, .upper)
        case .title: return try titled(text)
        default:
            switch bound[0] {
            case nil, .some(.none): result = text.trimmed()
            case .text(let characters)?: result = try strip(text, characters: characters, start: true, end: true)
            case let value?: throw .operation("strip arg must be None or str, not \(value.typeName)")
            }
        }
        return text.isMarkup ? result.markup : result
    }

    private func count(_ value: Value?) throws(TemplateError) -> Int {
        switch value {
        case nil, .some(.none): return -1
        case let value?:
            guard let count = value.integer else { throw .operation("a count is an integer") }
            return count
        }
    }

    /// HTML's escapes, unless the value is safe.
    func escaped(_ value: Value) throws(TemplateError) -> Text { try escaped(try string(value)) }

    func escaped(_ text: Text) throws(TemplateError) -> Text {
        if text.isMarkup { return text }
        try budget.spend(bytes: text.count)
        var builder = TextBuilder(budget)
        var start = 0
        for offset in 0..<text.count {
            guard let escape = Interpreter.escapes[text[offset]] else { continue }
            try builder.append(text[start..<offset])
            try builder.append(escape, text.origin(at: offset))
            start = offset + 1
        }
        try builder.append(text[start..<text.count])
        return builder.finish().markup
    }

    private static let escapes: [UInt8: String] = [
        UInt8(ascii: "&"): "&amp;", UInt8(ascii: "<"): "&lt;", UInt8(ascii: ">"): "&gt;", UInt8(ascii: "'"): "&#39;",
        UInt8(ascii: "\""): "&#34;",
    ]

    private static let wordStarts = Set("-({[<".unicodeScalars)

    /// Every word with a capital; words begin after white space, hyphens and opening brackets.
    private func titled(_ text: Text) throws(TemplateError) -> Text {
        var builder = TextBuilder(budget)
        var start = 0
        var isSeparator: Bool?
        func isSeparating(_ scalar: Unicode.Scalar) -> Bool {
            scalar.isPythonSpace || Interpreter.wordStarts.contains(scalar)
        }
        func flush(upTo end: Int, _ builder: inout TextBuilder) throws(TemplateError) {
            guard start < end else { return }
            let first = text.scalar(at: start).end
            try builder.append(try changeCase(of: text[start..<first], .upper))
            try builder.append(try changeCase(of: text[first..<end], .lower))
            start = end
        }
        var offset = 0
        while offset < text.count {
            let (scalar, end) = text.scalar(at: offset)
            let separates = isSeparating(scalar)
            if let isSeparator, isSeparator != separates { try flush(upTo: offset, &builder) }
            isSeparator = separates
            offset = end
        }
        try flush(upTo: text.count, &builder)
        return builder.finish()
    }

    private func indented(_ value: Value, _ bound: [Value?]) throws(TemplateError) -> Text {
        if case .undefined(let undefined) = value { throw undefined.error }
        guard case .text(let text) = value else {
            throw .operation("unsupported operand type(s) for +=: '\(value.typeName)' and 'str'")
        }
        let indent: Text
        if case .text(let written)? = bound[0] {
            indent = text.isMarkup ? try escaped(written) : written
        } else {
            guard let width = (bound[0] ?? .integer(4)).integer else { throw .operation("a width is an integer") }
            var builder = TextBuilder(budget)
            try builder.append(Text(" "), times: width)
            indent = builder.finish()
        }
        try budget.spend(bytes: text.count)
        let newline = Text("\n")
        // A line break at the end begins another, empty line.
        let whole = try text.appending(newline, budget)
        var builder = TextBuilder(budget)
        if bound[1]?.isTrue == true { try builder.append(indent) }
        for (index, range) in try lineRanges(of: whole).enumerated() {
            if index > 0 {
                try builder.append(newline)
                if bound[2]?.isTrue == true || !range.isEmpty { try builder.append(indent) }
            }
            try builder.append(whole[range])
        }
        return text.isMarkup ? builder.finish().markup : builder.finish()
    }

    func truncated(_ value: Value, _ bound: [Value?]) throws(TemplateError) -> Value {
        let ending = try bound[2].map { (value) throws(TemplateError) in try string(value) } ?? Text("...")
        guard let length = (bound[0] ?? .integer(255)).integer, length >= ending.length else {
            throw .operation("expected length >= \(ending.length)")
        }
        var leeway = 5
        if let given = bound[3], case .integer(let integer) = given { leeway = integer }
        guard leeway >= 0 else { throw .operation("expected leeway >= 0") }
        let (longest, overflow) = length.addingReportingOverflow(leeway)
        let isShort = try value.length(budget) <= longest
        if overflow || isShort { return value }
        guard case .text(let text) = value else { throw .operation("only a string can be truncated") }
        var kept = text[0..<text.offset(ofScalar: length - ending.length)]
        if bound[1]?.isTrue != true, let space = kept.bytes.lastIndex(of: UInt8(ascii: " ")) {
            kept = kept[0..<space - kept.start]
        }
        return .text(try kept.appending(ending, budget))
    }

    func wordCount(of text: Text) throws(TemplateError) -> Int {
        var count = 0
        var isInWord = false
        try text.forEachScalar { (scalar, _) throws(TemplateError) in
            let isWord = scalar.isPythonWord
            if isWord, !isInWord { count += 1 }
            isInWord = isWord
            return true
        }
        return count
    }

    func format(_ value: Value, _ arguments: Arguments) throws(TemplateError) -> Value {
        guard arguments.positional.isEmpty || arguments.named.isEmpty else {
            throw .operation("can't handle positional and keyword arguments at the same time")
        }
        let format = try string(value)
        guard arguments.named.isEmpty else {
            let mapping = try DictValue(arguments.named.map { (.string($0.name), $0.value) }, budget)
            return .text(try PercentFormat.formatted(format, .dict(mapping), self))
        }
        return .text(try PercentFormat.formatted(format, .tuple(try ListValue(arguments.positional)), self))
    }

    func joined(_ value: Value, _ bound: [Value?]) throws(TemplateError) -> Text {
        let separator = try bound[0].map { (value) throws(TemplateError) in try string(value) } ?? .empty
        let path = try AttributePath(bound[1])
        var builder = TextBuilder(budget)
        for (index, element) in try value.elements(budget).enumerated() {
            if index > 0 { try builder.append(separator) }
            try builder.append(try string(try path.value(in: element, self)))
        }
        return builder.finish()
    }

    // MARK: Addresses

    /// A value, or the pairs of a mapping or sequence, as the query of an address has them.
    func urlEncoded(_ value: Value) throws(TemplateError) -> Text {
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
            if index > 0 { try builder.append("&", .input) }
            try append(parts[0], isQuery: true, to: &builder)
            try builder.append("=", .input)
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
}
