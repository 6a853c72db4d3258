/// A value while a template is rendered. Python's types, as far as templates can reach them.
enum Value {
    case undefined(Undefined)
    case none
    case bool(Bool)
    case integer(Int)
    case number(Double)
    case text(Text)
    case list(ListValue)
    case tuple(ListValue)
    case dict(DictValue)
    case range(RangeValue)
    case view(DictView)
    case iterator(ValueIterator)
    case namespace(Namespace)
    case loop(Loop)
    case macro(Macro)
    case function(GlobalFunction)
    case method(BoundMethod)
    case cycler(Cycler)
    case joiner(Joiner)

    static func string(_ text: String) -> Value { .text(Text(text)) }

    /// How deeply values are nested in it. What may change later counts as flat: it is emptied when rendering ends, so
    /// releasing it cannot go deep either.
    var depth: Int {
        switch self {
        case .list(let list), .tuple(let list): list.depth
        case .dict(let dict): dict.depth
        case .view(let view): view.dict.depth
        case .iterator(let iterator): iterator.depth
        case .loop(let loop): loop.nestingDepth
        case .method(let method): method.receiver.depth
        case .cycler(let cycler): cycler.items.depth
        default: 0
        }
    }

    /// `type(value).__name__`.
    var typeName: String {
        switch self {
        case .undefined: "Undefined"
        case .none: "NoneType"
        case .bool: "bool"
        case .integer: "int"
        case .number: "float"
        case .text(let text): text.isMarkup ? "Markup" : "str"
        case .list: "list"
        case .tuple(let list): list.isGroup ? "_GroupTuple" : "tuple"
        case .dict: "dict"
        case .range: "range"
        case .view(let view): "dict_\(view.kind.rawValue)"
        case .iterator: "generator"
        case .namespace: "Namespace"
        case .loop: "LoopContext"
        case .macro: "Macro"
        case .function: "function"
        case .method: "builtin_function_or_method"
        case .cycler: "Cycler"
        case .joiner: "Joiner"
        }
    }

    var isUndefined: Bool {
        if case .undefined = self { return true }
        return false
    }

    /// Python's `bool(value)`.
    var isTrue: Bool {
        switch self {
        case .undefined, .none: false
        case .bool(let flag): flag
        case .integer(let integer): integer != 0
        case .number(let number): number != 0
        case .text(let text): !text.isEmpty
        case .list(let list), .tuple(let list): !list.isEmpty
        case .dict(let dict): dict.count > 0
        case .range(let range): range.count > 0
        case .view(let view): view.dict.count > 0
        default: true
        }
    }

    /// An integer, or a flag as one.
    var integer: Int? {
        switch self {
        case .integer(let integer): integer
        case .bool(let flag): flag ? 1 : 0
        default: nil
        }
    }

    /// A number of any kind.
    var double: Double? {
        if case .number(let number) = self { return number }
        return integer.map(Double.init)
    }
}

/// What is not there. It can be printed, iterated over and tested; anything else is an error that says what is missing.
struct Undefined {
    enum Reason {
        /// No variable of that name.
        case name(String)
        /// The object has no such attribute.
        case attribute(of: String, String)
        /// The object has no such element.
        case element(of: String, String)
        case other(String)
    }

    let reason: Reason

    init(_ reason: Reason) { self.reason = reason }

    var message: String {
        switch reason {
        case .name(let name): "'\(name)' is undefined"
        case .attribute(let owner, let name): "'\(owner)' has no attribute '\(name)'"
        case .element(let owner, let name): "\(owner) has no element \(name)"
        case .other(let message): message
        }
    }

    var error: TemplateError { TemplateError(.undefined, message) }
}

/// An attribute holder whose attributes templates may set, whatever scope they are in.
final class Namespace {
    private(set) var names: [Text] = []
    private var values: [Text: Value] = [:]

    subscript(_ name: Text) -> Value? { values[name] }

    func set(_ name: Text, to value: Value) {
        if values.updateValue(value, forKey: name) == nil { names.append(name) }
    }

    func clear() {
        names = []
        values = [:]
    }
}

/// A method taken from its object.
final class BoundMethod {
    let receiver: Value
    let name: String

    init(receiver: Value, name: String) {
        self.receiver = receiver
        self.name = name
    }
}

/// `cycler(…)`.
final class Cycler {
    let items: ListValue
    var position = 0

    init(items: ListValue) { self.items = items }

    var current: Value { items[position] }
}

/// `joiner(…)`: nothing at the first call, the separator at every other.
final class Joiner {
    let separator: Value
    var isUsed = false

    init(separator: Value) { self.separator = separator }
}
