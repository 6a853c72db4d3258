import JSON

/// Turns the shapes of one schema into rules. Each list of atoms becomes one rule, so recursion ends where it closes.
struct RuleBuilder {
    private static let mostRules = 100_000
    private static let mostRegions = 200

    private var reader: SchemaReader
    private var known: [[SchemaAtom]: Int32] = [:]
    private var objects: [ObjectShape: Int32?] = [:]
    private var pending: [(rule: Int32, atoms: [SchemaAtom])] = []

    var ignored: [String] { reader.ignored }

    /// Adds the rules of a schema.
    /// - Returns: the rule of the whole value.
    /// - Throws: `SchemaError` if the schema cannot be enforced, or no value is valid.
    static func add(
        _ schema: JSONNode,
        _ options: SchemaOptions,
        to rules: inout GrammarRules,
        _ pool: inout RegexPool,
        ignored: inout [String]
    ) throws(SchemaError) -> Int32 {
        var builder = RuleBuilder(reader: SchemaReader(schema, options))
        let whole = builder.reader.document.atom(schema)
        let root = builder.rule(options.isObject ? [whole, .object] : [whole], &rules)
        while let (rule, atoms) = builder.pending.popLast() { try builder.build(rule, atoms, &rules, &pool) }
        Self.measureHeights(&rules)
        ignored += builder.ignored
        guard rules.values[Int(root)].height <= rules.depth else {
            throw SchemaError(.unsatisfiable, schema, "admits no value of bounded depth")
        }
        return root
    }

    private init(reader: SchemaReader) { self.reader = reader }

    private mutating func rule(_ atoms: [SchemaAtom], _ rules: inout GrammarRules) -> Int32 {
        if let rule = known[atoms] { return rule }
        let rule = Int32(rules.values.count)
        rules.values.append(ValueRule())
        known[atoms] = rule
        pending.append((rule, atoms))
        return rule
    }

    private mutating func build(
        _ rule: Int32,
        _ atoms: [SchemaAtom],
        _ rules: inout GrammarRules,
        _ pool: inout RegexPool
    ) throws(SchemaError) {
        let node = reader.document.node(atoms.first ?? .never)
        guard rules.values.count <= Self.mostRules else { throw SchemaError(.tooComplex, node, "is too complex") }
        let shapes = try reader.shapes(of: atoms, &pool)
        var value = ValueRule()
        var scalars: [RegexID] = []
        for shape in shapes {
            scalars += Self.scalars(shape, &pool)
            if let object = shape.object {
                let index: Int32?
                if let known = objects[object] { index = known } else { index = try add(object, node, &rules, &pool) }
                objects[object] = .some(index)
                if let index { value.objects.append(index) }
            }
            if let array = shape.array, let index = add(array, &rules) { value.arrays.append(index) }
        }
        value.objects = value.objects.unique
        let scalar = pool.union(scalars)
        value.scalar = pool.isAlive(scalar) ? scalar : RegexPool.nothing
        guard !pool.hasOverflowed else { throw SchemaError(.tooComplex, node, "is too complex") }
        rules.values[Int(rule)] = value
    }

    private static func scalars(_ shape: Shape, _ pool: inout RegexPool) -> [RegexID] {
        var parts: [RegexID] = []
        if shape.words.contains(.null) { parts.append(pool.literal(Array("null".utf8))) }
        if shape.words.contains(.true) { parts.append(pool.literal(Array("true".utf8))) }
        if shape.words.contains(.false) { parts.append(pool.literal(Array("false".utf8))) }
        if let number = shape.number { parts.append(pool.number(number)) }
        if let string = shape.string { parts.append(pool.strings(string)) }
        return parts
    }

    // MARK: Arrays

    private mutating func add(_ shape: ArrayShape, _ rules: inout GrammarRules) -> Int32? {
        // An element that cannot be limits the length.
        let length = shape.prefixCount
        var prefix: [Int32] = []
        var most = shape.most
        for index in 0..<length {
            if index >= most ?? .max { break }
            let atoms = shape.atoms(at: index)
            if atoms.contains(.never) {
                most = min(most ?? index, index)
                break
            }
            prefix.append(rule(atoms, &rules))
        }
        var rest: Int32?
        if prefix.count < most ?? .max {
            let atoms = shape.atoms(at: length)
            if atoms.contains(.never) { most = min(most ?? length, length) } else { rest = rule(atoms, &rules) }
        }
        if let most, most < shape.least { return nil }
        let result = ArrayRule(
            prefix: prefix,
            rest: rest,
            least: Int32(clamping: shape.least),
            most: most.flatMap { $0 < Int(Int32.max) ? Int32($0) : nil }
        )
        rules.arrays.append(result)
        return Int32(rules.arrays.count - 1)
    }

    // MARK: Objects

    private mutating func add(
        _ shape: ObjectShape,
        _ node: JSONNode,
        _ rules: inout GrammarRules,
        _ pool: inout RegexPool
    ) throws(SchemaError) -> Int32? {
        let names = (shape.rules.flatMap { $0.members.map(\.name) } + shape.required).unique
        let required = Set(shape.required)
        let lookup = MemberLookup(shape)
        var members: [ObjectRule.Member] = []
        try reader.spend(names.count, node)
        for name in names {
            let atoms = lookup.atoms(for: name, &pool)
            if atoms.contains(.never) {
                if required.contains(name) { return nil }
                continue
            }
            members.append(
                ObjectRule.Member(
                    key: RegexPool.jsonString(name),
                    value: rule(atoms, &rules),
                    isRequired: required.contains(name)
                )
            )
        }
        let regions = try regions(shape, names, node, &rules, &pool)
        let least = shape.least > required.count ? shape.least : 0
        if let most = shape.most, most < max(required.count, least) { return nil }
        if regions.isEmpty, least > members.count { return nil }
        // Other keys may come twice, and count once.
        if !regions.isEmpty, least > required.count + 1 {
            throw SchemaError(.unsupported, node, "asks for several members beyond the required ones (minProperties)")
        }
        rules.objects.append(
            ObjectRule(
                members: members,
                regions: regions,
                least: Int32(clamping: least),
                most: shape.most.flatMap { $0 < Int(Int32.max) ? Int32($0) : nil },
                isOrdered: reader.options.isOrdered
            )
        )
        return Int32(rules.objects.count - 1)
    }

