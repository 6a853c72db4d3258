extension Interpreter {
    enum Flow { case normal, breaks, continues }

    func execute(_ body: [Statement]) throws(TemplateError) -> Flow {
        try enter()
        defer { leave() }
        for statement in body {
            let flow = try execute(statement)
            if flow != .normal { return flow }
        }
        return .normal
    }

    private func execute(_ statement: Statement) throws(TemplateError) -> Flow {
        try budget.spend()
        switch statement {
        case .text(let index):
            if case .text(let text) = literal(index) { try write(text) }
        case .output(let expression):
            let value = try evaluate(expression)
            try write(try string(value))
        case .condition(let branches, let otherwise): return try choose(branches, otherwise)
        case .loop(let loop): return try run(loop)
        case .assignment(let target, let expression):
            try checkNamespaces(target)
            try assign(try evaluate(expression), to: target)
        case .blockAssignment(let target, let filters, let body):
            return try assignBlock(target, filters, body)
        case .macro(let definition):
            clearAtEnd(scope)
            scope.set(definition.nameIndex, to: .macro(Macro(definition, scope: scope)))
        case .callBlock(let caller, let function, let arguments, let line):
            try callBlock(caller, function, arguments, line: line)
        case .filterBlock(let filters, let body): return try filterBlock(filters, body)
        case .with(let values, let body): return try with(values, body)
        case .scope(let body):
            let inner = try makeScope(body.scope, parent: scope)
            return try within(inner) { () throws(TemplateError) in try execute(body.statements) }
        case .breakLoop: return .breaks
        case .continueLoop: return .continues
        }
        return .normal
    }

    private func choose(_ branches: [Statement.Branch], _ otherwise: [Statement]) throws(TemplateError) -> Flow {
        for branch in branches where try evaluate(branch.test).isTrue { return try execute(branch.body) }
        return try execute(otherwise)
    }

    // MARK: Assignments

    /// An attribute can be set on a namespace only. That is checked before the value is computed.
    private func checkNamespaces(_ target: Target) throws(TemplateError) {
        switch target {
        case .name: break
        case .attribute(let name, _, let line):
            self.line = line
            guard case .namespace = variable(name) else {
                throw .operation("cannot assign attribute on non-namespace object")
            }
        case .tuple(let targets): for target in targets { try checkNamespaces(target) }
        }
    }

    func assign(_ value: Value, to target: Target) throws(TemplateError) {
        try assign(value, to: target, in: scope)
    }

    private func assign(_ value: Value, to target: Target, in scope: Scope) throws(TemplateError) {
        switch target {
        case .name(let name): scope.set(name, to: value)
        case .attribute(let name, let attribute, _):
            guard case .namespace(let namespace) = variable(name) else {
                throw .operation("cannot assign attribute on non-namespace object")
            }
            namespace.set(Text(attribute), to: value)
        case .tuple(let targets):
            let values = try value.elements(budget)
            guard values.count == targets.count else {
                throw .operation(
                    values.count > targets.count
                        ? "too many values to unpack (expected \(targets.count))"
                        : "not enough values to unpack (expected \(targets.count), got \(values.count))"
                )
            }
            for (target, value) in zip(targets, values) { try assign(value, to: target, in: scope) }
        }
    }

    private func assignBlock(
        _ target: Target,
        _ filters: Expression?,
        _ body: Statement.Body
    ) throws(TemplateError) -> Flow {
        var flow = Flow.normal
        let inner = try makeScope(body.scope, parent: scope)
        let text = try capture { () throws(TemplateError) in
            try within(inner) { () throws(TemplateError) in flow = try execute(body.statements) }
        }
        guard flow == .normal else { return flow }
        var value = Value.text(text)
        if let filters {
            captured = text
            value = try within(inner) { () throws(TemplateError) in try evaluate(filters) }
        }
        try assign(value, to: target)
        return .normal
    }

    private func filterBlock(_ filters: Expression, _ body: Statement.Body) throws(TemplateError) -> Flow {
        var flow = Flow.normal
        let inner = try makeScope(body.scope, parent: scope)
        let text = try capture { () throws(TemplateError) in
            try within(inner) { () throws(TemplateError) in flow = try execute(body.statements) }
        }
        guard flow == .normal else { return flow }
        captured = text
        let value = try within(inner) { () throws(TemplateError) in try evaluate(filters) }
        try writeResult(of: "a filter block", value)
        return .normal
    }

    /// Jinja joins what blocks give without making strings of it first.
    private func writeResult(of block: String, _ value: Value) throws(TemplateError) {
        guard case .text(let text) = value else {
            throw .operation("\(block) must give a string, not \(value.typeName)")
        }
        try write(text)
    }

    private func with(_ values: [(target: Target, value: Expression)], _ body: Statement.Body) throws(TemplateError)
        -> Flow
    {
        let inner = try makeScope(body.scope, parent: scope)
        for (target, value) in values { try assign(try evaluate(value), to: target, in: inner) }
        return try within(inner) { () throws(TemplateError) in try execute(body.statements) }
    }

    private func callBlock(
        _ caller: MacroDefinition,
        _ function: Expression,
        _ written: CallArguments,
        line: Int
    ) throws(TemplateError) {
        clearAtEnd(scope)
        let callee = try evaluate(function)
        var arguments = try self.arguments(written)
        arguments.named.append(("caller", .macro(Macro(caller, scope: scope))))
        self.line = line
        try writeResult(of: "a call block", try call(callee, arguments))
    }

    // MARK: Loops

    private func run(_ statement: ForLoop) throws(TemplateError) -> Flow {
        let iterated = try evaluate(statement.iterated)
        self.line = statement.line
        return try run(statement, over: iterated, level: 0)
    }

    /// Renders a loop that is inside itself, for other items.
    func recur(_ loop: Loop, over iterated: Value) throws(TemplateError) -> Text {
        guard let recursion = loop.recursion else {
            throw .operation("the loop must be marked 'recursive' to be called")
        }
        return try capture { () throws(TemplateError) in
            try within(recursion.scope) { () throws(TemplateError) in
                _ = try run(recursion.statement, over: iterated, level: loop.level + 1)
            }
        }
    }

    private func run(_ statement: ForLoop, over iterated: Value, level: Int) throws(TemplateError) -> Flow {
        let loop = try makeLoop(statement, over: iterated, level: level)
        // Like Jinja: if no iteration reached the end of the body, the loop's `else` is executed.
        var wasCompleted = false
        while let item = try loop.next() {
            try budget.spend()
            let turn = try makeScope(statement.body.scope, parent: scope)
            if statement.usesLoop { turn.set(loopName, to: .loop(loop)) }
            try assign(item, to: statement.target, in: turn)
            let flow = try within(turn) { () throws(TemplateError) in try execute(statement.body.statements) }
            if flow == .breaks { break }
            if flow == .normal { wasCompleted = true }
        }
        guard !wasCompleted, let otherwise = statement.otherwise else { return .normal }
        let inner = try makeScope(otherwise.scope, parent: scope)
        return try within(inner) { () throws(TemplateError) in try execute(otherwise.statements) }
    }

    private func makeLoop(_ statement: ForLoop, over iterated: Value, level: Int) throws(TemplateError) -> Loop {
        let iterator = try ValueIterator.over(iterated)
        let outer = scope
        var length: Int?
        if statement.test == nil {
            if case .iterator = iterated { length = nil } else { length = try iterated.length(budget) }
        }
        let loop = Loop(
            length: length,
            nestingDepth: iterator.depth + 1,
            level: level,
            recursion: statement.isRecursive ? .init(statement: statement, scope: scope) : nil
        ) { [unowned self] () throws(TemplateError) in
            guard let test = statement.test else { return try iterator.next() }
            while let next = try iterator.next() {
                try budget.spend()
                let item = try unpacked(next, statement.target)
                let inner = Scope(parent: outer)
                try assign(item, to: statement.target, in: inner)
                let passes = try within(inner) { () throws(TemplateError) in try evaluate(test).isTrue }
                if passes { return item }
            }
            return nil
        }
        return loop
    }

    /// An item as a loop with a condition passes it on: what it unpacks is a tuple then.
    private func unpacked(_ item: Value, _ target: Target) throws(TemplateError) -> Value {
        guard case .tuple(let targets) = target else { return item }
        var values = try item.elements(budget)
        for (index, target) in targets.enumerated() where index < values.count {
            values[index] = try unpacked(values[index], target)
        }
        return .tuple(try ListValue(values))
    }
}
