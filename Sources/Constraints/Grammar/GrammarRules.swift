/// What may stand in a place: a scalar, or one of some objects and arrays.
struct ValueRule: Sendable {
    /// Numbers, strings, true, false and null.
    var scalar: RegexID = RegexPool.nothing
    var objects: [Int32] = []
    var arrays: [Int32] = []
    /// How many arrays and objects the shallowest value has one inside the other; `unreachable` if there is no value.
    var height = Self.unreachable

    static let unreachable: Int32 = 1 << 20
}

struct ObjectRule: Sendable {
    struct Member: Sendable {
        /// The key in JSON, with quotes.
        var key: [UInt8]
        var value: Int32
        /// The rule of the same if it is a string, where that is told by the key's end: `value` is the rule of all others.
        var text: Int32?
        var isRequired: Bool
    }

    /// Keys that are not members, of which no two regions have one in common.
    struct Region: Sendable {
        var keys: RegexID
        var value: Int32
    }

    /// In the order in which they come.
    var members: [Member]
    var regions: [Region]
    var least: Int32
    var most: Int32?
    var isOrdered = true
    /// How it is punctuated, if not as JSON: an index.
    var writing: Int32?
    var height = ValueRule.unreachable

    var hasCount: Bool { least > 0 || most != nil }
}

struct ArrayRule: Sendable {
    /// The rules of the first elements.
    var prefix: [Int32]
    var rest: Int32?
    var least: Int32
    var most: Int32?
    var height = ValueRule.unreachable

    func value(at index: Int32) -> Int32? { index < prefix.count ? prefix[Int(index)] : rest }
}

/// Parts one after the other.
struct SequenceRule: Sendable {
    enum Part: Sendable {
        case lexeme(RegexID)
        case value(Int32, SchemaOptions.Layout)
        /// One of some sequences.
        case choice([Int32])
        /// A lexeme and the sequence that its end names, of those with that index in `branches`.
        case branch(RegexID, Int32)
    }

    var parts: [Part]
}

/// The rules of a grammar, which refer to each other by index.
struct GrammarRules: Sendable {
    var values: [ValueRule] = []
    var objects: [ObjectRule] = []
    var arrays: [ArrayRule] = []
    var sequences: [SequenceRule] = []
    var branches: [[Int32]] = []
    var writings: [ObjectWriting] = []

    func height(of member: ObjectRule.Member) -> Int32 { Self.height(of: member, values) }

    static func height(of member: ObjectRule.Member, _ values: [ValueRule]) -> Int32 {
        let height = values[Int(member.value)].height
        return member.text.map { min(height, values[Int($0)].height) } ?? height
    }
    /// How many arrays and objects may stand one inside the other: as many as any of the schemas allows.
    var depth: Int32 = 0
}

/// What an answer may be, compiled: immutable, and the same for every vocabulary.
package struct Grammar: Sendable {
    let rules: GrammarRules
    /// The expressions that the rules name, and some of their derivatives.
    let pool: RegexPool
    /// The sequence that is the whole answer.
    let root: Int32
    /// Paths of keywords that are not enforced.
    package let ignored: [String]

    package var approximateBytes: Int {
        let members = rules.objects.reduce(0) { $0 + $1.members.reduce(0) { $0 + $1.key.count + 56 } }
        return pool.approximateBytes + rules.values.count * MemoryLayout<ValueRule>.stride + members
            + (rules.objects.count + rules.arrays.count) * 80
    }
}
