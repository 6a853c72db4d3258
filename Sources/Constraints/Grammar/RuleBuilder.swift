import JSON

/// Turns the shapes of one schema into rules. Each list of atoms becomes one rule, so recursion ends where it closes.
struct RuleBuilder {
    private static let mostRules = 100_000
    private static let mostRegions = 200
    /// Places that are looked at for the kinds of all members of the whole value.
    private static let mostPlaces = 50_000
    /// Objects and arrays that one value may be: until what they begin with tells them apart, each token is tried for
    /// every one of them, while other answers wait.
    private static let mostAlternatives = 512
    /// The work on all schemas of a grammar: combinations, searches, and expressions, which cost several times as much. The
    /// first has bounds of its own.
    private static let mostWork = 400_000
    /// What a schema may take without being charged: lists of tools are long, and most of their schemas small.
    private static let freeWork = 400
    private static let (workOfExpression, workOfObject) = (8, 100)

    /// What a rule is made of.
    struct Source: Hashable {
        var atoms: [SchemaAtom]
        var style: ValueStyle
    }

    private struct StyledObject: Hashable {
        var shape: ObjectShape
        var style: ValueStyle
    }

    private var reader: SchemaReader
    let writer: ValueWriter
    private var known: [Source: Int32] = [:]
    private var objects: [StyledObject: Int32?] = [:]
    private var pending: [(rule: Int32, source: Source)] = []
    /// The kinds that readers take the members of the whole value for, by their schemas.
    private var kinds: [SchemaAtom: Set<SchemaKinds.Kind>] = [:]

    /// Adds the rules of a schema.
    /// - Parameter work: grows by what it took, which is bounded for all schemas of a grammar.
    /// - Returns: the rule of the whole value.
    /// - Throws: `SchemaError` if the schema cannot be enforced, or no value is valid.
    static func add(
        _ schema: JSONNode,
        _ options: SchemaOptions,
        to rules: inout GrammarRules,
        _ pool: inout RegexPool,
        ignored: inout [String],
        work: inout Int
    ) throws(SchemaError) -> Int32 {
        pool.allowSearches()
        let (workBefore, expressionsBefore) = (work, pool.nodes.count)
        let first = (values: rules.values.count, objects: rules.objects.count, arrays: rules.arrays.count)
        let writer = ValueWriter(options.syntax, &rules, &pool)
        var builder = RuleBuilder(reader: SchemaReader(schema, options), writer: writer)
        let whole = builder.reader.document.atom(schema)
        let atoms = options.isObject || options.syntax != .json ? [whole, .object] : [whole]
        let root = builder.rule(Source(atoms: atoms, style: writer.rootStyle), &rules)
        while let (rule, source) = builder.pending.popLast() { try builder.build(rule, source, &rules, &pool) }
        HeightSearch.measure(&rules, from: first)
        ignored += builder.reader.ignoredPaths
        let taken =
            builder.reader.work + pool.visits + (pool.nodes.count - expressionsBefore) * workOfExpression
            + (rules.objects.count - first.objects) * workOfObject
        work += max(0, taken - freeWork)
        guard workBefore == 0 || work <= mostWork else {
            throw SchemaError(.tooComplex, schema, "is too complex, beside those before it")
        }
        guard rules.values[Int(root)].height <= rules.depth else {
            throw SchemaError(.unsatisfiable, schema, "admits no value of bounded depth")
        }
        return root
    }

    private init(reader: SchemaReader, writer: ValueWriter) {
        self.reader = reader
        self.writer = writer
        guard writer.hasParameters, let members = try? reader.document.root["properties"].members() else { return }
        let types = SchemaKinds(reader.document.root)
        var places = Self.mostPlaces
        for member in members {
            kinds[SchemaAtom(kind: .schema, offset: member.value.offset)] = types.kinds(of: member.value, &places)
        }
    }

    private mutating func rule(_ source: Source, _ rules: inout GrammarRules) -> Int32 {
        if let rule = known[source] { return rule }
        let rule = Int32(rules.values.count)
        rules.values.append(ValueRule())
        known[source] = rule
        pending.append((rule, source))
        return rule
    }

    private mutating func build(
        _ rule: Int32,
        _ source: Source,
        _ rules: inout GrammarRules,
        _ pool: inout RegexPool
    ) throws(SchemaError) {
        let (atoms, style) = (source.atoms, source.style)
        let node = reader.document.node(atoms.first ?? .never)
        guard rules.values.count <= Self.mostRules else { throw SchemaError(.tooComplex, node, "is too complex") }
        let shapes = try reader.shapes(of: atoms, &pool)
        var value = ValueRule()
        var scalars: [RegexID] = []
        let known = self.kinds
        let kinds: Set<SchemaKinds.Kind>? =
            switch style {
            case .text: [.string]
            case .parameter: atoms.lazy.compactMap { known[$0] }.first
            default: nil
            }
        for shape in shapes {
            scalars += writer.scalars(shape, style, kinds: kinds, &pool)
            if let object = shape.object, style != .text {
                let styled = StyledObject(shape: object, style: style)
                let index: Int32?
                if let known = objects[styled] {
                    index = known
                } else {
                    index = try add(object, style, node, &rules, &pool)
                }
                objects[styled] = .some(index)
                if let index { value.objects.append(index) }
            }
            guard let array = shape.array, style != .text, style != .arguments else { continue }
            if let index = try add(array, style, node, &rules) { value.arrays.append(index) }
        }
        value.objects = value.objects.unique
        guard value.objects.count + value.arrays.count <= Self.mostAlternatives else {
            let message = "has more than \(Self.mostAlternatives) objects and arrays to choose from"
            throw SchemaError(.tooComplex, node, message)
        }
        let scalar = pool.union(scalars)
        value.scalar = pool.isAlive(scalar) ? scalar : RegexPool.nothing
        guard !pool.hasOverflowed else { throw SchemaError(.tooComplex, node, "is too complex") }
        rules.values[Int(rule)] = value
    }

