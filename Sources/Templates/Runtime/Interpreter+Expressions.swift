extension Interpreter {
    func evaluate(_ expression: Expression) throws(TemplateError) -> Value {
        switch expression.kind {
        case .literal(let index):
            try budget.spend()
            return literal(index)
        case .name(let index):
            try budget.spend()
            return variable(index)
        default:
            try enter()
            defer { leave() }
            return try evaluateNode(expression)
        }
    }

    private func evaluateNode(_ expression: Expression) throws(TemplateError) -> Value {
        switch expression.kind {
        case .literal(let index): return literal(index)
        case .name(let index): return variable(index)
        case .captured: return .text(captured)
        case .list(let elements): return .list(try ListValue(try evaluate(elements)))
        case .tuple(let elements): return .tuple(try ListValue(try evaluate(elements)))
        case .dict(let pairs): return try dict(pairs)
        case .attribute(let base, let name):
            let value = try evaluate(base)
            self.line = expression.line
            return try attribute(literal(name), of: value)
        case .item(let base, let key):
            let value = try evaluate(base)
            let key = try evaluate(key)
            self.line = expression.line
            return try item(key, of: value)
        case .slice(let base, let start, let stop, let step):
            return try slice(base, start, stop, step, line: expression.line)
        case .call(let function, let arguments): return try call(function, arguments, line: expression.line)
        case .filter(let operand, let name, let arguments):
            return try filter(operand, name, arguments, line: expression.line)
        case .test(let operand, let name, let arguments):
            return .bool(try test(operand, name, arguments, line: expression.line))
        default: return try evaluateOperation(expression)
        }
    }

    private func evaluateOperation(_ expression: Expression) throws(TemplateError) -> Value {
        switch expression.kind {
        case .not(let operand): return .bool(!(try evaluate(operand).isTrue))
        case .negative(let operand): return try Arithmetic.negative(try evaluate(operand))
        case .positive(let operand): return try Arithmetic.positive(try evaluate(operand))
        case .and(let left, let right):
            let value = try evaluate(left)
            return value.isTrue ? try evaluate(right) : value
        case .or(let left, let right):
            let value = try evaluate(left)
            return value.isTrue ? value : try evaluate(right)
        case .binary(let symbol, let left, let right):
            let left = try evaluate(left)
            let right = try evaluate(right)
            self.line = expression.line
            return try binary(symbol, left, right)
        case .comparison(let first, let rest): return try compare(first, rest, line: expression.line)
        case .concatenation(let parts): return .text(try concatenate(parts))
        case .conditional(let test, let value, let otherwise):
            if try evaluate(test).isTrue { return try evaluate(value) }
            if let otherwise { return try evaluate(otherwise) }
            return .undefined(
                Undefined(.other("the inline if-expression was false and has no else (line \(expression.line))"))
            )
        default: throw .operation("an expression cannot be evaluated")
        }
    }

    private func evaluate(_ elements: [Expression]) throws(TemplateError) -> [Value] {
        var values: [Value] = []
        values.reserveCapacity(elements.count)
        for element in elements { values.append(try evaluate(element)) }
        return values
    }

    private func dict(_ pairs: [(key: Expression, value: Expression)]) throws(TemplateError) -> Value {
        var values: [(key: Value, value: Value)] = []
        values.reserveCapacity(pairs.count)
        for pair in pairs { values.append((try evaluate(pair.key), try evaluate(pair.value))) }
        return .dict(try DictValue(values, budget))
    }

    private func concatenate(_ parts: [Expression]) throws(TemplateError) -> Text {
        var values: [Value] = []
        for part in parts { values.append(try evaluate(part)) }
        var result = try string(values[0])
        for value in values.dropFirst() { result = try result.appending(try string(value), budget) }
        return result.plain
    }

    private func compare(
        _ first: Expression,
        _ rest: [(symbol: ComparisonOperator, operand: Expression)],
        line: Int
    ) throws(TemplateError) -> Value {
        var left = try evaluate(first)
        for (comparison, operand) in rest {
            let right = try evaluate(operand)
            self.line = line
            guard try Comparison.holds(comparison, left, right, budget) else { return .bool(false) }
            left = right
        }
        return .bool(true)
    }

    // MARK: Slices

    private func slice(
        _ base: Expression,
        _ start: Expression?,
        _ stop: Expression?,
        _ step: Expression?,
        line: Int
    ) throws(TemplateError) -> Value {
        let value = try evaluate(base)
        let start = try bound(start)
        let stop = try bound(stop)
        let step = try bound(step)
        self.line = line
        if case .undefined(let undefined) = value { throw undefined.error }
        switch value {
        case .text(let text):
            let length = try value.length(budget)
            return .text(
                try text.sliced(try SliceIndices(start: start, stop: stop, step: step, length: length), budget)
            )
        case .list(let list):
            return .list(
                try list.sliced(SliceIndices(start: start, stop: stop, step: step, length: list.count), budget)
            )
        case .tuple(let list):
            return .tuple(
                try list.sliced(SliceIndices(start: start, stop: stop, step: step, length: list.count), budget)
            )
        case .range(let range):
            let indices = try SliceIndices(start: start, stop: stop, step: step, length: range.count)
            return .range(try range.sliced(indices))
        case .dict: throw .operation("unhashable type: 'slice'")
        default: throw .operation("'\(value.typeName)' object is not subscriptable")
        }
    }

    private func bound(_ expression: Expression?) throws(TemplateError) -> Int? {
        guard let expression else { return nil }
        let value = try evaluate(expression)
        if case .none = value { return nil }
        guard let integer = value.integer else { throw .operation("slice indices must be integers or None") }
        return integer
    }
}

extension Text {
    func sliced(_ indices: SliceIndices, _ budget: Budget) throws(TemplateError) -> Text {
        guard indices.count > 0 else { return isMarkup ? Text.empty.markup : .empty }
        try budget.spend(bytes: isKnownASCII && indices.step == 1 ? 0 : count)
        if indices.step == 1 {
            let first = offset(ofScalar: indices.first)
            return self[first..<first + self[first..<count].offset(ofScalar: indices.count)]
        }
        var places: [Range<Int>] = []
        places.reserveCapacity(count)
        try forEachScalar { (_, range) throws(TemplateError) in
            places.append(range)
            return true
        }
        var builder = TextBuilder(budget)
        for index in 0..<indices.count { try builder.append(self[places[indices[index]]]) }
        return isMarkup ? builder.finish().markup : builder.finish()
    }
}

extension ListValue {
    func sliced(_ indices: SliceIndices, _ budget: Budget) throws(TemplateError) -> ListValue {
        guard indices.count > 0 else { return try ListValue([]) }
        if indices.step == 1 { return self[indices.first..<indices.first + indices.count] }
        try budget.spend(indices.count)
        return try ListValue((0..<indices.count).map { self[indices[$0]] })
    }
}

extension RangeValue {
    func sliced(_ indices: SliceIndices) throws(TemplateError) -> RangeValue {
        let (step, overflow) = step.multipliedReportingOverflow(by: indices.step)
        guard !overflow else { throw .limit("a range is too big") }
        // The place behind the last element need not be one, so it is computed with care.
        func place(_ index: Int) throws(TemplateError) -> Int {
            let (distance, overflows) = index.multipliedReportingOverflow(by: self.step)
            let (place, overflow) = start.addingReportingOverflow(distance)
            guard !overflow, !overflows else { throw .limit("a range is too big") }
            return place
        }
        return try RangeValue(start: try place(indices.first), stop: try place(indices.stop), step: step)
    }
}
