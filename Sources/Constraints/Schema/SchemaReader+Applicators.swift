import JSON

/// Keywords that combine schemas.
extension SchemaReader {
    private static let mostAlternatives = 20_000

    /// What a keyword admits, as alternatives; nil for keywords that admit everything.
    mutating func applicator(
        _ name: String,
        _ value: JSONNode,
        _ keywords: [String: JSONNode],
        _ pool: inout RegexPool
    ) throws(SchemaError) -> [Shape]? {
        switch name {
        case "enum": return try values(value)
        case "const": return [try constant(value)]
        case "$ref":
            let target = try document.target(of: value)
            return try shapes(of: document.atom(target), &pool)
        case "allOf":
            var result = [Shape.any]
            for element in try schemas(value) {
                let atom = document.atom(element)
                result = try product(result, try shapes(of: atom, &pool), atom, &pool)
            }
            return result
        case "anyOf":
            var lists: [[Shape]] = []
            for element in try schemas(value) { lists.append(try shapes(of: document.atom(element), &pool)) }
            return Self.union(lists)
        case "oneOf": return try oneOf(value, &pool)
        case "not": return try shapes(of: document.atom(value, .negated), &pool)
        case "if": return try conditional(value, keywords, &pool)
        case "dependencies", "dependentRequired", "dependentSchemas": return try dependencies(value, &pool)
        case "propertyNames": return [try keyRule(value, &pool)]
        case "contains":
            if keywords["minContains"].flatMap({ try? $0.double() }) == 0, keywords["maxContains"] == nil { return nil }
            throw SchemaError(.unsupported, value, "cannot be enforced")
        case "$dynamicRef", "$recursiveRef", "extends", "disallow":
            throw SchemaError(.unsupported, value, "cannot be enforced")
        default: return nil
        }
    }

    func schemas(_ value: JSONNode) throws(SchemaError) -> [JSONNode] {
        guard let elements = try? value.elements(atMost: Self.mostAlternatives) else {
            throw SchemaError(.malformed, value, "is no list of schemas, or too long")
        }
        return Array(elements)
    }

    // MARK: oneOf

    /// Alternatives that exclude each other are simply alternatives. Of others, each must keep out of those it overlaps.
    private mutating func oneOf(_ value: JSONNode, _ pool: inout RegexPool) throws(SchemaError) -> [Shape] {
        var atoms: [SchemaAtom] = []
        var lists: [[Shape]] = []
        for element in try schemas(value) {
            let atom = document.atom(element)
            atoms.append(atom)
            lists.append(try shapes(of: atom, &pool))
        }
        var overlaps = [[Int]](repeating: [], count: lists.count)
        let sizes = lists.map(Self.size)
        for first in lists.indices {
            for second in lists.indices where second > first {
                let (left, right) = (lists[first], lists[second])
                try spend(
                    pairs: left.count * right.count,
                    sizes[first] * right.count + sizes[second] * left.count,
                    value
                )
                if try overlap(left, right, value, &pool) {
                    overlaps[first].append(second)
                    overlaps[second].append(first)
                }
            }
        }
        do throws(SchemaError) {
            isExact += 1
            defer { isExact -= 1 }
            for index in lists.indices {
                for other in overlaps[index] {
                    let outside = SchemaAtom(kind: .negated, offset: atoms[other].offset)
                    lists[index] = try product(lists[index], try shapes(of: outside, &pool), outside, &pool)
                }
            }
        } catch {
            guard error.reason == .unsupported else { throw error }
            try ignore(SchemaError(.unsupported, value, "has alternatives that may hold at once"))
        }
        return Self.union(lists)
    }

    private mutating func overlap(
        _ left: [Shape],
        _ right: [Shape],
        _ node: JSONNode,
        _ pool: inout RegexPool
    ) throws(SchemaError) -> Bool {
        for first in left {
            for second in right {
                guard let both = ShapeIntersection.of(first, second, &pool) else { continue }
                if try !isVain(both, depth: 3, node, &pool) { return true }
            }
        }
        return false
    }

    /// Whether a shape is known to admit nothing.
    private mutating func isVain(
        _ shape: Shape,
        depth: Int,
        _ node: JSONNode,
        _ pool: inout RegexPool
    ) throws(SchemaError) -> Bool {
        guard shape.words.isEmpty else { return false }
        if let number = shape.number {
            let expression = pool.number(number)
            if pool.isAlive(expression) { return false }
        }
        if let string = shape.string {
            let expression = pool.strings(string)
            if pool.isAlive(expression) { return false }
        }
        if let array = shape.array {
            var hasVainPlace = false
            for place in 0..<min(array.least, array.prefixCount + 1) where !hasVainPlace {
                try spend(pairs: 0, array.rules.count, node)
                hasVainPlace = try isVain(array.atoms(at: place), depth: depth, node, &pool)
            }
            guard hasVainPlace else { return false }
        }
        if let object = shape.object {
            var hasVainMember = false
            let lookup = object.lookupSize
            var size = 0
            for name in object.required where !hasVainMember {
                size += lookup
                if size >= Self.smallSize {
                    try spend(pairs: 0, size, node)
                    size = 0
                }
                hasVainMember = try isVain(object.atoms(for: name, &pool), depth: depth, node, &pool)
            }
            guard hasVainMember else { return false }
        }
        return true
    }

