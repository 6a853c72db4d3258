/// Reads regular expressions in Oniguruma's own syntax, which is that of `tokenizer.json`.
///
/// It differs from others in places: `{n,m}+` repeats the repetition, `{n}?` may be left out, `(?m)` lets the dot match
/// line breaks, `^` and `$` always mean lines, classes nest and intersect. What no tokenizer uses (back references,
/// calls, absence) is an error, and so is ignoring case beyond ASCII, where Oniguruma has special rules.
struct PatternParser {
    /// Bounds to what a hostile file can make of a pattern.
    static let deepest = 50
    static let mostRepeats = 1000

    private(set) var scalars: [Unicode.Scalar]
    var position = 0
    var options = Options()
    private var depth = 0

    struct Options {
        var ignoresCase = false
        var dotMatchesLineBreaks = false
    }

    static func parse(_ pattern: String) throws(PatternError) -> PatternNode {
        var parser = PatternParser(scalars: Array(pattern.unicodeScalars))
        let node = try parser.alternatives()
        guard parser.next == nil else { throw PatternError("a ')' without its '('") }
        return node
    }

    private init(scalars: [Unicode.Scalar]) { self.scalars = scalars }

    var next: Unicode.Scalar? { position < scalars.count ? scalars[position] : nil }

    mutating func take(_ scalar: Unicode.Scalar) -> Bool {
        guard next == scalar else { return false }
        position += 1
        return true
    }

    mutating func take(_ text: String) -> Bool {
        guard scalars[position...].starts(with: text.unicodeScalars) else { return false }
        position += text.unicodeScalars.count
        return true
    }

    mutating func required() throws(PatternError) -> Unicode.Scalar {
        guard let next else { throw PatternError("it ends too early") }
        position += 1
        return next
    }

    /// Runs a deeper level of the grammar, up to a bound.
    mutating func nested<Result>(
        _ body: (inout PatternParser) throws(PatternError) -> Result
    ) throws(PatternError) -> Result {
        guard depth < Self.deepest else { throw PatternError("nested too deeply") }
        depth += 1
        defer { depth -= 1 }
        return try body(&self)
    }

    private mutating func alternatives() throws(PatternError) -> PatternNode {
        var parts = [try sequence()]
        while take("|") { parts.append(try sequence()) }
        return parts.count == 1 ? parts[0] : .alternatives(parts)
    }

    private mutating func sequence() throws(PatternError) -> PatternNode {
        var parts: [PatternNode] = []
        var lastLetter: Unicode.Scalar?
        while let next, next != "|", next != ")" {
            let start = position
            var part = try term()
            if let part { try checkFolding(part, from: start, after: &lastLetter) }
            while let present = part, let repetition = try repetition() {
                part = try Self.repeating(present, repetition)
                lastLetter = nil
            }
            if let part { parts.append(part) }
        }
        return parts.count == 1 ? parts[0] : .sequence(parts)
    }

    private static func repeating(
        _ node: PatternNode,
        _ repetition: PatternNode.Repetition
    ) throws(PatternError) -> PatternNode {
        if case .look = node { throw PatternError("a repeated look-around, which is not supported") }
        if case .anchor = node { throw PatternError("a repeated anchor, which is not supported") }
        // Where one round may be empty, Oniguruma stops repeating or does not, by how large the group is.
        guard repetition.most <= 1 || !node.mayBeEmpty else {
            throw PatternError("a repetition of what may be empty, which is not supported")
        }
        return .repeated(node, repetition)
    }

    /// Without regard to case, Oniguruma lets some letters together stand for one (`ss` for `ß`, `fi` for `ﬁ`). Such
    /// patterns are refused rather than read otherwise.
    private func checkFolding(
        _ part: PatternNode,
        from start: Int,
        after last: inout Unicode.Scalar?
    ) throws(PatternError) {
        guard options.ignoresCase, position == start + 1 else { return last = nil }
        let letter = scalars[start].properties.lowercaseMapping.unicodeScalars.first
        if let previous = last, let letter {
            let pair = String(previous) + String(letter)
            guard !["ss", "ff", "fi", "fl", "st"].contains(pair) else {
                throw PatternError("'\(pair)' without regard to case, which is not supported")
            }
        }
        last = letter
    }