    /// Keys that are not named, split by the patterns that they match.
    private mutating func regions(
        _ shape: ObjectShape,
        _ names: [[UInt8]],
        _ node: JSONNode,
        _ rules: inout GrammarRules,
        _ pool: inout RegexPool
    ) throws(SchemaError) -> [ObjectRule.Region] {
        let patterns = shape.rules.flatMap { $0.patterns.map(\.keys) }.unique
        if patterns.isEmpty, shape.rules.contains(where: { $0.others.contains(.never) }) { return [] }
        let isNamed = !names.isEmpty || shape.rules.contains(where: \.namesMembers)
        let saysNothingOfOthers = patterns.isEmpty && isNamed && shape.rules.allSatisfy { $0.others.isEmpty }
        if reader.options.isClosed, saysNothingOfOthers, shape.least <= names.count { return [] }
        var start = pool.plainString()
        if !names.isEmpty {
            let named = pool.strings(names)
            start = pool.intersection(start, pool.complement(named))
        }
        var regions: [(keys: RegexID, matched: Set<RegexID>)] = [(start, [])]
        for pattern in patterns {
            let outside = pool.complement(pattern)
            var split: [(keys: RegexID, matched: Set<RegexID>)] = []
            for region in regions {
                let inside = pool.intersection(region.keys, pattern)
                guard pool.isAlive(inside) else {
                    split.append(region)
                    continue
                }
                split.append((inside, region.matched.union([pattern])))
                let rest = pool.intersection(region.keys, outside)
                if pool.isAlive(rest) { split.append((rest, region.matched)) }
            }
            regions = split
            guard regions.count <= Self.mostRegions, !pool.hasOverflowed else {
                throw SchemaError(.tooComplex, node, "has too many patterns for keys")
            }
        }
        var result: [ObjectRule.Region] = []
        for region in regions {
            var atoms: [SchemaAtom] = []
            for rule in shape.rules {
                let matched = rule.patterns.filter { region.matched.contains($0.keys) }
                atoms += matched.isEmpty ? rule.others : matched.flatMap(\.atoms)
            }
            if atoms.contains(.never) { continue }
            result.append(ObjectRule.Region(keys: region.keys, value: rule(atoms.unique, &rules)))
        }
        return result
    }

    // MARK: Heights

    /// Finds the shallowest values, from those that have no parts on. What is deeper than the bound stays unreachable.
    private static func measureHeights(_ rules: inout GrammarRules) {
        var hasChanged = true
        while hasChanged {
            hasChanged = false
            for index in rules.arrays.indices {
                let rule = rules.arrays[index]
                var height: Int32 = 1
                for place in 0..<min(rule.least, Int32(rule.prefix.count) + 1) {
                    height = max(
                        height,
                        1 + (rule.value(at: place).map { rules.values[Int($0)].height } ?? ValueRule.unreachable)
                    )
                }
                if height < rule.height {
                    rules.arrays[index].height = height
                    hasChanged = true
                }
            }
            for index in rules.objects.indices {
                let rule = rules.objects[index]
                var height: Int32 = 1
                for member in rule.members where member.isRequired || rule.least > 0 {
                    height = max(height, 1 + rules.values[Int(member.value)].height)
                }
                for region in rule.regions where rule.least > 0 {
                    height = max(height, 1 + rules.values[Int(region.value)].height)
                }
                if height < rule.height {
                    rules.objects[index].height = height
                    hasChanged = true
                }
            }
            for index in rules.values.indices {
                let rule = rules.values[index]
                var height = rule.scalar == RegexPool.nothing ? ValueRule.unreachable : 0
                for object in rule.objects { height = min(height, rules.objects[Int(object)].height) }
                for array in rule.arrays { height = min(height, rules.arrays[Int(array)].height) }
                if height < rule.height {
                    rules.values[index].height = height
                    hasChanged = true
                }
            }
        }
    }
}

/// Finds the atoms of a shape's members by name.
private struct MemberLookup {
    private let shape: ObjectShape
    private var places: [[[UInt8]: Int]]

    init(_ shape: ObjectShape) {
        self.shape = shape
        places = shape.rules.map { rule in
            Dictionary(
                rule.members.enumerated().map { ($0.element.name, $0.offset) },
                uniquingKeysWith: { first, _ in first }
            )
        }
    }

    func atoms(for name: [UInt8], _ pool: inout RegexPool) -> [SchemaAtom] {
        var atoms: [SchemaAtom] = []
        let text = RegexPool.jsonString(name)
        for (index, rule) in shape.rules.enumerated() {
            var isNamed = false
            if let place = places[index][name] {
                atoms += rule.members[place].atoms
                isNamed = true
            }
            for pattern in rule.patterns where pool.matches(pattern.keys, text) {
                atoms += pattern.atoms
                isNamed = true
            }
            if !isNamed { atoms += rule.others }
        }
        return atoms.unique
    }
}
