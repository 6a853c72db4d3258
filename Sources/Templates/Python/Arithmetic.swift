import Foundation

/// Python's operators on numbers.
enum Arithmetic {
    static func negative(_ value: Value) throws(TemplateError) -> Value {
        switch value {
        case .undefined(let undefined): throw undefined.error
        case .number(let number): return .number(-number)
        default:
            guard let integer = value.integer else {
                throw .operation("bad operand type for unary -: '\(value.typeName)'")
            }
            return .integer(try checked(0.subtractingReportingOverflow(integer)))
        }
    }

    static func positive(_ value: Value) throws(TemplateError) -> Value {
        switch value {
        case .undefined(let undefined): throw undefined.error
        case .number: return value
        default:
            guard let integer = value.integer else {
                throw .operation("bad operand type for unary +: '\(value.typeName)'")
            }
            return .integer(integer)
        }
    }

    /// Nil if the operands are no numbers.
    static func result(
        _ symbol: BinaryOperator,
        _ left: Value,
        _ right: Value
    ) throws(TemplateError) -> Value? {
        if let left = left.integer, let right = right.integer { return try integers(symbol, left, right) }
        guard let left = left.double, let right = right.double else { return nil }
        return .number(try numbers(symbol, left, right))
    }

    private static func checked(_ result: (partialValue: Int, overflow: Bool)) throws(TemplateError) -> Int {
        guard !result.overflow else { throw .limit("a number is too large") }
        return result.partialValue
    }

    private static func integers(_ symbol: BinaryOperator, _ left: Int, _ right: Int) throws(TemplateError) -> Value {
        switch symbol {
        case .add: return .integer(try checked(left.addingReportingOverflow(right)))
        case .subtract: return .integer(try checked(left.subtractingReportingOverflow(right)))
        case .multiply: return .integer(try checked(left.multipliedReportingOverflow(by: right)))
        case .divide:
            guard right != 0 else { throw .operation("division by zero") }
            return .number(Double(left) / Double(right))
        case .floorDivide:
            guard right != 0 else { throw .operation("integer division or modulo by zero") }
            let quotient = try checked(left.dividedReportingOverflow(by: right))
            let isExact = try modulo(left, right) == 0
            return .integer(!isExact && (left < 0) != (right < 0) ? quotient - 1 : quotient)
        case .modulo: return .integer(try modulo(left, right))
        case .power:
            guard right >= 0 else {
                guard left != 0 else { throw .operation("0.0 cannot be raised to a negative power") }
                return .number(pow(Double(left), Double(right)))
            }
            return .integer(try power(left, right))
        }
    }

    /// With the divisor's sign, as Python has it.
    static func modulo(_ left: Int, _ right: Int) throws(TemplateError) -> Int {
        guard right != 0 else { throw .operation("integer division or modulo by zero") }
        guard right != -1 else { return 0 }
        let remainder = left % right
        return remainder != 0 && (remainder < 0) != (right < 0) ? remainder + right : remainder
    }

    private static func power(_ base: Int, _ exponent: Int) throws(TemplateError) -> Int {
        if base == 0 || base == 1 { return exponent == 0 ? 1 : base }
        if base == -1 { return exponent % 2 == 0 ? 1 : -1 }
        var result = 1
        // Beyond 64 factors every base is too large, so this ends.
        for _ in 0..<exponent { result = try checked(result.multipliedReportingOverflow(by: base)) }
        return result
    }

    private static func numbers(
        _ symbol: BinaryOperator,
        _ left: Double,
        _ right: Double
    ) throws(TemplateError) -> Double {
        switch symbol {
        case .add: return left + right
        case .subtract: return left - right
        case .multiply: return left * right
        case .divide:
            guard right != 0 else { throw .operation("float division by zero") }
            return left / right
        case .floorDivide: return try floorDivision(left, right).quotient
        case .modulo: return try floorDivision(left, right).remainder
        case .power:
            guard left != 0 || right >= 0 else { throw .operation("0.0 cannot be raised to a negative power") }
            let result = pow(left, right)
            guard !result.isNaN || left.isNaN || right.isNaN else {
                throw .operation("complex numbers are not supported")
            }
            guard !result.isInfinite || left.isInfinite || right.isInfinite else {
                throw .operation("Numerical result out of range")
            }
            return result
        }
    }

    static func floorDivision(
        _ left: Double,
        _ right: Double
    ) throws(TemplateError) -> (quotient: Double, remainder: Double) {
        guard right != 0 else { throw .operation("float floor division by zero") }
        var remainder = left.truncatingRemainder(dividingBy: right)
        var quotient = (left - remainder) / right
        if remainder == 0 {
            remainder = Double(signOf: right, magnitudeOf: 0)
        } else if (right < 0) != (remainder < 0) {
            remainder += right
            quotient -= 1
        }
        guard quotient != 0 else { return (Double(signOf: left / right, magnitudeOf: 0), remainder) }
        let floor = quotient.rounded(.down)
        return (quotient - floor > 0.5 ? floor + 1 : floor, remainder)
    }
}

extension Interpreter {
    /// Python's binary operators.
    func binary(_ symbol: BinaryOperator, _ left: Value, _ right: Value) throws(TemplateError) -> Value {
        if let result = try Arithmetic.result(symbol, left, right) { return result }
        if case .undefined(let undefined) = left { throw undefined.error }
        if symbol == .modulo, case .text(let format) = left {
            return .text(try PercentFormat.formatted(format, right, self))
        }
        if case .undefined(let undefined) = right { throw undefined.error }
        switch (symbol, left, right) {
        case (.add, .text(let left), .text(let right)): return .text(try add(left, right))
        case (.add, .list(let left), .list(let right)): return .list(try left.appending(right, budget))
        case (.add, .tuple(let left), .tuple(let right)): return .tuple(try left.appending(right, budget))
        case (.multiply, let sequence, .integer), (.multiply, let sequence, .bool):
            if let times = right.integer, let result = try repeated(sequence, times) { return result }
        case (.multiply, .integer, let sequence), (.multiply, .bool, let sequence):
            if let times = left.integer, let result = try repeated(sequence, times) { return result }
        default: break
        }
        throw .operation(
            "unsupported operand type(s) for \(symbol.rawValue): '\(left.typeName)' and '\(right.typeName)'"
        )
    }

    private func add(_ left: Text, _ right: Text) throws(TemplateError) -> Text {
        guard left.isMarkup || right.isMarkup else { return try left.appending(right, budget) }
        return try escaped(left).appending(try escaped(right), budget).markup
    }

    private func repeated(_ value: Value, _ times: Int) throws(TemplateError) -> Value? {
        switch value {
        case .text(let text):
            var builder = TextBuilder(budget)
            try builder.append(text, times: times)
            return .text(text.isMarkup ? builder.finish().markup : builder.finish())
        case .list(let list): return .list(try repeated(list, times))
        case .tuple(let list): return .tuple(try repeated(list, times))
        default: return nil
        }
    }

    private func repeated(_ list: ListValue, _ times: Int) throws(TemplateError) -> ListValue {
        let (size, overflow) = list.count.multipliedReportingOverflow(by: max(0, times))
        guard !overflow else { throw .limit("a list is too long") }
        try budget.spend(size)
        var elements: [Value] = []
        elements.reserveCapacity(size)
        if size > 0 { for _ in 0..<times { elements += list.elements } }
        return try ListValue(elements)
    }
}
