/// Builds the syntax tree of a template. The grammar is that of Jinja 3.1, with its special cases.
struct TemplateParser {
    var names = InternTable<String>()
    var literals = InternTable<TemplateSyntax.Literal>()
    var scopes = VariableScopes()

    private let tokens: [TemplateToken]
    private var position = 0
    private var statementDepth = 0
    private var expressionDepth = 0
    /// Whether a `break` or `continue` is inside a loop.
    private var isInLoop = false
    /// For each enclosing loop: whether its body names `loop`.
    private var loopUses: [Bool] = []
    /// For each enclosing macro: which of `caller`, `kwargs` and `varargs` it names.
    private var macroUses: [Set<String>] = []
    /// Errors for filters and tests that do not exist. Inside a condition they are thrown only when they are reached.
    var unknownNames: [TemplateError] = []

    init(tokens: [TemplateToken]) { self.tokens = tokens }

    mutating func template() throws(TemplateError) -> [Statement] {
        let body = try statements(until: [])
        if let error = unknownNames.first { throw error }
        return body
    }

    // MARK: Tokens

    /// There is always one: the last is `end`, and `next` stays there.
    var current: TemplateToken { tokens[position] }
    var following: TemplateToken { tokens[min(position + 1, tokens.count - 1)] }
    var line: Int { current.line }

    @discardableResult
    mutating func next() -> TemplateToken {
        let token = current
        if position + 1 < tokens.count { position += 1 }
        return token
    }

    mutating func skip(_ kind: TemplateToken.Kind) -> Bool {
        guard current.kind == kind else { return false }
        next()
        return true
    }

    mutating func skipName(_ name: String) -> Bool { skip(.name(name)) }
    mutating func skipSymbol(_ symbol: TemplateToken.Symbol) -> Bool { skip(.symbol(symbol)) }

    mutating func expect(_ kind: TemplateToken.Kind) throws(TemplateError) {
        guard skip(kind) else {
            throw .syntax("\(TemplateToken(kind: kind, line: 0).label) is expected, not \(current.label)", line: line)
        }
    }

    mutating func expectName() throws(TemplateError) -> String {
        guard case .name(let name) = current.kind else {
            throw .syntax("a name is expected, not \(current.label)", line: line)
        }
        next()
        return name
    }

    mutating func nested<Result>(
        _ body: (inout TemplateParser) throws(TemplateError) -> Result
    ) throws(TemplateError) -> Result {
        expressionDepth += 1
        defer { expressionDepth -= 1 }
        guard expressionDepth <= TemplateLimits.syntaxDepth else {
            throw TemplateError(.limit, "expressions are nested too deeply", line: line)
        }
        return try body(&self)
    }

    // MARK: Names

    /// The place of a variable that is read.
    mutating func use(of name: String) -> Int {
        if name == "loop", !loopUses.isEmpty { for index in loopUses.indices { loopUses[index] = true } }
        if name == "caller" || name == "kwargs" || name == "varargs" {
            for index in macroUses.indices { macroUses[index].insert(name) }
        }
        let index = names.index(of: name)
        scopes.read(index)
        return index
    }

    /// Reads a body with a scope of its own, in which unknown filters and tests are an error.
    private mutating func scopedBody(
        declaring names: [Int] = [],
        _ body: (inout TemplateParser) throws(TemplateError) -> [Statement]
    ) throws(TemplateError) -> Statement.Body {
        let scope = scopes.begin()
        defer { scopes.end() }
        scopes.declare(names)
        return Statement.Body(statements: try strict(body), scope: scope)
    }

    /// Reads a part in which unknown filters and tests are an error, even inside a condition.
    private mutating func strict<Result>(
        _ body: (inout TemplateParser) throws(TemplateError) -> Result
    ) throws(TemplateError) -> Result {
        let known = unknownNames.count
        let result = try body(&self)
        if unknownNames.count > known { throw unknownNames[known] }
        return result
    }

    // MARK: Statements

    /// Statements up to a block that begins with one of `ends`; that name is left to be read.
    private mutating func statements(until ends: [String]) throws(TemplateError) -> [Statement] {
        statementDepth += 1
        defer { statementDepth -= 1 }
        guard statementDepth <= TemplateLimits.syntaxDepth else {
            throw TemplateError(.limit, "blocks are nested too deeply", line: line)
        }
        var body: [Statement] = []
        while true {
            switch current.kind {
            case .data(let bytes):
                next()
                body.append(.text(literals.index(of: .text(bytes))))
            case .variableBegin:
                next()
                body.append(.output(try tuple()))
                try expect(.variableEnd)
            case .blockBegin:
                next()
                if case .name(let name) = current.kind, ends.contains(name) { return body }
                body += try statement()
                try expect(.blockEnd)
            default:
                guard ends.isEmpty else {
                    throw .syntax("the template ends before '\(ends.joined(separator: "' or '"))'", line: line)
                }
                return body
            }
        }
    }

