/// The filters that take sequences.
extension Interpreter {
    func firstOrLast(of value: Value, isFirst: Bool) throws(TemplateError) -> Value {
        let missing = Value.undefined(
            Undefined(.other("No \(isFirst ? "first" : "last") item, sequence was empty."))
        )
        if isFirst { return try ValueIterator.over(value).next() ?? missing }
        switch value {
        case .text(let text):
            guard let (_, start) = text.scalar(before: text.count) else { return missing }
            return .text(text[start..<text.count])
        case .iterator: throw .operation("'generator' object is not reversible")
        default: return try value.elements(budget).last ?? missing
        }
    }

    func reversed(_ value: Value) throws(TemplateError) -> Value {
        switch value {
        case .text(let text):
            let length = text.length
            return .text(try text.sliced(try SliceIndices(start: nil, stop: nil, step: -1, length: length), budget))
        case .list(let list), .tuple(let list): return .iterator(ValueIterator(reversing: list))
        case .iterator: return .list(try ListValue(try value.elements(budget).reversed()))
        default: return .iterator(try ValueIterator(try value.elements(budget).reversed()))
        }
    }

    /// Applies `transform` to every element. An error is thrown when its element is reached, as in a Python generator.
    private func generated(
        _ value: Value,
        _ transform: (Value) throws(TemplateError) -> Value?
    ) throws(TemplateError) -> ValueIterator {
        var results: [Value] = []
        do {
            // Jinja tests the value first: an undefined one, or an empty one, is never walked over.
            guard value.isTrue else { return try ValueIterator([]) }
            let iterator = try ValueIterator.over(value)
            while let element = try iterator.next() {
                try budget.spend()
                if let result = try transform(element) { results.append(result) }
            }
        } catch {
            if error.kind == .limit { throw error }
            return try ValueIterator(results, failure: error.at(line: line))
        }
        return try ValueIterator(results)
    }

    func map(_ value: Value, _ arguments: Arguments) throws(TemplateError) -> ValueIterator {
        var arguments = arguments
        if arguments.positional.isEmpty, arguments.named.contains(where: { $0.name == "attribute" }) {
            let bound = try arguments.bound("filter map", ["", "attribute", "default"])
            let path = try AttributePath(bound[1], fallback: bound[2])
            return try generated(value) { (element) throws(TemplateError) in try path.value(in: element, self) }
        }
        return try generated(value) { (element) throws(TemplateError) in
            guard case .text(let name)? = arguments.positional.first else {
                throw .operation("map requires a filter argument")
            }
            guard let filter = Filter(name: name.string) else { throw .operation("No filter named '\(name.string)'.") }
            arguments.positional.removeFirst()
            defer { arguments.positional.insert(.text(name), at: 0) }
            return try descend { () throws(TemplateError) in try apply(filter, to: element, arguments) }
        }
    }

    /// `select`, `reject`, and the two that look at an attribute.
    func select(_ filter: Filter, _ value: Value, _ arguments: Arguments) throws(TemplateError) -> ValueIterator {
        let looksAtAttribute = filter == .selectattr || filter == .rejectattr
        let keeps = filter == .select || filter == .selectattr
        return try generated(value) { (element) throws(TemplateError) in
            var arguments = arguments
            var tested = element
            if looksAtAttribute {
                guard let attribute = arguments.positional.first else {
                    throw .operation("Missing parameter for attribute name")
                }
                arguments.positional.removeFirst()
                tested = try AttributePath(attribute).value(in: element, self)
            }
            guard let name = arguments.positional.first else { return tested.isTrue == keeps ? element : nil }
            arguments.positional.removeFirst()
            guard case .text(let text) = name, let test = Test(name: text.string) else {
                throw .operation("No test named \(try repr(name).string).")
            }
            return try holds(test, tested, arguments) == keeps ? element : nil
        }
    }

    // MARK: Order

