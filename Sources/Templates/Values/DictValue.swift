/// A mapping that keeps the order of its keys. Immutable, as lists are.
final class DictValue {
    private(set) var keys: [Value] = []
    private(set) var values: [Value] = []
    let depth: Int
    /// Of a large mapping; in a small one it is quicker to look.
    private let index: [HashKey: Int]?
    /// The JSON that it is written as, if it is not for `tojson` to choose.
    let spelling: Text?

    private static let smallCount = 8

    /// - Throws: if a key cannot be hashed. Of equal keys the first keeps its place and the last gives the value.
    init(_ pairs: [(key: Value, value: Value)], _ budget: Budget) throws(TemplateError) {
        let isSmall = pairs.count <= DictValue.smallCount
        var hashed: [HashKey] = []
        var index: [HashKey: Int] = [:]
        for pair in pairs {
            let key = try HashKey(pair.key, budget)
            if let place = isSmall ? hashed.firstIndex(of: key) : index[key] {
                values[place] = pair.value
                continue
            }
            if isSmall { hashed.append(key) } else { index[key] = keys.count }
            keys.append(pair.key)
            values.append(pair.value)
        }
        depth = max(try ListValue.depth(around: values), try ListValue.depth(around: keys))
        self.index = isSmall ? nil : index
        spelling = nil
    }

    private init(_ other: DictValue, spelling: Text) {
        (keys, values, depth, index) = (other.keys, other.values, other.depth, other.index)
        self.spelling = spelling
    }

    func spelled(_ json: Text) -> DictValue { DictValue(self, spelling: json) }

    var count: Int { keys.count }

    subscript(_ key: Text) -> Value? {
        if let index { return index[.text(key)].map { values[$0] } }
        for (place, candidate) in keys.enumerated() {
            if case .text(let text) = candidate, text == key { return values[place] }
        }
        return nil
    }

    func value(for key: Value, _ budget: Budget) throws(TemplateError) -> Value? {
        let key = try HashKey(key, budget)
        if case .text(let text) = key { return self[text] }
        if let index { return index[key].map { values[$0] } }
        for (place, candidate) in keys.enumerated() where try HashKey(candidate, budget) == key { return values[place] }
        return nil
    }
}

/// A value as a key: equal where Python's values are.
enum HashKey: Hashable {
    case none
    case undefined
    case integer(Int)
    case number(Double)
    case text(Text)
    case tuple([HashKey])
    case range(first: Int, step: Int, count: Int)
    case object(ObjectIdentifier)
    case function(GlobalFunction)

    /// - Throws: if the value cannot be a key, or the budget does not suffice for what is hashed and compared.
    init(_ value: Value, _ budget: Budget) throws(TemplateError) {
        switch value {
        case .none: self = .none
        case .undefined: self = .undefined
        case .bool(let flag): self = .integer(flag ? 1 : 0)
        case .integer(let integer): self = .integer(integer)
        case .number(let number): self = Int(exactly: number).map(HashKey.integer) ?? .number(number)
        case .text(let text):
            try budget.spend(bytes: text.count)
            self = .text(text)
        case .tuple(let list):
            var keys: [HashKey] = []
            try budget.spend(list.count)
            for element in list.elements { keys.append(try HashKey(element, budget)) }
            self = .tuple(keys)
        case .range(let range):
            self = .range(
                first: range.count > 0 ? range.start : 0,
                step: range.count > 1 ? range.step : 0,
                count: range.count
            )
        case .iterator(let iterator): self = .object(ObjectIdentifier(iterator))
        case .namespace(let namespace): self = .object(ObjectIdentifier(namespace))
        case .loop(let loop): self = .object(ObjectIdentifier(loop))
        case .macro(let macro): self = .object(ObjectIdentifier(macro))
        case .cycler(let cycler): self = .object(ObjectIdentifier(cycler))
        case .joiner(let joiner): self = .object(ObjectIdentifier(joiner))
        case .method(let method): self = .object(ObjectIdentifier(method))
        case .function(let function): self = .function(function)
        case .list, .dict, .view:
            throw .operation("unhashable type: '\(value.typeName)'")
        }
    }
}

/// What `keys()`, `values()` and `items()` give.
struct DictView {
    enum Kind: String { case keys, values, items }

    let dict: DictValue
    let kind: Kind

    func element(_ index: Int) throws(TemplateError) -> Value {
        switch kind {
        case .keys: dict.keys[index]
        case .values: dict.values[index]
        case .items: .tuple(try ListValue([dict.keys[index], dict.values[index]]))
        }
    }
}
