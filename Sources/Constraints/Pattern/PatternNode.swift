/// A regular expression of `pattern`, as it is written in ECMA-262.
indirect enum PatternNode: Sendable {
    case set(ScalarSet)
    case sequence([PatternNode])
    case alternatives([PatternNode])
    /// At most `most` times; without limit if that is nil.
    case repetition(PatternNode, least: Int32, most: Int32?)
    case start
    case end
    /// What follows must match, or must not.
    case lookahead(PatternNode, isNegative: Bool)

    /// Whether anything in it asks about the text around it.
    var hasAssertion: Bool {
        switch self {
        case .set: false
        case .sequence(let parts), .alternatives(let parts): parts.contains { $0.hasAssertion }
        case .repetition(let part, _, _): part.hasAssertion
        case .start, .end, .lookahead: true
        }
    }
}

/// Why a pattern cannot be enforced.
struct PatternError: Error, Sendable {
    var description: String

    init(_ description: String) { self.description = description }
}