    // MARK: Arrays

    private mutating func add(
        _ shape: ArrayShape,
        _ style: ValueStyle,
        _ node: JSONNode,
        _ rules: inout GrammarRules
    ) throws(SchemaError) -> Int32? {
        let style = writer.nested(style)
        // An element that cannot be limits the length.
        let length = shape.prefixCount
        try reader.spend(length * shape.rules.count / 8, node)
        var prefix: [Int32] = []
        var most = shape.most
        for index in 0..<length {
            if index >= most ?? .max { break }
            let atoms = shape.atoms(at: index)
            if atoms.contains(.never) {
                most = min(most ?? index, index)
                break
            }
            prefix.append(rule(Source(atoms: atoms, style: style), &rules))
        }
        var rest: Int32?
        if prefix.count < most ?? .max {
            let atoms = shape.atoms(at: length)
            if atoms.contains(.never) {
                most = min(most ?? length, length)
            } else {
                rest = rule(Source(atoms: atoms, style: style), &rules)
            }
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
        _ style: ValueStyle,
        _ node: JSONNode,
        _ rules: inout GrammarRules,
        _ pool: inout RegexPool
    ) throws(SchemaError) -> Int32? {
        let names = (shape.rules.flatMap { $0.members.map(\.name) } + shape.required).unique
        let required = Set(shape.required)
        var members: [ObjectRule.Member] = []
        try reader.spend(names.count + names.count * shape.lookupSize / 8, node)
        for name in names {
            let atoms = shape.atoms(for: name, &pool)
            if atoms.contains(.never) {
                if required.contains(name) { return nil }
                continue
            }
            guard let key = writer.key(name, style) else {
                guard required.contains(name) else { continue }
                throw SchemaError(.unsupported, node, "requires a member whose name the model's calls cannot have")
            }
            let member = member(key, atoms, style, isRequired: required.contains(name), &rules)
            members.append(member)
        }
        let regions = try regions(shape, names, style, node, &rules, &pool)
        let least = shape.least > required.count ? shape.least : 0
        if let most = shape.most, most < max(required.count, least) { return nil }
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
                isOrdered: reader.options.isOrdered,
                writing: writer.writing(style)
            )
        )
        return Int32(rules.objects.count - 1)
    }

    private mutating func member(
        _ key: [UInt8],
        _ atoms: [SchemaAtom],
        _ style: ValueStyle,
        isRequired: Bool,
        _ rules: inout GrammarRules
    ) -> ObjectRule.Member {
        let nested = writer.nested(style)
        let value = rule(Source(atoms: atoms, style: nested), &rules)
        let text = nested == .other ? rule(Source(atoms: atoms, style: .text), &rules) : nil
        return ObjectRule.Member(key: key, value: value, text: text, isRequired: isRequired)
    }

    /// Keys that are not named, split by the patterns that they match.
    private mutating func regions(
        _ shape: ObjectShape,
        _ names: [[UInt8]],
        _ style: ValueStyle,
        _ node: JSONNode,
        _ rules: inout GrammarRules,
        _ pool: inout RegexPool
    ) throws(SchemaError) -> [ObjectRule.Region] {
        let patterns = shape.rules.flatMap { $0.patterns.map(\.keys) }.unique
        if patterns.isEmpty, shape.rules.contains(where: { $0.others.contains(.never) }) { return [] }
        let isNamed = !names.isEmpty || shape.rules.contains(where: \.namesMembers)
        let saysNothingOfOthers = patterns.isEmpty && isNamed && shape.rules.allSatisfy { $0.others.isEmpty }
        if reader.options.isClosed, saysNothingOfOthers, shape.least <= names.count { return [] }
        if writer.writing(style) != nil {
            return namedRegion(shape, names, style, &rules, &pool)
        }
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
            result.append(
                ObjectRule.Region(
                    keys: region.keys,
                    value: rule(Source(atoms: atoms.unique, style: writer.nested(style)), &rules)
                )
            )
        }
        return result
    }

    /// Keys that are not named, in a syntax where only names can be keys: patterns, which are for the text of JSON, can only
    /// refuse some.
    private mutating func namedRegion(
        _ shape: ObjectShape,
        _ names: [[UInt8]],
        _ style: ValueStyle,
        _ rules: inout GrammarRules,
        _ pool: inout RegexPool
    ) -> [ObjectRule.Region] {
        let refusing = shape.rules.flatMap(\.patterns).filter { pool.isAlive($0.keys) }
        guard refusing.allSatisfy({ $0.atoms.contains(.never) }) else { return [] }
        var keys = writer.otherKeys(names, &pool)
        for pattern in refusing {
            let texts = pool.intersection(pool.plainString(), pattern.keys)
            let content = pool.content(of: texts)
            keys = pool.intersection(keys, pool.complement(content))
        }
        guard pool.isAlive(keys) else { return [] }
        let nested = writer.nested(style)
        let atoms = shape.rules.flatMap(\.others).unique
        let source = Source(atoms: atoms, style: nested == .other ? .parameter : nested)
        return [ObjectRule.Region(keys: keys, value: rule(source, &rules))]
    }
}
