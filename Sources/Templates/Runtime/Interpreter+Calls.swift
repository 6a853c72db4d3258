/// The arguments of a call.
struct Arguments {
    var positional: [Value] = []
    var named: [(name: String, value: Value)] = []

    /// The arguments in the order of a function's parameters; nil where none is given.
    /// - Throws: if there are too many, one is unknown or given twice, or one of the first `required` is missing.
    func bound(_ function: String, _ parameters: [String], required: Int = 0) throws(TemplateError) -> [Value?] {
        guard positional.count <= parameters.count else {
            throw .operation(
                "\(function) takes at most \(parameters.count) arguments (\(positional.count + named.count) given)"
            )
        }
        var result: [Value?] = positional + Array(repeating: nil, count: parameters.count - positional.count)
        for (name, value) in named {
            guard let index = parameters.firstIndex(of: name) else {
                throw .operation("\(function) got an unexpected keyword argument '\(name)'")
            }
            guard result[index] == nil else {
                throw .operation("\(function) got multiple values for argument '\(name)'")
            }
            result[index] = value
        }
        for index in 0..<required where result[index] == nil {
            throw .operation("\(function) is missing its argument '\(parameters[index])'")
        }
        return result
    }
}

extension Interpreter {
    func arguments(_ written: CallArguments) throws(TemplateError) -> Arguments {
        var result = Arguments()
        if written.isEmpty { return result }
        for argument in written.positional { result.positional.append(try evaluate(argument)) }
        for (name, value) in written.named { result.named.append((name, try evaluate(value))) }
        if let list = written.list { result.positional += try evaluate(list).elements(budget) }
        if let mapping = written.mapping { try append(try evaluate(mapping), to: &result) }
        return result
    }

    private func append(_ mapping: Value, to arguments: inout Arguments) throws(TemplateError) {
        guard case .dict(let dict) = mapping else {
            throw .operation("argument after ** must be a mapping, not \(mapping.typeName)")
        }
        for (key, value) in zip(dict.keys, dict.values) {
            guard case .text(let name) = key else { throw .operation("keywords must be strings") }
            let string = name.string
            guard !arguments.named.contains(where: { $0.name == string }) else {
                throw .operation("got multiple values for keyword argument '\(string)'")
            }
            try budget.spend(arguments.named.count + 1)
            arguments.named.append((string, value))
        }
    }

    func call(_ function: Expression, _ written: CallArguments, line: Int) throws(TemplateError) -> Value {
        // A method that is called at once needs no bound-method object.
        if case .attribute(let base, let name) = function.kind, case .text(let text) = literal(name) {
            let receiver = try evaluate(base)
            self.line = function.line
            let method = text.string
            if Attributes.hasMethod(method, on: receiver) {
                let arguments = try self.arguments(written)
                self.line = line
                return try callMethod(method, on: receiver, arguments)
            }
            let callee = try attribute(.text(text), of: receiver)
            let arguments = try self.arguments(written)
            self.line = line
            return try call(callee, arguments)
        }
        let callee = try evaluate(function)
        let arguments = try self.arguments(written)
        self.line = line
        return try call(callee, arguments)
    }

    func call(_ callee: Value, _ arguments: Arguments) throws(TemplateError) -> Value {
        switch callee {
        case .undefined(let undefined): throw undefined.error
        case .function(let function): return try call(function, arguments)
        case .method(let method): return try callMethod(method.name, on: method.receiver, arguments)
        case .macro(let macro): return .text(try call(macro, arguments))
        case .loop(let loop):
            let bound = try arguments.bound("loop()", ["iterable"], required: 1)
            return .text(try descend { () throws(TemplateError) in try recur(loop, over: bound[0] ?? .none) })
        case .joiner(let joiner):
            _ = try arguments.bound("joiner()", [])
            if joiner.isUsed { return joiner.separator }
            joiner.isUsed = true
            return .string("")
        default: throw .operation("'\(callee.typeName)' object is not callable")
        }
    }

    // MARK: Macros

    private func call(_ macro: Macro, _ arguments: Arguments) throws(TemplateError) -> Text {
        try descend { () throws(TemplateError) in
            let scope = try makeScope(macro.definition.body.scope, parent: macro.scope)
            return try capture { () throws(TemplateError) in
                try within(scope) { () throws(TemplateError) in
                    try bind(arguments, of: macro.definition)
                    _ = try execute(macro.definition.body.statements)
                }
            }
        }
    }

    /// Gives a macro's parameters their values, in the macro's own scope.
    private func bind(_ arguments: Arguments, of definition: MacroDefinition) throws(TemplateError) {
        let parameters = definition.parameters
        var named = arguments.named
        var values: [Value?] = Array(arguments.positional.prefix(parameters.count))
        for parameter in parameters.dropFirst(values.count) {
            let index = named.firstIndex { $0.name == parameter.name }
            values.append(index.map { named.remove(at: $0).value })
        }
        if definition.uses.contains("caller") {
            let index = named.firstIndex { $0.name == "caller" }
            let missing = Value.undefined(Undefined(.other("No caller defined")))
            set("caller", to: index.map { named.remove(at: $0).value } ?? missing)
        }
        if definition.uses.contains("kwargs") {
            set("kwargs", to: .dict(try DictValue(named.map { (.string($0.name), $0.value) }, budget)))
        } else if let extra = named.first {
            throw .operation("macro '\(definition.name)' takes no keyword argument '\(extra.name)'")
        }
        let rest = Array(arguments.positional.dropFirst(parameters.count))
        if definition.uses.contains("varargs") {
            set("varargs", to: .tuple(try ListValue(rest)))
        } else if !rest.isEmpty {
            throw .operation("macro '\(definition.name)' takes not more than \(parameters.count) argument(s)")
        }
        for (parameter, value) in zip(parameters, values) {
            if let value { scope.set(parameter.index, to: value) }
        }
        for (parameter, value) in zip(parameters, values) where value == nil {
            if let fallback = parameter.fallback {
                scope.set(parameter.index, to: try evaluate(fallback))
            } else {
                let missing = Undefined(.other("parameter '\(parameter.name)' was not provided"))
                scope.set(parameter.index, to: .undefined(missing))
            }
        }
    }

    private func set(_ name: String, to value: Value) {
        // A macro's body names it, so it has a place.
        if let index = names.firstIndex(of: name) { scope.set(index, to: value) }
    }
}
