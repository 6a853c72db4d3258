/// Names a regular expression over bytes in a `RegexPool`. Equal expressions have equal names.
typealias RegexID = Int32

/// What an automaton does when a lexeme ends: a number that the enclosing rule understands.
typealias LexemeTag = Int32

/// One operator of a regular expression and its operands.
struct RegexNode: Equatable, Sendable {
    enum Kind: UInt8, Sendable {
        /// Matches nothing.
        case nothing
        /// Matches the empty text and reports the tag `a`.
        case accept
        /// One byte of the set `a`.
        case bytes
        /// `a`, then `b`.
        case sequence
        /// Any of `b` operands, which begin at `a` among the pool's operands.
        case union
        /// All of `b` operands, which begin at `a`.
        case intersection
        /// What `a` does not match.
        case complement
        /// From `b` to `c` times `a`; without an upper limit if `c` is `unlimited`.
        case repetition
        /// The digits of a decimal number that is to be a multiple of divisor `a`: the remainder so far is `b`, and `c`
        /// digits may still follow the point, or the point has not come yet if `c` is -1.
        case multiple
        /// A token that is no text, by its number `a`: no byte matches it.
        case special
        /// Any text up to a marker of finder `a`, which stands at node `b`, and at `c` among its other markers.
        case text
        /// The content, without quotes and escapes, of strings whose JSON `a` is left of.
        case content
    }

    var kind: Kind
    /// Whether the expression may match nothing although it is not `nothing`: it has intersections in it.
    var isDoubtful = false
    /// How deep a chain of operands may be followed to find the first byte.
    var depth: UInt16 = 0
    var a: Int32 = 0
    var b: Int32 = 0
    var c: Int32 = 0
    /// The tag reported where the empty text matches; -1 where it does not.
    var tag: LexemeTag = -1

    static let unlimited: Int32 = -1

    var isNullable: Bool { tag >= 0 }
}

/// The bytes that lead from an expression to what has to follow them.
struct RegexEdge: Sendable {
    var low: UInt8
    var high: UInt8
    var target: RegexID
}