    /// The body of a block that `end` closes; both brackets around it are read.
    private mutating func body(until end: String) throws(TemplateError) -> [Statement] {
        let body = try statements(after: [end])
        next()
        return body
    }

    private mutating func statements(after ends: [String]) throws(TemplateError) -> [Statement] {
        _ = skipSymbol(.colon)
        try expect(.blockEnd)
        return try statements(until: ends)
    }

    private mutating func statement() throws(TemplateError) -> [Statement] {
        let line = self.line
        let name = try expectName()
        switch name {
        case "if": return [try condition()]
        case "for": return [try forLoop(line: line)]
        case "set": return [try assignment()]
        case "macro": return [try macro()]
        case "call": return [try callBlock(line: line)]
        case "filter": return [try filterBlock()]
        case "with": return [try with()]
        case "print": return try printed()
        case "generation":
            let body = try function { (parser) throws(TemplateError) in
                try parser.scopedBody { (parser) throws(TemplateError) in try parser.body(until: "endgeneration") }
            }
            return [.scope(body)]
        case "break", "continue":
            guard isInLoop else { throw .syntax("'\(name)' is outside of a loop", line: line) }
            return [name == "break" ? .breakLoop : .continueLoop]
        case "autoescape", "block", "extends", "import", "include", "from":
            throw .syntax("'\(name)' is not supported in a chat template", line: line)
        default: throw .syntax("there is no tag '\(name)' here", line: line)
        }
    }

    private mutating func condition() throws(TemplateError) -> Statement {
        let known = unknownNames.count
        var branches: [Statement.Branch] = []
        var otherwise: [Statement] = []
        var test = try tuple(withConditional: false)
        scopes.beginCondition()
        defer { scopes.endCondition() }
        while true {
            branches.append(.init(test: test, body: try statements(after: ["elif", "else", "endif"])))
            let end = try expectName()
            guard end == "elif" else {
                if end == "else" { otherwise = try body(until: "endif") }
                break
            }
            test = try tuple(withConditional: false)
        }
        unknownNames.removeLast(unknownNames.count - known)
        return .condition(branches, otherwise: otherwise)
    }

    private mutating func forLoop(line: Int) throws(TemplateError) -> Statement {
        let target = try self.target(until: "in")
        try expect(.name("in"))
        let iterated = try tuple(withConditional: false, until: "recursive")
        let test = try loopTest(target)
        let isRecursive = skipName("recursive")
        let outer = isInLoop
        defer { isInLoop = outer }
        isInLoop = true
        loopUses.append(false)
        let body = try scopedBody(declaring: target.names + [names.index(of: "loop")]) {
            (parser) throws(TemplateError) in
            try parser.statements(after: ["endfor", "else"])
        }
        let usesLoop = loopUses.removeLast() || isRecursive
        isInLoop = outer
        var otherwise: Statement.Body?
        if try expectName() == "else" {
            otherwise = try scopedBody { (parser) throws(TemplateError) in try parser.body(until: "endfor") }
        }
        return .loop(
            ForLoop(
                target: target,
                iterated: iterated,
                test: test,
                body: body,
                otherwise: otherwise,
                usesLoop: usesLoop,
                isRecursive: isRecursive,
                line: line
            )
        )
    }

    /// The condition of a loop's items, which knows them but not `loop`.
    private mutating func loopTest(_ target: Target) throws(TemplateError) -> Expression? {
        guard skipName("if") else { return nil }
        _ = scopes.begin()
        defer { scopes.end() }
        scopes.declare(target.names)
        return try expression()
    }

    private mutating func assignment() throws(TemplateError) -> Statement {
        let target = try self.target(withAttributes: true)
        if skipSymbol(.assign) {
            let value = try tuple()
            scopes.set(target.names)
            return .assignment(target, value)
        }
        let filters = current.kind == .symbol(.pipe) ? try self.filters(of: captured()) : nil
        scopes.set(target.names)
        let body = try scopedBody { (parser) throws(TemplateError) in try parser.body(until: "endset") }
        return .blockAssignment(target, filters: filters, body)
    }