    func orderFilter(_ filter: Filter, _ value: Value, _ bound: [Value?]) throws(TemplateError) -> Value {
        switch filter {
        case .dictsort: return try sortedItems(value, bound)
        case .groupby: return .list(try grouped(value, bound))
        case .sort:
            let ignoresCase = bound[1]?.isTrue != true
            let paths = try AttributePath.several(bound[2])
            return .list(
                try sorted(try value.elements(budget), isDescending: try isDescending(bound[0])) {
                    (element) throws(TemplateError) in
                    var keys: [Value] = []
                    for path in paths { keys.append(try key(try path.value(in: element, self), ignoresCase)) }
                    return .list(try ListValue(keys))
                }
            )
        case .sum:
            let path = try AttributePath(bound[0])
            var sum = bound[1] ?? .integer(0)
            if case .text = sum { throw .operation("sum() can't sum strings [use ''.join(seq) instead]") }
            for element in try value.elements(budget) { sum = try binary(.add, sum, try path.value(in: element, self)) }
            return sum
        case .unique: return .iterator(try unique(value, bound))
        default: return try minOrMax(value, bound, isLargest: filter == .max)
        }
    }

    private func isDescending(_ reverse: Value?) throws(TemplateError) -> Bool {
        guard let flag = (reverse ?? .bool(false)).integer else {
            throw .operation("'\(reverse?.typeName ?? "")' object cannot be interpreted as an integer")
        }
        return flag != 0
    }

    private func key(_ value: Value, _ ignoresCase: Bool) throws(TemplateError) -> Value {
        guard ignoresCase, case .text(let text) = value else { return value }
        return .text(try changeCase(of: text, .lower))
    }

    private func sorted(
        _ elements: [Value],
        isDescending: Bool,
        by key: (Value) throws(TemplateError) -> Value
    ) throws(TemplateError) -> ListValue {
        var keyed: [(key: Value, element: Value)] = []
        for element in elements { keyed.append((try key(element), element)) }
        let ordered = try keyed.stablySorted { (left, right) throws(TemplateError) in
            let (first, second) = isDescending ? (right, left) : (left, right)
            return try Comparison.isLess(first.key, second.key, budget)
        }
        return try ListValue(ordered.map(\.element))
    }

    /// Pairs of a key and the elements that have it, in the order of the keys.
    private func grouped(_ value: Value, _ bound: [Value?]) throws(TemplateError) -> ListValue {
        let path = try AttributePath(bound[0], fallback: bound[1])
        let ignoresCase = bound[2]?.isTrue != true
        func key(_ element: Value) throws(TemplateError) -> Value {
            try self.key(try path.value(in: element, self), ignoresCase)
        }
        var groups: [(key: Value, elements: [Value])] = []
        for element in try sorted(try value.elements(budget), isDescending: false, by: key).elements {
            let key = try key(element)
            if let last = groups.last, try Comparison.areEqual(key, last.key, budget) {
                groups[groups.count - 1].elements.append(element)
            } else {
                groups.append((key, [element]))
            }
        }
        var results: [Value] = []
        for group in groups {
            // The key as the first element of the group spells it.
            let key = try path.value(in: group.elements[0], self)
            results.append(.tuple(try ListValue([key, .list(try ListValue(group.elements))]).group))
        }
        return try ListValue(results)
    }

    private func sortedItems(_ value: Value, _ bound: [Value?]) throws(TemplateError) -> Value {
        if case .undefined(let undefined) = value { throw undefined.error }
        guard case .dict(let dict) = value else { throw .operation("dictsort needs a mapping") }
        let by = try bound[1].map { (value) throws(TemplateError) in try string(value).string } ?? "key"
        guard by == "key" || by == "value" else {
            throw .operation("You can only sort by either \"key\" or \"value\"")
        }
        let items = try Value.view(DictView(dict: dict, kind: .items)).elements(budget)
        let ignoresCase = bound[0]?.isTrue != true
        return .list(
            try sorted(items, isDescending: try isDescending(bound[2])) { (item) throws(TemplateError) in
                guard case .tuple(let pair) = item else { return item }
                return try key(pair[by == "key" ? 0 : 1], ignoresCase)
            }
        )
    }

    private func unique(_ value: Value, _ bound: [Value?]) throws(TemplateError) -> ValueIterator {
        let path = try AttributePath(bound[1])
        var seen: Set<HashKey> = []
        var results: [Value] = []
        do {
            let iterator = try ValueIterator.over(value)
            while let element = try iterator.next() {
                try budget.spend()
                let key = try self.key(try path.value(in: element, self), bound[0]?.isTrue != true)
                if seen.insert(try HashKey(key, budget)).inserted { results.append(element) }
            }
        } catch {
            if error.kind == .limit { throw error }
            return try ValueIterator(results, failure: error.at(line: line))
        }
        return try ValueIterator(results)
    }

