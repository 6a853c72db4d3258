extension TemplateParser {
    /// An expression, or several with commas between them, which make a tuple.
    mutating func tuple(
        withConditional: Bool = true,
        until end: String? = nil,
        mayBeEmpty: Bool = false
    ) throws(TemplateError) -> Expression {
        let line = self.line
        var elements: [Expression] = []
        var isTuple = false
        while true {
            if !elements.isEmpty { try expect(.symbol(.comma)) }
            if isTupleEnd(end) { break }
            elements.append(try expression(withConditional: withConditional))
            guard current.kind == .symbol(.comma) else { break }
            isTuple = true
        }
        if !isTuple {
            if let element = elements.first { return element }
            guard mayBeEmpty else { throw .syntax("an expression is expected, not \(current.label)", line: line) }
        }
        return try node(.tuple(elements), line, elements)
    }

    mutating func expression(withConditional: Bool = true) throws(TemplateError) -> Expression {
        try nested { (parser) throws(TemplateError) in
            withConditional ? try parser.conditional() : try parser.disjunction()
        }
    }

    func node(_ kind: Expression.Kind, _ line: Int, _ children: [Expression]) throws(TemplateError) -> Expression {
        let depth = 1 + (children.lazy.map(\.depth).max() ?? 0)
        guard depth <= 2 * TemplateLimits.syntaxDepth else {
            throw TemplateError(.limit, "an expression is too long", line: line)
        }
        return Expression(kind: kind, line: line, depth: depth)
    }

    private mutating func conditional() throws(TemplateError) -> Expression {
        let line = self.line
        let known = unknownNames.count
        var value = try disjunction()
        while skipName("if") {
            let test = try disjunction()
            let otherwise =
                skipName("else")
                ? try nested { (parser) throws(TemplateError) in try parser.conditional() } : nil
            unknownNames.removeLast(unknownNames.count - known)
            value = try node(
                .conditional(test: test, value: value, otherwise: otherwise),
                line,
                [test, value] + [otherwise].compactMap { $0 }
            )
        }
        return value
    }

    private mutating func disjunction() throws(TemplateError) -> Expression {
        let line = self.line
        var left = try conjunction()
        while skipName("or") {
            let right = try conjunction()
            left = try node(.or(left, right), line, [left, right])
        }
        return left
    }

    private mutating func conjunction() throws(TemplateError) -> Expression {
        let line = self.line
        var left = try negation()
        while skipName("and") {
            let right = try negation()
            left = try node(.and(left, right), line, [left, right])
        }
        return left
    }

    private mutating func negation() throws(TemplateError) -> Expression {
        let line = self.line
        guard skipName("not") else { return try comparison() }
        let operand = try nested { (parser) throws(TemplateError) in try parser.negation() }
        return try node(.not(operand), line, [operand])
    }

    private mutating func comparison() throws(TemplateError) -> Expression {
        let line = self.line
        let first = try sum()
        var rest: [(symbol: ComparisonOperator, operand: Expression)] = []
        while let comparison = comparisonOperator() { rest.append((comparison, try sum())) }
        guard !rest.isEmpty else { return first }
        return try node(.comparison(first, rest), line, [first] + rest.map(\.operand))
    }

    private mutating func comparisonOperator() -> ComparisonOperator? {
        switch current.kind {
        case .symbol(let symbol):
            guard let found = ComparisonOperator(rawValue: symbol.rawValue) else { return nil }
            next()
            return found
        case .name("in"):
            next()
            return .isIn
        case .name("not") where following.isName("in"):
            next()
            next()
            return .isNotIn
        default: return nil
        }
    }

    private mutating func sum() throws(TemplateError) -> Expression {
        try binary([.add, .subtract]) { (parser) throws(TemplateError) in try parser.concatenation() }
    }

    private mutating func concatenation() throws(TemplateError) -> Expression {
        let line = self.line
        var parts = [try product()]
        while skipSymbol(.tilde) { parts.append(try product()) }
        return parts.count == 1 ? parts[0] : try node(.concatenation(parts), line, parts)
    }

    private mutating func product() throws(TemplateError) -> Expression {
        try binary([.multiply, .divide, .floorDivide, .modulo]) { (parser) throws(TemplateError) in
            try parser.binary([.power]) { (parser) throws(TemplateError) in try parser.unary() }
        }
    }

    private mutating func binary(
        _ operators: [BinaryOperator],
        _ operand: (inout TemplateParser) throws(TemplateError) -> Expression
    ) throws(TemplateError) -> Expression {
        let line = self.line
        var left = try operand(&self)
        while case .symbol(let symbol) = current.kind, let found = BinaryOperator(rawValue: symbol.rawValue),
            operators.contains(found)
        {
            next()
            let right = try operand(&self)
            left = try node(.binary(found, left, right), line, [left, right])
        }
        return left
    }

    private mutating func unary(withFilters: Bool = true) throws(TemplateError) -> Expression {
        let line = self.line
        var value: Expression
        if skipSymbol(.subtract) {
            let operand = try nested { (parser) throws(TemplateError) in try parser.unary(withFilters: false) }
            value = try node(.negative(operand), line, [operand])
        } else if skipSymbol(.add) {
            let operand = try nested { (parser) throws(TemplateError) in try parser.unary(withFilters: false) }
            value = try node(.positive(operand), line, [operand])
        } else {
            value = try primary()
        }
        value = try postfixes(of: value)
        return withFilters ? try filtersAndTests(of: value) : value
    }

    /// The argument of a test that is written without parentheses.
    mutating func testArgument() throws(TemplateError) -> Expression {
        try nested { (parser) throws(TemplateError) in try parser.postfixes(of: try parser.primary()) }
    }

    private mutating func primary() throws(TemplateError) -> Expression {
        let token = current
        switch token.kind {
        case .name(let name):
            next()
            switch name {
            case "true", "True": return try literal(.bool(true), token.line)
            case "false", "False": return try literal(.bool(false), token.line)
            case "none", "None": return try literal(.none, token.line)
            default: return try node(.name(use(of: name)), token.line, [])
            }
        case .string(var bytes):
            next()
            while case .string(let more) = current.kind {
                bytes += more
                next()
            }
            return try literal(.text(bytes), token.line)
        case .integer(let value):
            next()
            return try literal(.integer(value), token.line)
        case .number(let value):
            next()
            return try literal(.number(value.bitPattern), token.line)
        case .symbol(.leftParenthesis):
            next()
            let value = try tuple(mayBeEmpty: true)
            try expect(.symbol(.rightParenthesis))
            return value
        case .symbol(.leftBracket): return try list()
        case .symbol(.leftBrace): return try dict()
        default: throw .syntax("an expression is expected, not \(token.label)", line: token.line)
        }
    }

    private mutating func literal(_ value: TemplateSyntax.Literal, _ line: Int) throws(TemplateError) -> Expression {
        try node(.literal(literals.index(of: value)), line, [])
    }

    private mutating func list() throws(TemplateError) -> Expression {
        let line = next().line
        var elements: [Expression] = []
        while current.kind != .symbol(.rightBracket) {
            if !elements.isEmpty { try expect(.symbol(.comma)) }
            if current.kind == .symbol(.rightBracket) { break }
            elements.append(try expression())
        }
        next()
        return try node(.list(elements), line, elements)
    }

    private mutating func dict() throws(TemplateError) -> Expression {
        let line = next().line
        var pairs: [(key: Expression, value: Expression)] = []
        while current.kind != .symbol(.rightBrace) {
            if !pairs.isEmpty { try expect(.symbol(.comma)) }
            if current.kind == .symbol(.rightBrace) { break }
            let key = try expression()
            try expect(.symbol(.colon))
            pairs.append((key, try expression()))
        }
        next()
        return try node(.dict(pairs), line, pairs.flatMap { [$0.key, $0.value] })
    }

    // MARK: What may follow a value

    private mutating func postfixes(of base: Expression) throws(TemplateError) -> Expression {
        var value = base
        while true {
            switch current.kind {
            case .symbol(.dot), .symbol(.leftBracket): value = try subscripted(value)
            case .symbol(.leftParenthesis): value = try called(value)
            default: return value
            }
        }
    }

    private mutating func filtersAndTests(of base: Expression) throws(TemplateError) -> Expression {
        var value = base
        while true {
            switch current.kind {
            case .symbol(.pipe): value = try filters(of: value)
            case .name("is"): value = try test(of: value)
            case .symbol(.leftParenthesis): value = try called(value)
            default: return value
            }
        }
    }

    private mutating func called(_ function: Expression) throws(TemplateError) -> Expression {
        let line = self.line
        let arguments = try callArguments()
        return try node(.call(function, arguments), line, [function] + arguments.expressions)
    }

    private mutating func subscripted(_ base: Expression) throws(TemplateError) -> Expression {
        let token = next()
        if token.kind == .symbol(.dot) {
            let attribute = next()
            switch attribute.kind {
            case .name(let name):
                let literal = literals.index(of: .text(Array(name.utf8)))
                return try node(.attribute(base, literal), token.line, [base])
            case .integer(let index):
                let key = try literal(.integer(index), token.line)
                return try node(.item(base, key), token.line, [base, key])
            default: throw .syntax("a name is expected after '.', not \(attribute.label)", line: token.line)
            }
        }
        var keys: [Expression] = []
        while current.kind != .symbol(.rightBracket) {
            if !keys.isEmpty { try expect(.symbol(.comma)) }
            if let slice = try slice(of: base, line: token.line) {
                guard keys.isEmpty, current.kind == .symbol(.rightBracket) else {
                    throw .syntax("a slice stands alone", line: token.line)
                }
                next()
                return slice
            }
            keys.append(try expression())
            if keys.count == 1, current.kind == .symbol(.colon) {
                let slice = try sliceRest(of: base, start: keys[0], line: token.line)
                try expect(.symbol(.rightBracket))
                return slice
            }
        }
        next()
        let key = keys.count == 1 ? keys[0] : try node(.tuple(keys), token.line, keys)
        return try node(.item(base, key), token.line, [base, key])
    }

    /// A slice without a start, if there is one.
    private mutating func slice(of base: Expression, line: Int) throws(TemplateError) -> Expression? {
        guard current.kind == .symbol(.colon) else { return nil }
        return try sliceRest(of: base, start: nil, line: line)
    }

    /// What follows a slice's start: `:stop` or `:stop:step`, all of them optional.
    private mutating func sliceRest(
        of base: Expression,
        start: Expression?,
        line: Int
    ) throws(TemplateError) -> Expression {
        next()
        let stop = isSliceEnd ? nil : try expression()
        var step: Expression?
        if skipSymbol(.colon), !isSliceEnd { step = try expression() }
        return try node(
            .slice(base, start: start, stop: stop, step: step),
            line,
            [base] + [start, stop, step].compactMap { $0 }
        )
    }

    private var isSliceEnd: Bool {
        [.symbol(.colon), .symbol(.rightBracket), .symbol(.comma)].contains(current.kind)
    }
}

