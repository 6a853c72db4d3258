/// The methods that look for texts in texts.
extension Interpreter {
    /// The part of a text that optional positions name.
    private func part(
        of text: Text,
        _ bound: [Value?],
        _ method: StringMethod
    ) throws(TemplateError) -> (text: Text, start: Int, isInside: Bool) {
        let start = try integer(bound[1], of: method)
        let end = try integer(bound[2], of: method)
        if start == nil, end == nil { return (text, 0, true) }
        let length = text.length
        let indices = try SliceIndices(start: start, stop: end, step: 1, length: length)
        let first = text.offset(ofScalar: indices.first)
        let last = first + text[first..<text.count].offset(ofScalar: indices.count)
        // Even the empty text is not found after the end, or between positions that cross.
        let stop = end.map { $0 < 0 ? $0 + length : $0 } ?? length
        return (text[first..<last], indices.first, (start ?? 0) <= length && indices.first <= max(0, stop))
    }

    func hasAffix(_ text: Text, _ method: StringMethod, _ bound: [Value?]) throws(TemplateError) -> Bool {
        let part = try part(of: text, bound, method)
        var affixes: [Value] = []
        if case .tuple(let list)? = bound[0] { affixes = Array(list.elements) } else { affixes = [bound[0] ?? .none] }
        for affix in affixes {
            guard case .text(let affix) = affix else {
                throw .operation("\(method.rawValue) first arg must be str or a tuple of str, not \(affix.typeName)")
            }
            try budget.spend(bytes: affix.count)
            guard part.isInside else { continue }
            if method == .startswith ? part.text.hasPrefix(affix) : part.text.hasSuffix(affix) { return true }
        }
        return false
    }

    func search(_ text: Text, _ method: StringMethod, _ bound: [Value?]) throws(TemplateError) -> Value {
        let pattern = try self.text(bound[0], of: method)
        let part = try part(of: text, bound, method)
        try budget.spend(bytes: text.count + pattern.count)
        if method == .count {
            guard part.isInside else { return .integer(0) }
            return .integer(pattern.isEmpty ? part.text.length + 1 : TextSearch(pattern).all(in: part.text).count)
        }
        let fromEnd = method == .rfind || method == .rindex
        if part.isInside, let place = place(of: pattern, in: part.text, fromEnd: fromEnd) {
            return .integer(part.start + part.text.length(of: 0..<place))
        }
        guard method == .find || method == .rfind else { throw .operation("substring not found") }
        return .integer(-1)
    }

    private func place(of pattern: Text, in text: Text, fromEnd: Bool) -> Int? {
        if pattern.isEmpty { return fromEnd ? text.count : 0 }
        let search = TextSearch(pattern)
        return fromEnd ? search.allFromEnd(in: text, atMost: 1).first : search.first(in: text)
    }

    func partition(_ text: Text, _ bound: [Value?], fromEnd: Bool) throws(TemplateError) -> Value {
        let separator = try self.text(bound[0], of: .partition)
        guard !separator.isEmpty else { throw .operation("empty separator") }
        try budget.spend(bytes: separator.count)
        guard let place = place(of: separator, in: text, fromEnd: fromEnd) else {
            let parts = fromEnd ? [Text.empty, .empty, text] : [text, .empty, .empty]
            return .tuple(try ListValue(parts.map(Value.text)))
        }
        let end = place + separator.count
        let parts = [text[0..<place], text[place..<end], text[end..<text.count]]
        return .tuple(try ListValue(parts.map(Value.text)))
    }

    // MARK: Splitting

    func split(_ text: Text, _ bound: [Value?], fromEnd: Bool) throws(TemplateError) -> Value {
        let limit = try integer(bound[1], of: .split) ?? -1
        let parts: [Range<Int>]
        switch bound[0] {
        case nil, .some(.none): parts = words(of: text, limit < 0 ? .max : limit, fromEnd: fromEnd)
        default:
            let separator = try self.text(bound[0], of: .split)
            guard !separator.isEmpty else { throw .operation("empty separator") }
            try budget.spend(bytes: separator.count)
            parts = pieces(of: text, separator, limit < 0 ? .max : limit, fromEnd: fromEnd)
        }
        try budget.spend(parts.count)
        return .list(try ListValue(parts.map { .text(text[$0]) }))
    }

    private func pieces(of text: Text, _ separator: Text, _ limit: Int, fromEnd: Bool) -> [Range<Int>] {
        let search = TextSearch(separator)
        let places =
            fromEnd ? search.allFromEnd(in: text, atMost: limit).reversed() : search.all(in: text, atMost: limit)
        var result: [Range<Int>] = []
        var start = 0
        for place in places {
            result.append(start..<place)
            start = place + separator.count
        }
        result.append(start..<text.count)
        return result
    }

    /// Words between white space. The last, or the first if `fromEnd`, is all that is left after `limit` cuts.
    private func words(of text: Text, _ limit: Int, fromEnd: Bool) -> [Range<Int>] {
        var result: [Range<Int>] = []
        var rest = 0..<text.count
        func trim() {
            let trimmed = text[rest].trimmed(start: !fromEnd, end: fromEnd)
            rest = trimmed.start - text.start..<trimmed.end - text.start
        }
        trim()
        while !rest.isEmpty {
            guard result.count < limit else {
                result.append(rest)
                break
            }
            let rests = text[rest].trimmed(start: !fromEnd, end: fromEnd) { !$0.isPythonSpace }
            let bounds = rests.start - text.start..<rests.end - text.start
            result.append(fromEnd ? bounds.upperBound..<rest.upperBound : rest.lowerBound..<bounds.lowerBound)
            rest = bounds
            trim()
        }
        return fromEnd ? result.reversed() : result
    }

    func lines(of text: Text, keepsEnds: Bool) throws(TemplateError) -> Value {
        .list(try ListValue(try lineRanges(of: text, keepsEnds: keepsEnds).map { .text(text[$0]) }))
    }

    /// The lines of a text, as `str.splitlines` cuts them.
    func lineRanges(of text: Text, keepsEnds: Bool = false) throws(TemplateError) -> [Range<Int>] {
        var result: [Range<Int>] = []
        var start = 0
        var offset = 0
        while offset < text.count {
            var (scalar, end) = text.scalar(at: offset)
            let lineEnd = offset
            offset = end
            guard scalar.isPythonLineBreak else { continue }
            if scalar == "\r", end < text.count, text[end] == .lineFeed { end += 1 }
            result.append(start..<(keepsEnds ? end : lineEnd))
            start = end
            offset = end
        }
        if start < text.count { result.append(start..<text.count) }
        try budget.spend(result.count)
        return result
    }
}
