import Foundation

/// The filters that make numbers.
extension Interpreter {
    func numberFilter(_ filter: Filter, _ value: Value, _ bound: [Value?]) throws(TemplateError) -> Value {
        if case .undefined(let undefined) = value { throw undefined.error }
        switch filter {
        case .abs:
            if case .number(let number) = value { return .number(number.magnitude) }
            guard let integer = value.integer, integer != .min else {
                throw .operation("bad operand type for abs(): '\(value.typeName)'")
            }
            return .integer(Swift.abs(integer))
        case .float: return try float(value) ?? bound[0] ?? .number(0)
        case .int: return try integer(value, base: bound[1]) ?? bound[0] ?? .integer(0)
        default: return try rounded(value, bound)
        }
    }

    private func float(_ value: Value) throws(TemplateError) -> Value? {
        if case .text(let text) = value { return try NumberText.double(text).map(Value.number) }
        return value.double.map(Value.number)
    }

    private func integer(_ value: Value, base: Value?) throws(TemplateError) -> Value? {
        switch value {
        case .text(let text):
            try budget.spend(bytes: text.count)
            guard let base = (base ?? .integer(10)).integer else { throw .operation("a base is an integer") }
            if let integer = try NumberText.integer(text, base: base) { return .integer(integer) }
            // "42.23" is 42.
            guard let number = try NumberText.double(text), number.isFinite else { return nil }
            return .integer(try truncated(number))
        case .number(let number):
            if number.isNaN { return nil }
            return .integer(try truncated(number))
        default: return value.integer.map(Value.integer)
        }
    }

    private func truncated(_ number: Double) throws(TemplateError) -> Int {
        guard let integer = Int(exactly: number.rounded(.towardZero)) else {
            throw .limit("the number \(NumberText.repr(number)) is too large for an integer")
        }
        return integer
    }

    private func rounded(_ value: Value, _ bound: [Value?]) throws(TemplateError) -> Value {
        guard let digits = (bound[0] ?? .integer(0)).integer else { throw .operation("a precision is an integer") }
        let method = try bound[1].map { (value) throws(TemplateError) in try string(value).string } ?? "common"
        guard ["common", "ceil", "floor"].contains(method) else {
            throw .operation("method must be common, ceil or floor")
        }
        guard let number = value.double else {
            throw .operation("type \(value.typeName) doesn't define __round__ method")
        }
        if method == "common" {
            guard let integer = value.integer else { return .number(try NumberText.rounded(number, digits: digits)) }
            guard digits < 0 else { return .integer(integer) }
            return .integer(try truncated(try NumberText.rounded(number, digits: digits)))
        }
        let scale = pow(10, Double(digits))
        let scaled = (number * scale).rounded(method == "ceil" ? .up : .down)
        guard scaled.isFinite, scale > 0 else { throw .operation("cannot round \(NumberText.repr(number)) so") }
        // Python's ceil and floor give integers, which have no negative zero.
        return .number(scaled / scale + 0)
    }
}