    /// One term, or nil for a comment.
    private mutating func term() throws(PatternError) -> PatternNode? {
        let scalar = try required()
        switch scalar {
        case "(": return try nested { parser throws(PatternError) in try parser.group() }
        case "[": return .scalar(try nested { parser throws(PatternError) in try parser.characterClass() })
        case ".": return .scalar(options.dotMatchesLineBreaks ? .all : ScalarRanges(10).complement)
        case "^": return .anchor(.lineStart)
        case "$": return .anchor(.lineEnd)
        case "\\": return try escape()
        case "*", "+", "?": throw PatternError("nothing to repeat")
        default: return .scalar(try folded(ScalarRanges(scalar.value)))
        }
    }

    private mutating func group() throws(PatternError) -> PatternNode? {
        let outer = options
        defer { options = outer }
        guard take("?") else { return try closed() }
        if take("#") {
            while try required() != ")" {}
            return nil
        }
        if take(":") { return try closed() }
        if take("=") { return .look(try closed(), isBehind: false, isNegated: false) }
        if take("!") { return .look(try closed(), isBehind: false, isNegated: true) }
        if take(">") { return .atomic(try closed()) }
        if take("<=") { return try behind(isNegated: false) }
        if take("<!") { return try behind(isNegated: true) }
        if take("<") || take("'") {
            while true {
                let scalar = try required()
                if scalar == ">" || scalar == "'" { return try closed() }
            }
        }
        try readOptions()
        if take(":") { return try closed() }
        // `(?i)` holds to the end of the group around it, alternatives and all.
        guard take(")") else { throw PatternError("a group of an unknown kind") }
        return try alternatives()
    }

    private mutating func closed() throws(PatternError) -> PatternNode {
        let node = try alternatives()
        guard take(")") else { throw PatternError("a '(' without its ')'") }
        return node
    }

    private mutating func behind(isNegated: Bool) throws(PatternError) -> PatternNode {
        let body = try closed()
        guard body.fixedLength != nil else {
            throw PatternError("a look-behind of no fixed length, which is not supported")
        }
        return .look(body, isBehind: true, isNegated: isNegated)
    }

    private mutating func readOptions() throws(PatternError) {
        var isOn = true
        while let next, next != ":", next != ")" {
            switch next {
            case "-": isOn = false
            case "i": options.ignoresCase = isOn
            case "m": options.dotMatchesLineBreaks = isOn
            default: throw PatternError("the option '\(next)', which is not supported")
            }
            position += 1
        }
    }
}

extension PatternParser {
    /// The quantifier that stands here, if one does.
    mutating func repetition() throws(PatternError) -> PatternNode.Repetition? {
        var repetition: PatternNode.Repetition
        if take("*") {
            repetition = .init(least: 0, most: .max)
        } else if take("+") {
            repetition = .init(least: 1, most: .max)
        } else if take("?") {
            repetition = .init(least: 0, most: 1)
        } else {
            return try interval()
        }
        if take("?") { repetition.mode = .lazy } else if take("+") { repetition.mode = .possessive }
        return repetition
    }

    /// `{n}`, `{n,}`, `{,m}`, `{n,m}`. A brace that begins nothing of the kind stands for itself.
    private mutating func interval() throws(PatternError) -> PatternNode.Repetition? {
        let start = position
        guard take("{") else { return nil }
        let least = try number()
        let hasComma = take(",")
        let most = hasComma ? try number() : least
        guard least != nil || most != nil, take("}") else {
            position = start
            return nil
        }
        var result = PatternNode.Repetition(least: least ?? 0, most: most ?? .max)
        if result.least > result.most {
            result = .init(least: result.most, most: result.least, mode: .possessive)
        } else if hasComma, take("?") {
            result.mode = .lazy
        }
        return result
    }

    private mutating func number() throws(PatternError) -> Int? {
        var value: Int?
        while let next, let digit = next.value >= 48 && next.value < 58 ? Int(next.value) - 48 : nil {
            value = (value ?? 0) * 10 + digit
            guard let value, value <= Self.mostRepeats else { throw PatternError("a repetition of too many times") }
            position += 1
        }
        return value
    }
}
