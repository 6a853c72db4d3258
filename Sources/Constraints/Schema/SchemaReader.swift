import JSON

/// Reads schemas into shapes: alternatives by type, with references followed and combinations worked out.
///
/// Subschemas of members and elements stay as atoms, so a schema may refer to itself from within them. What is read once
/// is kept.
struct SchemaReader {
    /// Alternatives of one schema.
    static let mostShapes = 4096
    /// Shapes in all, and combinations tried.
    static let mostWork = 200_000
    /// What two shapes may have to go through without being charged for it.
    static let smallSize = 64
    /// Schemas that may be read one within the other, by references and combinations: reading is recursive, and threads
    /// have small stacks.
    private static let mostOpen = 200

    var document: SchemaDocument
    let options: SchemaOptions
    var patterns = PatternCompiler()
    private var known: [SchemaAtom: [Shape]] = [:]
    /// Atoms being read: one that contains itself without a member or element between has no meaning.
    private var open: Set<SchemaAtom> = []
    private(set) var work = 0
    /// Where a keyword cannot be left out, because what is left would be more than the schema allows.
    var isExact = 0
    /// Where keywords were left out.
    private var ignored: Set<Int> = []
    private static let mostIgnored = 1000

    /// Paths of keywords that were left out, in the order of the text.
    var ignoredPaths: [String] { SchemaPaths.paths(of: ignored, in: document.root) }

    init(_ root: JSONNode, _ options: SchemaOptions) {
        document = SchemaDocument(root)
        self.options = options
    }

    /// What meets all of some atoms.
    /// - Throws: `SchemaError` if the schema is malformed, not supported or too complex.
    mutating func shapes(of atoms: [SchemaAtom], _ pool: inout RegexPool) throws(SchemaError) -> [Shape] {
        var result = [Shape.any]
        for atom in atoms { result = try product(result, try shapes(of: atom, &pool), atom, &pool) }
        return result
    }

    mutating func shapes(of atom: SchemaAtom, _ pool: inout RegexPool) throws(SchemaError) -> [Shape] {
        if let shapes = known[atom] { return shapes }
        let node = document.node(atom)
        guard open.insert(atom).inserted else { throw SchemaError(.unsupported, node, "contains itself") }
        defer { open.remove(atom) }
        guard open.count <= Self.mostOpen else { throw SchemaError(.tooComplex, node, "is nested too deeply") }
        let shapes: [Shape]
        switch atom.kind {
        case .never: shapes = []
        case .object: shapes = [Shape(object: ObjectShape())]
        case .constant: shapes = [try constant(node)]
        case .schema: shapes = try read(node, &pool)
        case .negated:
            isExact += 1
            defer { isExact -= 1 }
            shapes = try negated(node, &pool)
        }
        try spend(shapes.count, node)
        known[atom] = shapes
        return shapes
    }

    mutating func spend(_ amount: Int, _ node: JSONNode) throws(SchemaError) {
        work += amount + 1
        guard work <= Self.mostWork else { throw SchemaError(.tooComplex, node, "is too complex") }
    }

    /// Counts combinations of shapes, and what there is to go through in all of them if that is much.
    mutating func spend(pairs: Int, _ size: Int, _ node: JSONNode) throws(SchemaError) {
        try spend(pairs + (size < Self.smallSize * max(1, pairs) ? 0 : size / 4), node)
    }

    static func size(_ shapes: [Shape]) -> Int { shapes.reduce(0) { $0 + $1.size } }

    /// Everything that is of a shape on either side.
    mutating func product(
        _ left: [Shape],
        _ right: [Shape],
        _ atom: SchemaAtom,
        _ pool: inout RegexPool
    ) throws(SchemaError) -> [Shape] {
        let node = document.node(atom)
        guard left.count * right.count <= Self.mostShapes else {
            throw SchemaError(.tooComplex, node, "has too many alternatives")
        }
        let size = Self.size(left) * right.count + Self.size(right) * left.count
        try spend(pairs: left.count * right.count, size, node)
        var result: [Shape] = []
        for first in left {
            for second in right {
                if let both = ShapeIntersection.of(first, second, &pool) { result.append(both) }
            }
        }
        return result
    }

    /// Alternatives, those that only list words, numbers and strings as one.
    static func union(_ lists: [[Shape]]) -> [Shape] {
        var result: [Shape] = []
        var list = Shape()
        var (numbers, strings): ([DecimalNumber], [[UInt8]]) = ([], [])
        for shape in lists.joined() {
            guard shape.isList else {
                result.append(shape)
                continue
            }
            list.words.formUnion(shape.words)
            numbers += shape.number?.values ?? []
            strings += shape.string?.values ?? []
        }
        if !numbers.isEmpty { list.number = NumberShape(values: numbers.unique) }
        if !strings.isEmpty { list.string = StringShape(values: strings.unique) }
        if !list.isEmpty { result.append(list) }
        return result
    }

    /// Leaves a keyword out if that is wanted and makes sense here.
    /// - Throws: `error` if not.
    mutating func ignore(_ error: SchemaError) throws(SchemaError) {
        guard options.ignoresUnsupported, isExact == 0, error.reason == .unsupported else { throw error }
        if let node = error.node, ignored.count < Self.mostIgnored { ignored.insert(node.offset) }
    }

    // MARK: Constants

    /// The very value of a node.
    mutating func constant(_ node: JSONNode) throws(SchemaError) -> Shape {
        switch node.kind {
        case .null: return Shape(words: .null)
        case .bool: return Shape(words: (try? node.bool()) == true ? .true : .false)
        case .string: return Shape(string: StringShape(values: [(try? node.bytes()) ?? []]))
        case .integer, .number: return Shape(number: NumberShape(values: [try number(node)]))
        case .array:
            var elements: [[SchemaAtom]] = []
            for element in (try? node.elements()).map(Array.init) ?? [] {
                elements.append([document.atom(element, .constant)])
            }
            let rule = ArrayShape.Rule(prefix: elements, rest: [.never])
            return Shape(array: ArrayShape(least: elements.count, most: elements.count, rules: [rule]))
        case .object:
            var members: [[UInt8]: SchemaAtom] = [:]
            var names: [[UInt8]] = []
            for member in (try? node.members()).map(Array.init) ?? [] {
                if members.updateValue(document.atom(member.value, .constant), forKey: member.nameBytes) == nil {
                    names.append(member.nameBytes)
                }
            }
            let rule = ObjectShape.Rule(
                members: names.map { name in ObjectShape.Member(name: name, atoms: members[name].map { [$0] } ?? []) },
                others: [.never]
            )
            return Shape(object: ObjectShape(rules: [rule], required: names))
        }
    }

    func number(_ node: JSONNode) throws(SchemaError) -> DecimalNumber {
        guard let text = try? node.numberText() else { throw SchemaError(.malformed, node, "is no number") }
        guard let value = DecimalNumber(text) else {
            throw SchemaError(.unsupported, node, "is a number with too many digits")
        }
        return value
    }

    func count(_ node: JSONNode) throws(SchemaError) -> Int {
        // Some write 1.0.
        guard let value = try? node.double(), value >= 0, value == value.rounded() else {
            throw SchemaError(.malformed, node, "is no count")
        }
        return Int(exactly: value) ?? .max
    }
}
