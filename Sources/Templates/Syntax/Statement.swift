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
    /// Statements whose assignments stay inside.
    case scope(Body)
    case breakLoop
    case continueLoop

    struct Branch: Sendable {
        var test: Expression
        var body: [Statement]
    }

    /// Statements with variables of their own.
    struct Body: Sendable {
        var statements: [Statement]
        /// Its number among the template's stretches.
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

final class ForLoop: Sendable {
    let target: Target
    let iterated: Expression
    /// Items for which it is false are passed over.
    let test: Expression?
    let body: Statement.Body
    let otherwise: Statement.Body?
    /// Whether the body speaks of `loop`.
    let usesLoop: Bool
    let isRecursive: Bool
    let line: Int

    init(
        target: Target,
        iterated: Expression,
        test: Expression?,
        body: Statement.Body,
        otherwise: Statement.Body?,
        usesLoop: Bool,
        isRecursive: Bool,
        line: Int
    ) {
        self.target = target
        self.iterated = iterated
        self.test = test
        self.body = body
        self.otherwise = otherwise
        self.usesLoop = usesLoop
        self.isRecursive = isRecursive
        self.line = line
    }
}

final class MacroDefinition: Sendable {
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
    /// Which of `caller`, `kwargs` and `varargs` the body speaks of.
    let uses: Set<String>

    init(name: String, nameIndex: Int, parameters: [Parameter], body: Statement.Body, uses: Set<String>) {
        self.name = name
        self.nameIndex = nameIndex
        self.parameters = parameters
        self.body = body
        self.uses = uses
    }
}
