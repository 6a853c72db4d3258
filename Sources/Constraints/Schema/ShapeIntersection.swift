/// What two shapes have in common.
struct ShapeIntersection {
    /// The common values, or nil if there are none for certain.
    static func of(_ left: Shape, _ right: Shape, _ pool: inout RegexPool) -> Shape? {
        var result = Shape()
        result.words = left.words.intersection(right.words)
        if let first = left.number, let second = right.number {
            let both = first.intersection(second)
            if both.values?.isEmpty != true { result.number = both }
        }
        if let first = left.string, let second = right.string { result.string = of(first, second, &pool) }
        if let first = left.array, let second = right.array { result.array = of(first, second) }
        if let first = left.object, let second = right.object { result.object = of(first, second) }
        return result.isEmpty ? nil : result
    }

    private static func of(_ left: StringShape, _ right: StringShape, _ pool: inout RegexPool) -> StringShape? {
        if let values = left.values ?? right.values {
            let other = left.values == nil ? left : right
            if let others = other.values.map({ Set($0) }) {
                let kept = values.filter(others.contains)
                return kept.isEmpty ? nil : StringShape(values: kept)
            }
            let kept = values.filter { admits(other, $0, &pool) }
            return kept.isEmpty ? nil : StringShape(values: kept)
        }
        var result = StringShape()
        result.least = max(left.least, right.least)
        result.most = least(left.most, right.most)
        if let most = result.most, most < result.least { return nil }
        if let first = left.expression, let second = right.expression {
            result.expression = pool.intersection(first, second)
        } else {
            result.expression = left.expression ?? right.expression
        }
        return result.expression == RegexPool.nothing ? nil : result
    }

    /// Whether a string, as UTF-8, is among those of a shape.
    static func admits(_ shape: StringShape, _ text: [UInt8], _ pool: inout RegexPool) -> Bool {
        if let values = shape.values { return values.contains(text) }
        let length = text.count { $0 & 0xC0 != 0x80 }
        guard length >= shape.least, shape.most.map({ length <= $0 }) ?? true else { return false }
        return shape.expression.map { pool.matches($0, RegexPool.jsonString(text)) } ?? true
    }

    private static func of(_ left: ArrayShape, _ right: ArrayShape) -> ArrayShape? {
        var result = ArrayShape()
        result.least = max(left.least, right.least)
        result.most = least(left.most, right.most)
        if let most = result.most, most < result.least { return nil }
        result.rules = union(left.rules, right.rules)
        return result
    }

    private static func of(_ left: ObjectShape, _ right: ObjectShape) -> ObjectShape? {
        var result = ObjectShape()
        result.least = max(left.least, right.least)
        result.most = least(left.most, right.most)
        if let most = result.most, most < result.least { return nil }
        result.rules = union(left.rules, right.rules)
        result.required = union(left.required, right.required)
        return result
    }

    /// The elements of both, each once; those of each side are different already.
    private static func union<Element: Hashable>(_ left: [Element], _ right: [Element]) -> [Element] {
        if left.isEmpty { return right }
        return right.isEmpty || left == right ? left : (left + right).unique
    }

    private static func least(_ left: Int?, _ right: Int?) -> Int? {
        guard let left, let right else { return left ?? right }
        return min(left, right)
    }
}

extension RegexPool {
    /// Whether a whole text matches.
    mutating func matches(_ expression: RegexID, _ text: [UInt8]) -> Bool {
        var state = expression
        for byte in text {
            guard let edge = edges(of: state).first(where: { $0.low <= byte && byte <= $0.high }) else { return false }
            state = edge.target
        }
        return self[state].isNullable
    }
}
