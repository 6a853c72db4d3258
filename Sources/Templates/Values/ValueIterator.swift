/// A walk over values, which can be taken once: what Python's `iter` and generator filters give.
final class ValueIterator {
    private enum Source {
        case list(ListValue)
        case text(Text)
        case dict(DictValue)
        case range(RangeValue)
        case view(DictView)
        case reversed(ListValue)
    }

    private let source: Source
    /// Elements done; for a text, bytes.
    private var position = 0
    /// What ended the elements early.
    private let failure: TemplateError?
    let depth: Int

    /// Elements that were computed ahead of their use; an error on the way comes when its place is reached.
    init(_ elements: [Value], failure: TemplateError? = nil) throws(TemplateError) {
        let list = try ListValue(elements)
        source = .list(list)
        self.failure = failure
        depth = list.depth
    }

    init(reversing list: ListValue) {
        source = .reversed(list)
        failure = nil
        depth = list.depth
    }

    private init(_ source: Source, depth: Int) {
        self.source = source
        failure = nil
        self.depth = depth
    }

    /// Python's `iter(value)`.
    static func over(_ value: Value) throws(TemplateError) -> ValueIterator {
        switch value {
        case .iterator(let iterator): iterator
        case .list(let list), .tuple(let list): ValueIterator(.list(list), depth: list.depth)
        case .text(let text): ValueIterator(.text(text), depth: 0)
        case .dict(let dict): ValueIterator(.dict(dict), depth: dict.depth)
        case .range(let range): ValueIterator(.range(range), depth: 0)
        case .view(let view): ValueIterator(.view(view), depth: view.dict.depth)
        case .undefined: try ValueIterator([])
        default: throw .operation("'\(value.typeName)' object is not iterable")
        }
    }

    func next() throws(TemplateError) -> Value? {
        if let value = try element() { return value }
        if let failure { throw failure }
        return nil
    }

    private func element() throws(TemplateError) -> Value? {
        if case .text(let text) = source {
            guard position < text.count else { return nil }
            let end = text.scalar(at: position).end
            defer { position = end }
            return .text(text[position..<end].plain)
        }
        guard position < count else { return nil }
        defer { position += 1 }
        switch source {
        case .list(let list): return list[position]
        case .reversed(let list): return list[list.count - 1 - position]
        case .dict(let dict): return dict.keys[position]
        case .range(let range): return .integer(range[position])
        case .view(let view): return try view.element(position)
        case .text: return nil
        }
    }

    private var count: Int {
        switch source {
        case .list(let list), .reversed(let list): list.count
        case .dict(let dict): dict.count
        case .range(let range): range.count
        case .view(let view): view.dict.count
        case .text(let text): text.count
        }
    }

    /// All that is left, at a step each.
    func rest(_ budget: Budget) throws(TemplateError) -> [Value] {
        var result: [Value] = []
        while let value = try next() {
            try budget.spend()
            result.append(value)
        }
        return result
    }
}

extension Value {
    /// Python's `list(value)`.
    func elements(_ budget: Budget) throws(TemplateError) -> [Value] {
        switch self {
        case .list(let list), .tuple(let list):
            try budget.spend(list.count)
            return Array(list.elements)
        default: return try ValueIterator.over(self).rest(budget)
        }
    }

    /// Python's `len(value)`.
    func length(_ budget: Budget) throws(TemplateError) -> Int {
        switch self {
        case .undefined: return 0
        case .list(let list), .tuple(let list): return list.count
        case .dict(let dict): return dict.count
        case .view(let view): return view.dict.count
        case .range(let range): return range.count
        case .loop(let loop): return try loop.length()
        case .text(let text):
            try budget.spend(bytes: text.isKnownASCII ? 0 : text.count)
            return text.length
        default: throw .operation("object of type '\(typeName)' has no len()")
        }
    }
}