// MARK: Targets of assignments

extension TemplateParser {
    private static let constants: Set<String> = ["true", "false", "none", "True", "False", "None"]

    /// One target, or several with commas between them.
    mutating func target(withAttributes: Bool = false, until end: String? = nil) throws(TemplateError) -> Target {
        var targets: [Target] = []
        var isTuple = false
        while true {
            if !targets.isEmpty { try expect(.symbol(.comma)) }
            if isTupleEnd(end) { break }
            targets.append(try simpleTarget(withAttributes: withAttributes))
            guard current.kind == .symbol(.comma) else { break }
            isTuple = true
        }
        if isTuple { return .tuple(targets) }
        guard let target = targets.first else { throw .syntax("a name is expected, not \(current.label)", line: line) }
        return target
    }

    private mutating func simpleTarget(withAttributes: Bool) throws(TemplateError) -> Target {
        let line = self.line
        if skipSymbol(.leftParenthesis) {
            let targets = try nested { (parser) throws(TemplateError) in
                try parser.target(until: nil)
            }
            try expect(.symbol(.rightParenthesis))
            return targets
        }
        let name = try expectName()
        guard !Self.constants.contains(name) else { throw .syntax("'\(name)' cannot be assigned to", line: line) }
        if withAttributes, skipSymbol(.dot) {
            let attribute = try expectName()
            guard !attribute.hasPrefix("_") else {
                throw .syntax("a namespace has no attribute '\(attribute)'", line: line)
            }
            return .attribute(name: use(of: name), attribute: attribute, line: line)
        }
        guard name != "loop" else { throw .syntax("'loop' cannot be assigned to", line: line) }
        return .name(names.index(of: name))
    }

    func isTupleEnd(_ end: String?) -> Bool {
        switch current.kind {
        case .variableEnd, .blockEnd, .symbol(.rightParenthesis): true
        case .name(let name): name == end
        default: false
        }
    }
}