    private func captured() -> Expression { Expression(kind: .captured, line: line, depth: 1) }

    private mutating func macro() throws(TemplateError) -> Statement {
        let name = try expectName()
        let index = names.index(of: name)
        scopes.set([index])
        return .macro(
            try definition(name: name, nameIndex: index, end: "endmacro") { (parser) throws(TemplateError) in
                try parser.parameters()
            }
        )
    }

    private mutating func callBlock(line: Int) throws(TemplateError) -> Statement {
        var called: Expression?
        let caller = try definition(
            name: "caller",
            nameIndex: names.index(of: "caller"),
            end: "endcall"
        ) { (parser) throws(TemplateError) in
            let hasParameters = parser.current.kind == .symbol(.leftParenthesis)
            let parameters = hasParameters ? try parser.parameters() : []
            parser.scopes.end()
            called = try parser.expression()
            parser.scopes.resume()
            return parameters
        }
        guard case .call(let function, let arguments)? = called?.kind else {
            throw .syntax("a call block needs a call", line: line)
        }
        return .callBlock(caller: caller, function, arguments, line: line)
    }

    /// A macro: its head, and its body up to `end`.
    private mutating func definition(
        name: String,
        nameIndex: Int,
        end: String,
        head: (inout TemplateParser) throws(TemplateError) -> [MacroDefinition.Parameter]
    ) throws(TemplateError) -> MacroDefinition {
        let scope = scopes.begin()
        defer { scopes.end() }
        let parameters = try head(&self)
        scopes.declare(parameters.map(\.index) + ["caller", "kwargs", "varargs"].map { names.index(of: $0) })
        macroUses.append([])
        let statements = try function { (parser) throws(TemplateError) in
            try parser.strict { (parser) throws(TemplateError) in try parser.body(until: end) }
        }
        var uses = macroUses.removeLast()
        for parameter in parameters where uses.contains(parameter.name) {
            guard parameter.name != "caller" || parameter.fallback != nil else {
                throw .syntax("the parameter 'caller' needs a default", line: line)
            }
            uses.remove(parameter.name)
        }
        let body = Statement.Body(statements: statements, scope: scope)
        return MacroDefinition(name: name, nameIndex: nameIndex, parameters: parameters, body: body, uses: uses)
    }

    /// Reads what Jinja compiles to a function: an enclosing loop cannot be left from inside it.
    private mutating func function<Result>(
        _ body: (inout TemplateParser) throws(TemplateError) -> Result
    ) throws(TemplateError) -> Result {
        let outer = isInLoop
        defer { isInLoop = outer }
        isInLoop = false
        return try body(&self)
    }

    private mutating func parameters() throws(TemplateError) -> [MacroDefinition.Parameter] {
        try expect(.symbol(.leftParenthesis))
        var result: [MacroDefinition.Parameter] = []
        while current.kind != .symbol(.rightParenthesis) {
            if !result.isEmpty { try expect(.symbol(.comma)) }
            let line = self.line
            let name = try expectName()
            var fallback: Expression?
            if skipSymbol(.assign) {
                fallback = try expression()
            } else if result.last?.fallback != nil {
                throw .syntax("a parameter without a default follows one with a default", line: line)
            }
            guard !result.contains(where: { $0.name == name }) else {
                throw .syntax("there are two parameters '\(name)'", line: line)
            }
            result.append(.init(name: name, index: names.index(of: name), fallback: fallback))
        }
        next()
        return result
    }

    private mutating func filterBlock() throws(TemplateError) -> Statement {
        let filters = try self.filters(of: captured(), startsWithName: true)
        return .filterBlock(
            filters,
            try scopedBody { (parser) throws(TemplateError) in
                try parser.body(until: "endfilter")
            }
        )
    }

    private mutating func with() throws(TemplateError) -> Statement {
        var values: [(target: Target, value: Expression)] = []
        while current.kind != .blockEnd {
            if !values.isEmpty { try expect(.symbol(.comma)) }
            let target = try self.target()
            try expect(.symbol(.assign))
            values.append((target, try expression()))
        }
        let body = try scopedBody(declaring: values.flatMap(\.target.names)) { (parser) throws(TemplateError) in
            try parser.body(until: "endwith")
        }
        return .with(values, body)
    }

    private mutating func printed() throws(TemplateError) -> [Statement] {
        var result: [Statement] = []
        while current.kind != .blockEnd {
            if !result.isEmpty { try expect(.symbol(.comma)) }
            result.append(.output(try expression()))
        }
        return result
    }
}
