extension PatternParser {
    /// The quantifier that stands here, if one does.
    mutating func repetition() throws(PatternFault) -> PatternNode.Repetition? {
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
    private mutating func interval() throws(PatternFault) -> PatternNode.Repetition? {
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

    private mutating func number() throws(PatternFault) -> Int? {
        var value: Int?
        while let next, let digit = next.value >= 48 && next.value < 58 ? Int(next.value) - 48 : nil {
            value = (value ?? 0) * 10 + digit
            guard let value, value <= Self.mostRepeats else { throw PatternFault("a repetition of too many times") }
            position += 1
        }
        return value
    }
}
