/// A node of an expression's syntax tree.
///
/// Names and literals are numbers: places in the template's tables, so that rendering compares and copies no text.
struct Expression: Sendable {
    typealias NameIndex = Int
    typealias LiteralIndex = Int

    let kind: Kind
    let line: Int
    /// How many nodes the longest way down has. Bounded by the parser.
    let depth: Int

    indirect enum Kind: Sendable {
        case literal(LiteralIndex)
        case name(NameIndex)
        case list([Expression])
        case tuple([Expression])
        case dict([(key: Expression, value: Expression)])
        /// `base.name`; the name is a literal.
        case attribute(Expression, LiteralIndex)
        /// `base[key]`.
        case item(Expression, Expression)
        case slice(Expression, start: Expression?, stop: Expression?, step: Expression?)
        case call(Expression, CallArguments)
        case filter(Expression, FilterName, CallArguments)
        case test(Expression, TestName, CallArguments)
        case not(Expression)
        case negative(Expression)
        case positive(Expression)
        case binary(BinaryOperator, Expression, Expression)
        case and(Expression, Expression)
        case or(Expression, Expression)
        case comparison(Expression, [(symbol: ComparisonOperator, operand: Expression)])
        /// `a ~ b ~ c`.
        case concatenation([Expression])
        /// `value if test else otherwise`.
        case conditional(test: Expression, value: Expression, otherwise: Expression?)
        /// The text of the block that a filter is applied to.
        case captured
    }
}

enum BinaryOperator: String, Sendable {
    case add = "+"
    case subtract = "-"
    case multiply = "*"
    case divide = "/"
    case floorDivide = "//"
    case modulo = "%"
    case power = "**"
}

enum ComparisonOperator: String, Sendable {
    case equal = "=="
    case notEqual = "!="
    case less = "<"
    case lessOrEqual = "<="
    case greater = ">"
    case greaterOrEqual = ">="
    case isIn = "in"
    case isNotIn = "not in"
}

/// The arguments of a call as they are written.
struct CallArguments: Sendable {
    var positional: [Expression] = []
    var named: [(name: String, value: Expression)] = []
    /// `*list` and `**mapping`.
    var list: Expression?
    var mapping: Expression?

    var isEmpty: Bool { positional.isEmpty && named.isEmpty && list == nil && mapping == nil }

    var expressions: [Expression] { positional + named.map(\.value) + [list, mapping].compactMap { $0 } }
}

/// A filter, or the name of one that does not exist: that is an error only where it is reached.
enum FilterName: Sendable {
    case known(Filter)
    case unknown(String)
}

enum TestName: Sendable {
    case known(Test)
    case unknown(String)
}
