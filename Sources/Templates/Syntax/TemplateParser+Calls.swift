extension TemplateParser {
    mutating func callArguments() throws(TemplateError) -> CallArguments {
        let line = self.line
        try expect(.symbol(.leftParenthesis))
        var result = CallArguments()
        var isFirst = true
        while current.kind != .symbol(.rightParenthesis) {
            if !isFirst {
                try expect(.symbol(.comma))
                if current.kind == .symbol(.rightParenthesis) { break }
            }
            isFirst = false
            try argument(&result, line: line)
        }
        next()
        return result
    }

    private mutating func argument(_ result: inout CallArguments, line: Int) throws(TemplateError) {
        func ensure(_ fits: Bool) throws(TemplateError) {
            guard fits else { throw .syntax("the arguments of a call are out of order", line: line) }
        }
        if skipSymbol(.multiply) {
            try ensure(result.list == nil && result.mapping == nil)
            result.list = try expression()
        } else if skipSymbol(.power) {
            try ensure(result.mapping == nil)
            result.mapping = try expression()
        } else if case .name(let name) = current.kind, following.kind == .symbol(.assign) {
            try ensure(result.mapping == nil)
            next()
            next()
            guard !result.named.contains(where: { $0.name == name }) else {
                throw .syntax("the argument '\(name)' is given twice", line: line)
            }
            result.named.append((name, try expression()))
        } else {
            try ensure(result.list == nil && result.mapping == nil && result.named.isEmpty)
            result.positional.append(try expression())
        }
    }

    /// The filters that follow a value; the first without its `|` if `startsWithName`.
    mutating func filters(of base: Expression, startsWithName: Bool = false) throws(TemplateError) -> Expression {
        var value = base
        var isName = startsWithName
        while isName || skipSymbol(.pipe) {
            isName = false
            let line = self.line
            let name = try dottedName()
            let arguments = current.kind == .symbol(.leftParenthesis) ? try callArguments() : CallArguments()
            let filter: FilterName
            if let known = Filter(name: name) {
                filter = .known(known)
            } else {
                filter = .unknown(name)
                unknownNames.append(.syntax("there is no filter '\(name)'", line: line))
            }
            value = try node(.filter(value, filter, arguments), line, [value] + arguments.expressions)
        }
        return value
    }

    mutating func test(of value: Expression) throws(TemplateError) -> Expression {
        let line = next().line
        let isNegated = skipName("not")
        let name = try dottedName()
        var arguments = CallArguments()
        if current.kind == .symbol(.leftParenthesis) {
            arguments = try callArguments()
        } else if startsTestArgument {
            guard !current.isName("is") else { throw .syntax("tests cannot follow each other", line: line) }
            arguments.positional = [try testArgument()]
        }
        let test: TestName
        if let known = Test(name: name) {
            test = .known(known)
        } else {
            test = .unknown(name)
            unknownNames.append(.syntax("there is no test '\(name)'", line: line))
        }
        let result = try node(.test(value, test, arguments), line, [value] + arguments.expressions)
        return isNegated ? try node(.not(result), line, [result]) : result
    }

    /// Whether an argument without parentheses follows, as in `x is divisibleby 3`.
    private var startsTestArgument: Bool {
        switch current.kind {
        case .name(let name): !["else", "or", "and"].contains(name)
        case .string, .integer, .number, .symbol(.leftBracket), .symbol(.leftBrace): true
        default: false
        }
    }

    private mutating func dottedName() throws(TemplateError) -> String {
        var name = try expectName()
        while skipSymbol(.dot) { name += "." + (try expectName()) }
        return name
    }
}
