import JSON

/// Schemas as they are written.
extension SchemaReader {
    /// Members of an enumeration, and names of a list.
    private static let mostValues = 100_000

    /// What a schema accepts.
    mutating func read(_ node: JSONNode, _ pool: inout RegexPool) throws(SchemaError) -> [Shape] {
        if let flag = try? node.bool() { return flag ? [.any] : [] }
        guard let members = try? node.members() else {
            throw SchemaError(.malformed, node, "is neither an object nor true or false")
        }
        var keywords: [String: JSONNode] = [:]
        var order: [String] = []
        for member in members {
            let name = member.name
            if keywords.updateValue(member.value, forKey: name) == nil { order.append(name) }
        }
        let atom = document.atom(node)
        var result = try assertions(keywords, order, &pool).map { [$0] } ?? []
        var hasRule = false
        for name in order {
            guard let value = keywords[name] else { continue }
            let found: [Shape]?
            do throws(SchemaError) {
                switch name {
                case "properties", "patternProperties", "additionalProperties", "unevaluatedProperties":
                    found = hasRule ? nil : [try objectRule(keywords, &pool)]
                    hasRule = true
                default: found = try applicator(name, value, keywords, &pool)
                }
            } catch {
                try ignore(error)
                continue
            }
            if let found { result = try product(result, found, atom, &pool) }
        }
        return result
    }

    /// The keywords that do not depend on each other's order, or nil if together they admit nothing.
    private mutating func assertions(
        _ keywords: [String: JSONNode],
        _ order: [String],
        _ pool: inout RegexPool
    ) throws(SchemaError) -> Shape? {
        var shape = try keywords["type"].map { value throws(SchemaError) in try Self.types(value) } ?? .any
        for name in order {
            guard let value = keywords[name] else { continue }
            do throws(SchemaError) {
                guard let demand = try assertion(name, value, keywords, &pool) else { continue }
                guard let both = ShapeIntersection.of(shape, demand, &pool) else { return nil }
                shape = both
            } catch {
                try ignore(error)
            }
        }
        return shape
    }

    /// The values that one keyword admits; nil for keywords that are none of these.
    mutating func assertion(
        _ name: String,
        _ value: JSONNode,
        _ keywords: [String: JSONNode],
        _ pool: inout RegexPool
    ) throws(SchemaError) -> Shape? {
        var shape = Shape.any
        switch name {
        case "minLength": shape.string?.least = try count(value)
        case "maxLength": shape.string?.most = try count(value)
        case "pattern": shape.string?.expression = try pattern(value, &pool)
        case "format": shape.string?.expression = try format(value, &pool)
        case "minItems": shape.array?.least = try count(value)
        case "maxItems": shape.array?.most = try count(value)
        case "minProperties": shape.object?.least = try count(value)
        case "maxProperties": shape.object?.most = try count(value)
        case "multipleOf", "divisibleBy": shape.number?.divisors = [try divisor(value)]
        case "minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum": try bound(name, value, keywords, &shape)
        case "required": shape.object?.required = try names(value)
        case "items", "prefixItems", "additionalItems", "unevaluatedItems":
            shape.array?.rules = [try arrayRule(name, keywords)].compactMap { $0 }
        case "uniqueItems":
            if (try? value.bool()) == true { throw SchemaError(.unsupported, value, "cannot be enforced") }
        default: return nil
        }
        return shape
    }

    // MARK: Types and values

    static func types(_ value: JSONNode) throws(SchemaError) -> Shape {
        let names = (try? value.string()).map { [$0] } ?? (try? value.strings(atMost: 100)) ?? []
        guard !names.isEmpty else { throw SchemaError(.malformed, value, "names no type") }
        var shape = Shape()
        for name in names {
            switch name {
            case "null": shape.words.insert(.null)
            case "boolean": shape.words.formUnion([.true, .false])
            case "integer": shape.number = shape.number ?? NumberShape(isInteger: true)
            case "number": shape.number = NumberShape()
            case "string": shape.string = StringShape()
            case "array": shape.array = ArrayShape()
            case "object": shape.object = ObjectShape()
            case "any": return .any
            default: throw SchemaError(.malformed, value, "names an unknown type")
            }
        }
        return shape
    }

    /// The values of `enum` as shapes.
    mutating func values(_ node: JSONNode) throws(SchemaError) -> [Shape] {
        guard let elements = try? node.elements(atMost: Self.mostValues) else {
            throw SchemaError(.malformed, node, "is no list of values, or too long")
        }
        var shapes: [Shape] = []
        for element in elements { shapes.append(try constant(element)) }
        try spend(shapes.count / 16, node)
        return Self.union([shapes])
    }

    private mutating func names(_ node: JSONNode) throws(SchemaError) -> [[UInt8]] {
        // A flag, in the third draft and by mistake: it says nothing about members here.
        if node.kind == .bool { return [] }
        guard let elements = try? node.elements(atMost: Self.mostValues) else {
            throw SchemaError(.malformed, node, "is no list of names, or too long")
        }
        var names: [[UInt8]] = []
        for element in elements {
            guard let name = try? element.bytes() else { throw SchemaError(.malformed, element, "is no name") }
            names.append(name)
        }
        try spend(names.count / 16, node)
        return names.unique
    }

    // MARK: Numbers

