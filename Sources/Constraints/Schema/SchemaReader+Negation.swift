import JSON

/// What schemas do not accept, as far as that is a schema again.
extension SchemaReader {
    /// Keywords that say nothing about values.
    private static let annotations: Set<String> = [
        "$schema", "$id", "id", "$comment", "$anchor", "$defs", "definitions", "title", "description", "default",
        "examples", "example", "deprecated", "readOnly", "writeOnly", "then", "else", "additionalItems",
    ]

    /// The values that break at least one keyword.
    mutating func negated(_ node: JSONNode, _ pool: inout RegexPool) throws(SchemaError) -> [Shape] {
        if let flag = try? node.bool() { return flag ? [] : [.any] }
        guard let members = try? node.members() else {
            throw SchemaError(.malformed, node, "is neither an object nor true or false")
        }
        var keywords: [String: JSONNode] = [:]
        for member in members { keywords[member.name] = member.value }
        var lists: [[Shape]] = []
        for name in keywords.keys.sorted() where !Self.annotations.contains(name) {
            guard let value = keywords[name] else { continue }
            lists.append(try negation(name, value, keywords, &pool))
        }
        return Self.union(lists)
    }

    private mutating func negation(
        _ name: String,
        _ value: JSONNode,
        _ keywords: [String: JSONNode],
        _ pool: inout RegexPool
    ) throws(SchemaError) -> [Shape] {
        switch name {
        case "type": return [try otherTypes(value)]
        case "enum": return [try otherValues(try values(value), value, &pool)]
        case "const": return [try otherValues([try constant(value)], value, &pool)]
        case "required": return try missing(value)
        case "properties": return try broken(value)
        case "not": return try shapes(of: document.atom(value), &pool)
        case "$ref":
            let target = try document.target(of: value)
            return try shapes(of: document.atom(target, .negated), &pool)
        case "anyOf":
            var atoms: [SchemaAtom] = []
            for element in try schemas(value) { atoms.append(document.atom(element, .negated)) }
            return try shapes(of: atoms, &pool)
        case "allOf":
            var lists: [[Shape]] = []
            for element in try schemas(value) { lists.append(try shapes(of: document.atom(element, .negated), &pool)) }
            return Self.union(lists)
        case "pattern", "minLength", "maxLength", "minItems", "maxItems", "minProperties", "maxProperties", "minimum",
            "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf":
            return [try beyond(name, value, keywords, &pool)].compactMap { $0 }
        default: throw SchemaError(.unsupported, value, "cannot be enforced within not, oneOf or if")
        }
    }

    private func otherTypes(_ value: JSONNode) throws(SchemaError) -> Shape {
        let types = try Self.types(value)
        var shape = Shape.any
        shape.words.subtract(types.words)
        if let number = types.number {
            // What is no integer is no multiple of one.
            shape.number = number.isInteger ? NumberShape(nondivisors: [DecimalNumber(1)]) : nil
        }
        if types.string != nil { shape.string = nil }
        if types.array != nil { shape.array = nil }
        if types.object != nil { shape.object = nil }
        return shape
    }

    private func otherValues(
        _ values: [Shape],
        _ node: JSONNode,
        _ pool: inout RegexPool
    ) throws(SchemaError) -> Shape {
        var shape = Shape.any
        var texts: [[UInt8]] = []
        for value in values {
            guard value.array == nil, value.object == nil else {
                throw SchemaError(.unsupported, node, "excludes an array or object, which cannot be enforced")
            }
            shape.words.subtract(value.words)
            shape.number?.excluded.formUnion(value.number?.values ?? [])
            texts += value.string?.values ?? []
        }
        if !texts.isEmpty {
            let listed = pool.strings(texts)
            shape.string?.expression = pool.intersection(pool.plainString(), pool.complement(listed))
        }
        return shape
    }

    /// Objects without one of the names.
    private func missing(_ value: JSONNode) throws(SchemaError) -> [Shape] {
        guard let names = try? value.elements(atMost: Self.mostShapes) else { return [] }
        var shapes: [Shape] = []
        for name in names {
            guard let name = try? name.bytes() else { throw SchemaError(.malformed, value, "is no list of names") }
            let rule = ObjectShape.Rule(members: [.init(name: name, atoms: [.never])])
            shapes.append(Shape(object: ObjectShape(rules: [rule])))
        }
        return shapes
    }

    /// Objects in which one of the members is there and wrong.
    private mutating func broken(_ value: JSONNode) throws(SchemaError) -> [Shape] {
        guard let members = try? value.members(atMost: Self.mostShapes) else {
            throw SchemaError(.malformed, value, "is no object, or too large")
        }
        var shapes: [Shape] = []
        for member in members {
            let atom = document.atom(member.value, .negated)
            let rule = ObjectShape.Rule(members: [.init(name: member.nameBytes, atoms: [atom])])
            shapes.append(Shape(object: ObjectShape(rules: [rule], required: [member.nameBytes])))
        }
        return shapes
    }

    /// Values of a type that exceed a limit of it; nil if none can.
    private mutating func beyond(
        _ name: String,
        _ value: JSONNode,
        _ keywords: [String: JSONNode],
        _ pool: inout RegexPool
    ) throws(SchemaError) -> Shape? {
        switch name {
        case "pattern":
            let other = pool.complement(try pattern(value, &pool))
            return Shape(string: StringShape(expression: pool.intersection(pool.plainString(), other)))
        case "minLength": return try below(value).map { Shape(string: StringShape(most: $0)) }
        case "maxLength": return Shape(string: StringShape(least: try above(value)))
        case "minItems": return try below(value).map { Shape(array: ArrayShape(most: $0)) }
        case "maxItems": return Shape(array: ArrayShape(least: try above(value)))
        case "minProperties": return try below(value).map { Shape(object: ObjectShape(most: $0)) }
        case "maxProperties": return Shape(object: ObjectShape(least: try above(value)))
        case "multipleOf": return Shape(number: NumberShape(nondivisors: [try divisor(value)]))
        default: break
        }
        guard let number = try assertion(name, value, keywords, &pool)?.number else { return nil }
        if let bound = number.minimum {
            return Shape(number: NumberShape(maximum: .init(value: bound.value, isExclusive: !bound.isExclusive)))
        }
        if let bound = number.maximum {
            return Shape(number: NumberShape(minimum: .init(value: bound.value, isExclusive: !bound.isExclusive)))
        }
        return nil
    }

    /// The greatest count below a limit.
    private func below(_ value: JSONNode) throws(SchemaError) -> Int? {
        let limit = try count(value)
        return limit == 0 ? nil : limit - 1
    }

    private func above(_ value: JSONNode) throws(SchemaError) -> Int {
        let limit = try count(value)
        return limit == .max ? limit : limit + 1
    }
}
