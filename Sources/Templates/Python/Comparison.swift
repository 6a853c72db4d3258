/// Python's comparisons.
enum Comparison {
    static func holds(
        _ comparison: ComparisonOperator,
        _ left: Value,
        _ right: Value,
        _ budget: Budget
    ) throws(TemplateError) -> Bool {
        switch comparison {
        case .equal: try areEqual(left, right, budget)
        case .notEqual: try !areEqual(left, right, budget)
        case .less: try isLess(left, right, budget, "<")
        case .greater: try isLess(right, left, budget, ">")
        case .lessOrEqual: try isLessOrEqual(left, right, budget, "<=")
        case .greaterOrEqual: try isLessOrEqual(right, left, budget, ">=")
        case .isIn: try contains(right, left, budget)
        case .isNotIn: try !contains(right, left, budget)
        }
    }

    static func areEqual(_ left: Value, _ right: Value, _ budget: Budget) throws(TemplateError) -> Bool {
        try budget.spend()
        if let left = left.integer, let right = right.integer { return left == right }
        if let left = left.double, let right = right.double { return left == right }
        switch (left, right) {
        case (.none, .none), (.undefined, .undefined): return true
        case (.text(let left), .text(let right)):
            try budget.spend(bytes: min(left.count, right.count))
            return left == right
        case (.list(let left), .list(let right)), (.tuple(let left), .tuple(let right)):
            return try areEqual(left, right, budget)
        case (.dict(let left), .dict(let right)): return try areEqual(left, right, budget)
        case (.range(let left), .range(let right)): return left == right
        case (.view(let left), .view(let right)):
            // Views of keys and items are sets.
            guard left.kind != .values, right.kind != .values else { return left.dict === right.dict }
            guard left.dict.count == right.dict.count, left.kind == right.kind || left.dict.count == 0 else {
                return false
            }
            for index in 0..<left.dict.count where try !contains(.view(right), try left.element(index), budget) {
                return false
            }
            return true
        default: return isIdentical(left, right)
        }
    }

    private static func areEqual(_ left: ListValue, _ right: ListValue, _ budget: Budget) throws(TemplateError) -> Bool
    {
        guard left.count == right.count else { return false }
        if left.isIdentical(to: right) { return true }
        for index in 0..<left.count where try !areEqual(left[index], right[index], budget) { return false }
        return true
    }

    private static func areEqual(_ left: DictValue, _ right: DictValue, _ budget: Budget) throws(TemplateError) -> Bool
    {
        guard left.count == right.count else { return false }
        if left === right { return true }
        for (key, value) in zip(left.keys, left.values) {
            guard let other = try right.value(for: key, budget), try areEqual(value, other, budget) else {
                return false
            }
        }
        return true
    }

    /// Python's `is`, as far as it means anything here.
    static func isIdentical(_ left: Value, _ right: Value) -> Bool {
        switch (left, right) {
        case (.none, .none): true
        case (.bool(let left), .bool(let right)): left == right
        case (.integer(let left), .integer(let right)): left == right
        case (.number(let left), .number(let right)): left == right
        case (.text(let left), .text(let right)): left == right && left.isMarkup == right.isMarkup
        case (.list(let left), .list(let right)), (.tuple(let left), .tuple(let right)): left.isIdentical(to: right)
        case (.dict(let left), .dict(let right)): left === right
        case (.iterator(let left), .iterator(let right)): left === right
        case (.namespace(let left), .namespace(let right)): left === right
        case (.loop(let left), .loop(let right)): left === right
        case (.macro(let left), .macro(let right)): left === right
        case (.function(let left), .function(let right)): left == right
        case (.cycler(let left), .cycler(let right)): left === right
        case (.joiner(let left), .joiner(let right)): left === right
        default: false
        }
    }

    /// - Parameter symbol: as the template wrote it, for the message.
    static func isLess(
        _ left: Value,
        _ right: Value,
        _ budget: Budget,
        _ symbol: String = "<"
    ) throws(TemplateError) -> Bool {
        try order(left, right, budget, symbol) { $0 < $1 } ?? false
    }

    private static func isLessOrEqual(
        _ left: Value,
        _ right: Value,
        _ budget: Budget,
        _ symbol: String
    ) throws(TemplateError) -> Bool {
        try order(left, right, budget, symbol) { $0 <= $1 } ?? true
    }

    /// Whether `test` holds for the numbers, or for -1, 0 or 1 as the left one is less, equal or greater; nil if two
    /// sequences are equal throughout.
    private static func order(
        _ left: Value,
        _ right: Value,
        _ budget: Budget,
        _ symbol: String,
        _ test: (Double, Double) -> Bool
    ) throws(TemplateError) -> Bool? {
        try budget.spend()
        if let left = left.integer, let right = right.integer {
            return test(left < right ? -1 : left == right ? 0 : 1, 0)
        }
        if let left = left.double, let right = right.double { return test(left, right) }
        switch (left, right) {
        case (.undefined(let undefined), _), (_, .undefined(let undefined)): throw undefined.error
        case (.text(let left), .text(let right)):
            try budget.spend(bytes: min(left.count, right.count))
            return test(left < right ? -1 : left == right ? 0 : 1, 0)
        case (.list(let left), .list(let right)), (.tuple(let left), .tuple(let right)):
            for index in 0..<min(left.count, right.count) where try !areEqual(left[index], right[index], budget) {
                return try order(left[index], right[index], budget, symbol, test)
            }
            return left.count == right.count ? nil : test(Double(left.count), Double(right.count))
        default:
            let (first, second) = symbol.hasPrefix(">") ? (right, left) : (left, right)
            throw .operation(
                "'\(symbol)' not supported between instances of '\(first.typeName)' and '\(second.typeName)'"
            )
        }
    }

    /// Python's `item in container`.
    static func contains(_ container: Value, _ item: Value, _ budget: Budget) throws(TemplateError) -> Bool {
        switch container {
        case .text(let text):
            guard case .text(let part) = item else {
                throw .operation("'in <string>' requires string as left operand, not \(item.typeName)")
            }
            try budget.spend(bytes: text.count + part.count)
            return part.isEmpty || (part.count <= text.count && TextSearch(part).first(in: text) != nil)
        case .dict(let dict): return try dict.value(for: item, budget) != nil
        case .view(let view) where view.kind == .keys: return try view.dict.value(for: item, budget) != nil
        case .range(let range):
            guard let double = item.double, let integer = Int(exactly: double) else { return false }
            let (distance, overflow) = integer.subtractingReportingOverflow(range.start)
            guard !overflow, range.count > 0, (distance < 0) == (range.step < 0) || distance == 0 else { return false }
            let (index, rest) = distance.magnitude.quotientAndRemainder(dividingBy: range.step.magnitude)
            return rest == 0 && index < range.count
        case .list, .tuple, .view, .iterator, .undefined:
            let iterator = try ValueIterator.over(container)
            while let element = try iterator.next() {
                if try areEqual(element, item, budget) { return true }
            }
            return false
        default: throw .operation("argument of type '\(container.typeName)' is not iterable")
        }
    }
}