    private mutating func isVain(
        _ atoms: [SchemaAtom],
        depth: Int,
        _ node: JSONNode,
        _ pool: inout RegexPool
    ) throws(SchemaError) -> Bool {
        if atoms.contains(.never) { return true }
        guard depth > 0, atoms.count > 1 else { return false }
        guard let shapes = try? shapes(of: atoms, &pool) else {
            // Not known, then; unless there is nothing left to spend.
            try spend(0, node)
            return false
        }
        for shape in shapes where try !isVain(shape, depth: depth - 1, node, &pool) { return false }
        return true
    }

    // MARK: Conditions

    private mutating func conditional(
        _ condition: JSONNode,
        _ keywords: [String: JSONNode],
        _ pool: inout RegexPool
    ) throws(SchemaError) -> [Shape]? {
        if keywords["then"] == nil, keywords["else"] == nil { return nil }
        let outside = document.atom(condition, .negated)
        var atoms = [document.atom(condition)]
        if let then = keywords["then"] { atoms.append(document.atom(then)) }
        let first = try shapes(of: atoms, &pool)
        atoms = [outside]
        if let other = keywords["else"] { atoms.append(document.atom(other)) }
        return Self.union([first, try shapes(of: atoms, &pool)])
    }

    /// For each name: no such member, or what it calls for.
    private mutating func dependencies(_ value: JSONNode, _ pool: inout RegexPool) throws(SchemaError) -> [Shape] {
        guard let members = try? value.members(atMost: 1000) else {
            throw SchemaError(.malformed, value, "is no object")
        }
        var result = [Shape.any]
        for member in members {
            var absent = Shape.any
            absent.object?.rules = [ObjectShape.Rule(members: [.init(name: member.nameBytes, atoms: [.never])])]
            var required = [member.nameBytes]
            var demanded = [Shape.any]
            if let names = try? member.value.elements() {
                for name in names {
                    guard let name = try? name.bytes() else { throw SchemaError(.malformed, name, "is no name") }
                    required.append(name)
                }
            } else if let name = try? member.value.bytes() {
                required.append(name)
            } else {
                demanded = try shapes(of: document.atom(member.value), &pool)
            }
            let present = Shape(object: ObjectShape(required: required.unique))
            let atom = document.atom(value)
            let held = try product([present], demanded, atom, &pool)
            result = try product(result, [absent] + held, atom, &pool)
        }
        return result
    }

    /// Keys that do not match have no value.
    private mutating func keyRule(_ value: JSONNode, _ pool: inout RegexPool) throws(SchemaError) -> Shape {
        var expressions: [RegexID] = []
        for shape in try shapes(of: document.atom(value), &pool) {
            if let string = shape.string { expressions.append(pool.plainStrings(string)) }
        }
        let keys = pool.union(expressions)
        var shape = Shape.any
        let other = pool.intersection(pool.plainString(), pool.complement(keys))
        guard pool.isAlive(other) else { return shape }
        shape.object?.rules = [ObjectShape.Rule(patterns: [.init(keys: other, atoms: [.never])])]
        return shape
    }
}

extension ObjectShape {
    /// What the value of a key must meet.
    func atoms(for name: [UInt8], _ pool: inout RegexPool) -> [SchemaAtom] {
        var atoms: [SchemaAtom] = []
        for rule in rules {
            var isNamed = false
            if let member = rule.member(name) {
                atoms += member.atoms
                isNamed = true
            }
            let text = rule.patterns.isEmpty ? [] : RegexPool.jsonString(name)
            for pattern in rule.patterns where pool.matches(pattern.keys, text) {
                atoms += pattern.atoms
                isNamed = true
            }
            if !isNamed { atoms += rule.others }
        }
        return atoms.unique
    }

    /// How much there is to go through to find what one key's value must meet, roughly.
    var lookupSize: Int { rules.reduce(0) { $0 + 1 + $1.patterns.count } }
}

extension RegexPool {
    /// The strings of a shape, in JSON.
    mutating func strings(_ shape: StringShape) -> RegexID {
        guard shape.values == nil, shape.expression == nil else { return plainStrings(shape) }
        return string(least: shape.least, most: shape.most)
    }

    /// The same, each character in its one spelling.
    mutating func plainStrings(_ shape: StringShape) -> RegexID {
        if let values = shape.values { return strings(values) }
        let expression = shape.expression ?? Self.everything
        if shape.expression != nil, shape.least == 0, shape.most == nil { return expression }
        let length = plainString(least: shape.least, most: shape.most)
        return intersection(expression, length)
    }
}
