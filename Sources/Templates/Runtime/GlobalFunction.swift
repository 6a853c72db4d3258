/// The functions that every template can call.
enum GlobalFunction: String, CaseIterable {
    case range, dict, namespace, cycler, joiner
    case raiseException = "raise_exception"
    case strftimeNow = "strftime_now"
}

extension Interpreter {
    func call(_ function: GlobalFunction, _ arguments: Arguments) throws(TemplateError) -> Value {
        switch function {
        case .range: return .range(try range(arguments))
        case .dict: return .dict(try dict(arguments, of: "dict()"))
        case .namespace: return .namespace(try namespace(arguments))
        case .cycler:
            guard arguments.named.isEmpty else { throw .operation("cycler() takes no keyword arguments") }
            guard !arguments.positional.isEmpty else { throw .operation("at least one item has to be provided") }
            return .cycler(Cycler(items: try ListValue(arguments.positional)))
        case .joiner:
            let bound = try arguments.bound("joiner()", ["sep"])
            return .joiner(Joiner(separator: bound[0] ?? .string(", ")))
        case .raiseException:
            let bound = try arguments.bound("raise_exception()", ["message"], required: 1)
            throw TemplateError(.raised, try string(bound[0] ?? .none).string, line: line)
        case .strftimeNow:
            let bound = try arguments.bound("strftime_now()", ["format"], required: 1)
            guard case .text(let format)? = bound[0] else {
                throw .operation("strftime() argument 1 must be str, not \(bound[0]?.typeName ?? "nothing")")
            }
            return .string(try now.formatted(format.string))
        }
    }

    private func range(_ arguments: Arguments) throws(TemplateError) -> RangeValue {
        guard arguments.named.isEmpty else { throw .operation("range() takes no keyword arguments") }
        var bounds: [Int] = []
        for value in arguments.positional {
            if case .undefined(let undefined) = value { throw undefined.error }
            guard let integer = value.integer else {
                throw .operation("'\(value.typeName)' object cannot be interpreted as an integer")
            }
            bounds.append(integer)
        }
        switch bounds.count {
        case 1: return try RangeValue(start: 0, stop: bounds[0], step: 1)
        case 2: return try RangeValue(start: bounds[0], stop: bounds[1], step: 1)
        case 3: return try RangeValue(start: bounds[0], stop: bounds[1], step: bounds[2])
        default: throw .operation("range expected 1 to 3 arguments, got \(bounds.count)")
        }
    }

    /// Python's `dict(pairs, name=value, …)`.
    private func dict(_ arguments: Arguments, of function: String) throws(TemplateError) -> DictValue {
        guard arguments.positional.count <= 1 else {
            throw .operation("\(function) expected at most 1 argument, got \(arguments.positional.count)")
        }
        var pairs: [(key: Value, value: Value)] = []
        switch arguments.positional.first {
        case .undefined(let undefined)?: throw undefined.error
        case .dict(let dict)?: pairs = Array(zip(dict.keys, dict.values)).map { ($0, $1) }
        case let value?:
            for pair in try value.elements(budget) {
                let parts = try pair.elements(budget)
                guard parts.count == 2 else {
                    throw .operation("dictionary update sequence element has length \(parts.count); 2 is required")
                }
                pairs.append((parts[0], parts[1]))
            }
        case nil: break
        }
        pairs += arguments.named.map { (.string($0.name), $0.value) }
        try budget.spend(pairs.count)
        return try DictValue(pairs, budget)
    }

    private func namespace(_ arguments: Arguments) throws(TemplateError) -> Namespace {
        let attributes = try dict(arguments, of: "namespace()")
        let namespace = Namespace()
        addCleanup { namespace.clear() }
        for (key, value) in zip(attributes.keys, attributes.values) {
            guard case .text(let name) = key else { throw .operation("a namespace's attributes are named by strings") }
            guard name.isEmpty || name[0] != UInt8(ascii: "_") else {
                throw .operation("a namespace cannot have the attribute '\(name.string)'")
            }
            namespace.set(name, to: value)
        }
        return namespace
    }
}
