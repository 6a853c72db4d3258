/// One demand on a value. A list of them is met by a value that meets all.
struct SchemaAtom: Hashable, Sendable {
    enum Kind: UInt8, Sendable {
        /// The schema at `offset` of the document.
        case schema
        /// What that schema does not accept.
        case negated
        /// The very value at `offset`.
        case constant
        /// No value.
        case never
        /// Any object.
        case object
    }

    var kind: Kind
    var offset: Int

    static let never = SchemaAtom(kind: .never, offset: 0)
    static let object = SchemaAtom(kind: .object, offset: 0)
}

/// Values of one or more types; each part says which values of its type. A schema is a list of shapes, any of which may
/// be met.
struct Shape: Sendable {
    struct Words: OptionSet, Hashable, Sendable {
        var rawValue: UInt8
        static let null = Words(rawValue: 1)
        static let `true` = Words(rawValue: 2)
        static let `false` = Words(rawValue: 4)
        static let all: Words = [.null, .true, .false]
    }

    var words: Words = []
    var number: NumberShape?
    var string: StringShape?
    var array: ArrayShape?
    var object: ObjectShape?

    static let any = Shape(
        words: .all,
        number: NumberShape(),
        string: StringShape(),
        array: ArrayShape(),
        object: ObjectShape()
    )

    var isEmpty: Bool { words.isEmpty && number == nil && string == nil && array == nil && object == nil }

    /// Whether the shape is a list of words, numbers and strings.
    var isList: Bool {
        array == nil && object == nil && number.map { $0.values != nil } ?? true
            && string.map { $0.values != nil } ?? true
    }
}

struct StringShape: Hashable, Sendable {
    /// Characters.
    var least = 0
    var most: Int?
    /// Strings in JSON, with quotes, each character in its one spelling.
    var expression: RegexID?
    /// If there is a list, the string is one of it, and nothing else matters.
    var values: [[UInt8]]?
}

struct ArrayShape: Hashable, Sendable {
    struct Rule: Hashable, Sendable {
        var prefix: [[SchemaAtom]]
        /// What elements behind the prefix must meet.
        var rest: [SchemaAtom]

        func atoms(at index: Int) -> [SchemaAtom] { index < prefix.count ? prefix[index] : rest }
    }

    var least = 0
    var most: Int?
    var rules: [Rule] = []

    /// How many elements have a place of their own.
    var prefixCount: Int { rules.reduce(0) { max($0, $1.prefix.count) } }

    func atoms(at index: Int) -> [SchemaAtom] { rules.flatMap { $0.atoms(at: index) }.unique }
}

struct ObjectShape: Hashable, Sendable {
    struct Member: Hashable, Sendable {
        var name: [UInt8]
        var atoms: [SchemaAtom]
    }

    struct Pattern: Hashable, Sendable {
        /// Keys in JSON, with quotes, each character in its one spelling.
        var keys: RegexID
        var atoms: [SchemaAtom]
    }

    struct Rule: Hashable, Sendable {
        /// Whether the schema names members, perhaps none.
        var namesMembers = false
        var members: [Member] = []
        var patterns: [Pattern] = []
        /// What the values of other keys must meet.
        var others: [SchemaAtom] = []
    }

    var least = 0
    var most: Int?
    var rules: [Rule] = []
    /// Names in order, each once.
    var required: [[UInt8]] = []
}

extension Array where Element: Hashable {
    /// Each element once, where it first stands.
    var unique: [Element] {
        if count < 2 { return self }
        var seen = Set<Element>()
        return filter { seen.insert($0).inserted }
    }
}
