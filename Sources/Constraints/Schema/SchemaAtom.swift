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

    /// How much there is to go through where the shape is combined with another, roughly.
    var size: Int {
        var size = 0
        if let number {
            size += (number.values?.count ?? 0) + number.excluded.count
            size += number.divisors.count + number.nondivisors.count
        }
        for text in string?.values ?? [] { size += 1 + text.count / 16 }
        if let array { size += array.rules.count }
        if let object { size += object.rules.count + object.required.count }
        return size
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
    /// What one schema says of elements. It is shared and keeps its hash: shapes are combined, and each may have many.
    final class Rule: Hashable, Sendable {
        let prefix: [[SchemaAtom]]
        /// What elements behind the prefix must meet.
        let rest: [SchemaAtom]
        private let hash: Int

        init(prefix: [[SchemaAtom]], rest: [SchemaAtom]) {
            self.prefix = prefix
            self.rest = rest
            var hasher = Hasher()
            hasher.combine(prefix)
            hasher.combine(rest)
            hash = hasher.finalize()
        }

        static func == (left: Rule, right: Rule) -> Bool {
            left === right || left.hash == right.hash && left.prefix == right.prefix && left.rest == right.rest
        }

        func hash(into hasher: inout Hasher) { hasher.combine(hash) }

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

    /// What one schema says of members. It is shared and keeps its hash: shapes are combined, and each may have many.
    final class Rule: Hashable, Sendable {
        /// Whether the schema names members, perhaps none.
        let namesMembers: Bool
        let members: [Member]
        let patterns: [Pattern]
        /// What the values of other keys must meet.
        let others: [SchemaAtom]
        private let places: [[UInt8]: Int]
        private let hash: Int

        init(
            namesMembers: Bool = false,
            members: [Member] = [],
            patterns: [Pattern] = [],
            others: [SchemaAtom] = []
        ) {
            self.namesMembers = namesMembers
            self.members = members
            self.patterns = patterns
            self.others = others
            places = Dictionary(
                members.enumerated().map { ($0.element.name, $0.offset) },
                uniquingKeysWith: { first, _ in first }
            )
            var hasher = Hasher()
            hasher.combine(namesMembers)
            hasher.combine(members)
            hasher.combine(patterns)
            hasher.combine(others)
            hash = hasher.finalize()
        }

        static func == (left: Rule, right: Rule) -> Bool {
            if left === right { return true }
            return left.hash == right.hash && left.namesMembers == right.namesMembers && left.members == right.members
                && left.patterns == right.patterns && left.others == right.others
        }

        func hash(into hasher: inout Hasher) { hasher.combine(hash) }

        func member(_ name: [UInt8]) -> Member? { places[name].map { members[$0] } }
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
