/// What `is` asks of a value.
enum Test: String, CaseIterable {
    case boolean, callable, defined, divisibleby, escaped, even, filter, float, integer, iterable, lower, mapping
    case none, number, odd, sameas, sequence, string, test, undefined, upper
    case isFalse = "false"
    case isIn = "in"
    case isTrue = "true"
    case equal = "eq"
    case notEqual = "ne"
    case less = "lt"
    case lessOrEqual = "le"
    case greater = "gt"
    case greaterOrEqual = "ge"

    private static let others: [String: Test] = [
        "==": .equal, "equalto": .equal, "!=": .notEqual, "<": .less, "lessthan": .less, "<=": .lessOrEqual,
        ">": .greater, "greaterthan": .greater, ">=": .greaterOrEqual,
    ]

    init?(name: String) {
        guard let test = Test(rawValue: name) ?? Test.others[name] else { return nil }
        self = test
    }

    fileprivate var parameters: [String] {
        switch self {
        case .divisibleby: ["num"]
        case .sameas: ["other"]
        case .isIn: ["seq"]
        case .equal, .notEqual, .less, .lessOrEqual, .greater, .greaterOrEqual: ["other"]
        default: []
        }
    }

    fileprivate var comparison: ComparisonOperator? {
        switch self {
        case .equal: .equal
        case .notEqual: .notEqual
        case .less: .less
        case .lessOrEqual: .lessOrEqual
        case .greater: .greater
        case .greaterOrEqual: .greaterOrEqual
        case .isIn: .isIn
        default: nil
        }
    }
}

extension Interpreter {
    func test(
        _ operand: Expression,
        _ name: TestName,
        _ written: CallArguments,
        line: Int
    ) throws(TemplateError) -> Bool {
        let value = try evaluate(operand)
        let arguments = try self.arguments(written)
        self.line = line
        guard case .known(let test) = name else {
            if case .unknown(let name) = name { throw .operation("there is no test '\(name)'") }
            return false
        }
        return try holds(test, value, arguments)
    }

    func holds(_ test: Test, _ value: Value, _ arguments: Arguments) throws(TemplateError) -> Bool {
        let parameters = test.parameters
        let bound = try arguments.bound("test \(test.rawValue)", parameters, required: parameters.count)
        if let comparison = test.comparison {
            return try Comparison.holds(comparison, value, bound[0] ?? .none, budget)
        }
        switch test {
        case .defined: return !value.isUndefined
        case .undefined: return value.isUndefined
        case .divisibleby: return try isRemainder(0, of: value, bound[0] ?? .none)
        case .even: return try isRemainder(0, of: value, .integer(2))
        case .odd: return try isRemainder(1, of: value, .integer(2))
        case .sameas:
            if case .text(let text) = value { try budget.spend(bytes: text.count) }
            return Comparison.isIdentical(value, bound[0] ?? .none)
        case .filter: return try name(value).map { Filter(name: $0) != nil } ?? false
        case .test: return try name(value).map { Test(name: $0) != nil } ?? false
        case .lower: return CharacterTest.holds(.islower, try string(value))
        case .upper: return CharacterTest.holds(.isupper, try string(value))
        default: return isOfKind(test, value)
        }
    }

    private func name(_ value: Value) throws(TemplateError) -> String? {
        guard case .text(let text) = try HashKey(value, budget) else { return nil }
        return text.string
    }

    /// Whether `value % divisor == remainder`. A text may be a format here too.
    private func isRemainder(_ remainder: Int, of value: Value, _ divisor: Value) throws(TemplateError) -> Bool {
        try Comparison.areEqual(try binary(.modulo, value, divisor), .integer(remainder), budget)
    }

    private func isOfKind(_ test: Test, _ value: Value) -> Bool {
        switch (test, value) {
        case (.boolean, .bool), (.none, .none), (.integer, .integer), (.float, .number), (.string, .text): true
        case (.number, .bool), (.number, .integer), (.number, .number), (.mapping, .dict): true
        case (.isTrue, .bool(let flag)): flag
        case (.isFalse, .bool(let flag)): !flag
        case (.escaped, .text(let text)): text.isMarkup
        case (.iterable, .undefined), (.iterable, .text), (.iterable, .list), (.iterable, .tuple), (.iterable, .dict),
            (.iterable, .range), (.iterable, .view), (.iterable, .iterator), (.iterable, .loop):
            true
        case (.sequence, .undefined), (.sequence, .text), (.sequence, .list), (.sequence, .tuple), (.sequence, .dict),
            (.sequence, .range):
            true
        case (.callable, .undefined), (.callable, .function), (.callable, .method), (.callable, .macro),
            (.callable, .loop), (.callable, .joiner):
            true
        default: false
        }
    }
}