    private func minOrMax(_ value: Value, _ bound: [Value?], isLargest: Bool) throws(TemplateError) -> Value {
        let path = try AttributePath(bound[1])
        var best: (key: Value, element: Value)?
        for element in try value.elements(budget) {
            let key = try self.key(try path.value(in: element, self), bound[0]?.isTrue != true)
            guard let current = best else {
                best = (key, element)
                continue
            }
            let isBetter =
                isLargest
                ? try Comparison.isLess(current.key, key, budget) : try Comparison.isLess(key, current.key, budget)
            if isBetter { best = (key, element) }
        }
        return best?.element ?? .undefined(Undefined(.other("No aggregated item, sequence was empty.")))
    }

    // MARK: Cutting

    /// `batch`: lists of a given length; `slice`: a given number of lists.
    func chunks(_ value: Value, _ filter: Filter, _ bound: [Value?]) throws(TemplateError) -> ValueIterator {
        guard let count = bound[0]?.integer else { throw .operation("\(filter.rawValue) needs an integer") }
        let elements = try value.elements(budget)
        var fill: Value?
        if let given = bound[1], !isNone(given) { fill = given }
        var results: [Value] = []
        if filter == .batch {
            // Jinja closes a batch when its length is reached, which never happens with a length below 1.
            let size = count < 1 ? max(elements.count, 1) : count
            var start = 0
            while start < elements.count {
                var part = Array(elements[start..<min(elements.count - start, size) + start])
                start += part.count
                if let fill, part.count < count {
                    try budget.spend(count - part.count)
                    part += Array(repeating: fill, count: count - part.count)
                }
                results.append(.list(try ListValue(part)))
            }
        } else {
            guard count != 0 else { throw .operation("integer division or modulo by zero") }
            guard count > 0 else { return try ValueIterator([]) }
            try budget.spend(count)
            let (size, longer) = elements.count.quotientAndRemainder(dividingBy: count)
            var start = 0
            for index in 0..<count {
                let end = start + size + (index < longer ? 1 : 0)
                var part = Array(elements[start..<end])
                if let fill, index >= longer { part.append(fill) }
                results.append(.list(try ListValue(part)))
                start = end
            }
        }
        return try ValueIterator(results)
    }

    func isNone(_ value: Value) -> Bool {
        if case .none = value { return true }
        return false
    }
}

/// An attribute as filters name it: `"name"`, `"outer.inner"`, `"list.0"`, or a number.
struct AttributePath {
    private var parts: [Value] = []
    private var fallback: Value?

    /// - Parameter value: none for the element itself.
    init(_ value: Value?, fallback: Value? = nil) throws(TemplateError) {
        if let fallback, case .none = fallback { self.fallback = nil } else { self.fallback = fallback }
        switch value {
        case nil, .some(.none): break
        case .text(let text)?: parts = AttributePath.parts(of: text)
        case let value?: parts = [value]
        }
    }

    private init(parts: [Value]) { self.parts = parts }

    /// Several paths with commas between them.
    static func several(_ value: Value?) throws(TemplateError) -> [AttributePath] {
        guard case .text(let text)? = value else { return [try AttributePath(value)] }
        return split(text, at: UInt8(ascii: ",")).map { AttributePath(parts: parts(of: $0)) }
    }

    private static func split(_ text: Text, at separator: UInt8) -> [Text] {
        text.bytes.split(separator: separator, omittingEmptySubsequences: false).map {
            text[$0.startIndex - text.start..<$0.endIndex - text.start]
        }
    }

    private static func parts(of text: Text) -> [Value] {
        split(text, at: UInt8(ascii: ".")).map { part in
            guard !part.isEmpty, part.bytes.allSatisfy(\.isDigit), let index = Int(part.string) else {
                return .text(part)
            }
            return .integer(index)
        }
    }

    func value(in element: Value, _ interpreter: Interpreter) throws(TemplateError) -> Value {
        var value = element
        for part in parts {
            value = try interpreter.item(part, of: value)
            if let fallback, value.isUndefined { value = fallback }
        }
        return value
    }
}
