/// A template, read.
struct TemplateSyntax: Sendable {
    enum Literal: Sendable, Hashable {
        case none
        case bool(Bool)
        case integer(Int)
        case number(UInt64)
        case text([UInt8])
    }

    var body: [Statement] = []
    /// Every name in the template; variables are looked up by their index here.
    var names: [String] = []
    var literals: [Literal] = []
    /// For each scope, by its number, the variables that are undefined when it begins.
    var undefinedAtStart: [[Int]] = []

    init(_ source: String) throws(TemplateError) {
        var parser = TemplateParser(tokens: try TemplateLexer.tokens(of: source))
        body = try parser.template()
        names = parser.names.values
        literals = parser.literals.values
        undefinedAtStart = parser.scopes.undefinedAtStart()
    }
}

/// Numbers for values, the same number for equal ones.
struct InternTable<Value: Hashable & Sendable>: Sendable {
    private(set) var values: [Value] = []
    private var indices: [Value: Int] = [:]

    mutating func index(of value: Value) -> Int {
        if let index = indices[value] { return index }
        indices[value] = values.count
        values.append(value)
        return values.count - 1
    }
}

// MARK: Statements

/// A node of a template's syntax tree.
indirect enum Statement: Sendable {
    /// Text outside tags; a literal.
    case text(Int)
    case output(Expression)
    case condition([Branch], otherwise: [Statement])
    case loop(ForLoop)
    case assignment(Target, Expression)
    /// `{% set x %}…{% endset %}`, with filters for the text, if any: an expression over `captured`.
    case blockAssignment(Target, filters: Expression?, Body)
    case macro(MacroDefinition)
    /// `{% call(arguments) macro() %}…{% endcall %}`: the body is what the macro calls as `caller`.
    case callBlock(caller: MacroDefinition, Expression, CallArguments, line: Int)
    case filterBlock(Expression, Body)
    case with([(target: Target, value: Expression)], Body)
    /// Statements whose assignments are not seen outside.
    case scope(Body)
    case breakLoop
    case continueLoop

    struct Branch: Sendable {
        var test: Expression
        var body: [Statement]
    }

    /// Statements with a scope of their own.
    struct Body: Sendable {
        var statements: [Statement]
        /// The number of their scope.
        var scope: Int
    }
}

/// What is assigned to.
indirect enum Target: Sendable {
    case name(Int)
    /// An attribute of a namespace.
    case attribute(name: Int, attribute: String, line: Int)
    case tuple([Target])

    /// The variables among it.
    var names: [Int] {
        switch self {
        case .name(let name): [name]
        case .attribute: []
        case .tuple(let targets): targets.flatMap(\.names)
        }
    }
}

struct ForLoop: Sendable {
    let target: Target
    let iterated: Expression
    /// Items for which it is false are skipped.
    let test: Expression?
    let body: Statement.Body
    let otherwise: Statement.Body?
    /// Whether the body names `loop`.
    let usesLoop: Bool
    let isRecursive: Bool
    let line: Int
}

struct MacroDefinition: Sendable {
    struct Parameter: Sendable {
        var name: String
        var index: Int
        var fallback: Expression?
    }

    /// `caller` for the body of a call block.
    let name: String
    let nameIndex: Int
    let parameters: [Parameter]
    let body: Statement.Body
    /// Which of `caller`, `kwargs` and `varargs` the body names.
    let uses: Set<String>
}

// MARK: Expressions

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