    private func bound(
        _ name: String,
        _ value: JSONNode,
        _ keywords: [String: JSONNode],
        _ shape: inout Shape
    ) throws(SchemaError) {
        // In the fourth draft the exclusive ones are flags of the others.
        if name.hasPrefix("exclusive"), value.kind == .bool { return }
        let isMinimum = name.hasSuffix("inimum")
        let flag = keywords[isMinimum ? "exclusiveMinimum" : "exclusiveMaximum"].flatMap { try? $0.bool() } ?? false
        let bound = NumberShape.Bound(value: try number(value), isExclusive: flag || name.hasPrefix("exclusive"))
        if isMinimum { shape.number?.raiseMinimum(bound) } else { shape.number?.lowerMaximum(bound) }
    }

    func divisor(_ value: JSONNode) throws(SchemaError) -> DecimalNumber {
        let divisor = try number(value)
        guard divisor > .zero else { throw SchemaError(.malformed, value, "is not above zero") }
        guard let units = divisor.scaled(by: divisor.fraction.count), units <= RegexPool.mostDivisor else {
            throw SchemaError(.unsupported, value, "is too large or too precise to be enforced")
        }
        return divisor
    }

    // MARK: Strings

    mutating func pattern(_ value: JSONNode, _ pool: inout RegexPool) throws(SchemaError) -> RegexID {
        guard let text = try? value.string() else { throw SchemaError(.malformed, value, "is no pattern") }
        return try expression(text, value, &pool)
    }

    mutating func expression(
        _ text: String,
        _ node: JSONNode,
        _ pool: inout RegexPool
    ) throws(SchemaError) -> RegexID {
        do throws(PatternError) {
            return try patterns.strings(matching: text, &pool)
        } catch {
            throw SchemaError(.unsupported, node, error.description)
        }
    }

    private mutating func format(_ value: JSONNode, _ pool: inout RegexPool) throws(SchemaError) -> RegexID? {
        guard let name = try? value.string() else { return nil }
        guard !StringFormat.unenforced.contains(name) else {
            throw SchemaError(.unsupported, value, "is a format that cannot be enforced")
        }
        guard let pattern = StringFormat.pattern(name) else { return nil }
        return try expression(pattern, value, &pool)
    }

    // MARK: Arrays and objects

    /// The rule of all keywords about elements, made at the first of them.
    private mutating func arrayRule(
        _ name: String,
        _ keywords: [String: JSONNode]
    ) throws(SchemaError) -> ArrayShape.Rule? {
        var prefix: [[SchemaAtom]] = []
        var rest: JSONNode?
        if let items = keywords["items"], let elements = try? items.elements() {
            // Before the draft of 2020.
            for element in elements { prefix.append([document.atom(element)]) }
            rest = keywords["additionalItems"]
        } else {
            for element in (try? keywords["prefixItems"]?.elements()).map(Array.init) ?? [] {
                prefix.append([document.atom(element)])
            }
            rest = keywords["items"]
        }
        if rest == nil, let unevaluated = keywords["unevaluatedItems"] {
            do throws(SchemaError) {
                try refuseOthers(unevaluated, keywords)
                rest = unevaluated
            } catch {
                try ignore(error)
            }
        }
        if prefix.isEmpty, rest == nil { return nil }
        return ArrayShape.Rule(prefix: prefix, rest: rest.map { [document.atom($0)] } ?? [])
    }

    mutating func objectRule(
        _ keywords: [String: JSONNode],
        _ pool: inout RegexPool
    ) throws(SchemaError) -> Shape {
        var members: [ObjectShape.Member] = []
        if let properties = keywords["properties"] {
            guard let all = try? properties.members(atMost: Self.mostValues) else {
                throw SchemaError(.malformed, properties, "is no object, or too large")
            }
            var places: [[UInt8]: Int] = [:]
            for member in all {
                let name = member.nameBytes
                let new = ObjectShape.Member(name: name, atoms: [document.atom(member.value)])
                if let place = places[name] {
                    members[place] = new
                } else {
                    places[name] = members.count
                    members.append(new)
                }
            }
            try spend(members.count / 16, properties)
        }
        var patterns: [ObjectShape.Pattern] = []
        var leavesKeysOpen = false
        if let all = keywords["patternProperties"] {
            guard let members = try? all.members(atMost: 1000) else {
                throw SchemaError(.malformed, all, "is no object, or too large")
            }
            for member in members {
                do throws(SchemaError) {
                    let keys = try expression(member.name, member.value, &pool)
                    patterns.append(ObjectShape.Pattern(keys: keys, atoms: [document.atom(member.value)]))
                } catch {
                    try ignore(error)
                    leavesKeysOpen = true
                }
            }
        }
        var others: [SchemaAtom] = []
        if let additional = keywords["additionalProperties"] {
            others = [document.atom(additional)]
        } else if let unevaluated = keywords["unevaluatedProperties"] {
            do throws(SchemaError) {
                try refuseOthers(unevaluated, keywords)
                others = [document.atom(unevaluated)]
            } catch {
                try ignore(error)
            }
        }
        // Which keys are others is not known then.
        if leavesKeysOpen { others = [] }
        let rule = ObjectShape.Rule(
            namesMembers: keywords["properties"] != nil,
            members: members,
            patterns: patterns,
            others: others.map { (try? document.node($0).bool()) == false ? .never : $0 }
        )
        var shape = Shape.any
        shape.object?.rules = [rule]
        return shape
    }

    /// What other subschemas have evaluated is not tracked.
    private func refuseOthers(_ node: JSONNode, _ keywords: [String: JSONNode]) throws(SchemaError) {
        if (try? node.bool()) == true { return }
        let others = [
            "$ref", "$dynamicRef", "$recursiveRef", "allOf", "anyOf", "oneOf", "not", "if", "then", "else",
            "dependentSchemas", "contains",
        ]
        if others.contains(where: { keywords[$0] != nil }) {
            throw SchemaError(.unsupported, node, "cannot be enforced beside other subschemas")
        }
    }
}
