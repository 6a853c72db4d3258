/// What values have behind a dot or in brackets.
enum Attributes {
    private static let listMethods: Set<String> = ["count", "index", "copy"]
    private static let tupleMethods: Set<String> = ["count", "index"]
    private static let dictMethods: Set<String> = ["get", "items", "keys", "values", "copy"]
    private static let loopMethods: Set<String> = ["cycle", "changed"]
    private static let cyclerMethods: Set<String> = ["next", "reset"]

    /// Methods that Python has and the sandbox refuses, because they change their object.
    private static let unsafeListMethods: Set<String> = [
        "append", "clear", "pop", "reverse", "insert", "sort", "extend", "remove",
    ]
    private static let unsafeDictMethods: Set<String> = ["clear", "pop", "popitem", "setdefault", "update"]

    static func hasMethod(_ name: String, on value: Value) -> Bool {
        switch value {
        case .text: StringMethod(rawValue: name) != nil
        case .list: listMethods.contains(name)
        case .tuple, .range: tupleMethods.contains(name)
        case .dict: dictMethods.contains(name)
        case .loop: loopMethods.contains(name)
        case .cycler: cyclerMethods.contains(name)
        case .function(.dict): name == "fromkeys"
        default: false
        }
    }

    fileprivate static func isUnsafe(_ name: String, on value: Value) -> Bool {
        switch value {
        case .list: unsafeListMethods.contains(name)
        case .dict: unsafeDictMethods.contains(name)
        default: false
        }
    }

    /// How Jinja's messages call a value.
    static func owner(_ value: Value) -> String {
        switch value {
        case .none: "None"
        default: "\(value.typeName) object"
        }
    }
}

extension Interpreter {
    /// `value.name`: an attribute, or else an element.
    func attribute(_ name: Value, of value: Value) throws(TemplateError) -> Value {
        guard case .text(let text) = name else { return try item(name, of: value) }
        try budget.spend(bytes: text.count)
        if let attribute = try ownAttribute(text, of: value) { return attribute }
        if case .dict(let dict) = value, let element = dict[text] { return element }
        return .undefined(Undefined(.attribute(of: Attributes.owner(value), text.string)))
    }

    /// `value[key]`: an element, or else an attribute.
    func item(_ key: Value, of value: Value) throws(TemplateError) -> Value {
        if case .undefined(let undefined) = value { throw undefined.error }
        if let element = try element(key, of: value) { return element }
        guard case .text(let name) = key else {
            return .undefined(Undefined(.element(of: Attributes.owner(value), try repr(key).string)))
        }
        if let attribute = try ownAttribute(name, of: value) { return attribute }
        return .undefined(Undefined(.attribute(of: Attributes.owner(value), name.string)))
    }

    /// What Python's `getattr` finds; nil if nothing.
    func ownAttribute(_ text: Text, of value: Value) throws(TemplateError) -> Value? {
        switch value {
        case .undefined(let undefined): throw undefined.error
        case .namespace(let namespace): return namespace[text]
        case .none, .bool, .integer, .number: return numberAttribute(text.string, of: value)
        default: break
        }
        let name = text.string
        if Attributes.hasMethod(name, on: value) { return .method(BoundMethod(receiver: value, name: name)) }
        if Attributes.isUnsafe(name, on: value) {
            let message = "access to attribute '\(name)' of '\(value.typeName)' object is unsafe."
            return .undefined(Undefined(.other(message)))
        }
        switch (value, name) {
        case (.loop(let loop), _): return try loop.attribute(name)
        case (.cycler(let cycler), "current"): return cycler.current
        case (.tuple(let list), "grouper") where list.isGroup: return list[0]
        case (.tuple(let list), "list") where list.isGroup: return list[1]
        case (.macro(let macro), "name"): return .string(macro.definition.name)
        case (.macro(let macro), "arguments"):
            return .tuple(try ListValue(macro.definition.parameters.map { .string($0.name) }))
        default: return nil
        }
    }

    private func numberAttribute(_ name: String, of value: Value) -> Value? {
        switch (value, name) {
        case (.none, _): return nil
        case (.number, "real"): return value
        case (.number, "imag"): return .number(0)
        default: break
        }
        guard let integer = value.integer else { return nil }
        switch name {
        case "real", "numerator": return .integer(integer)
        case "imag": return .integer(0)
        case "denominator": return .integer(1)
        default: return nil
        }
    }

    private func element(_ key: Value, of value: Value) throws(TemplateError) -> Value? {
        switch value {
        case .dict(let dict):
            do {
                return try dict.value(for: key, budget)
            } catch {
                if error.kind == .limit { throw error }
                // It cannot be a key.
                return nil
            }
        case .list(let list), .tuple(let list): return place(key, list.count).map { list[$0] }
        case .range(let range): return place(key, range.count).map { .integer(range[$0]) }
        case .text(let text):
            guard key.integer != nil else { return nil }
            try budget.spend(bytes: text.isKnownASCII ? 0 : text.count)
            guard let index = place(key, text.length) else { return nil }
            let start = text.offset(ofScalar: index)
            return .text(text[start..<text.scalar(at: start).end])
        default: return nil
        }
    }

    private func place(_ key: Value, _ count: Int) -> Int? {
        guard let index = key.integer else { return nil }
        let place = index < 0 ? index + count : index
        return (0..<count).contains(place) ? place : nil
    }

    // MARK: Methods

    func callMethod(_ name: String, on receiver: Value, _ arguments: Arguments) throws(TemplateError) -> Value {
        switch receiver {
        case .text(let text):
            guard let method = StringMethod(rawValue: name) else { break }
            try budget.spend(bytes: text.count)
            let result = try call(method, on: text, arguments)
            return text.isMarkup ? try marked(result, as: method) : result
        case .dict(let dict): return try callMethod(name, on: dict, arguments)
        case .list, .tuple, .range: return try callSequenceMethod(name, on: receiver, arguments)
        case .loop(let loop): return try callMethod(name, on: loop, arguments)
        case .cycler(let cycler):
            _ = try arguments.bound("\(name)()", [])
            if name == "reset" {
                cycler.position = 0
                return .none
            }
            defer { cycler.position = (cycler.position + 1) % cycler.items.count }
            return cycler.current
        case .function(.dict): return try dictFromKeys(arguments)
        default: break
        }
        throw .operation("'\(receiver.typeName)' object has no attribute '\(name)'")
    }

    private func callMethod(_ name: String, on dict: DictValue, _ arguments: Arguments) throws(TemplateError) -> Value {
        if name == "get" {
            guard arguments.named.isEmpty else { throw .operation("dict.get() takes no keyword arguments") }
            let bound = try arguments.bound("get", ["key", "default"], required: 1)
            return try dict.value(for: bound[0] ?? .none, budget) ?? bound[1] ?? .none
        }
        _ = try arguments.bound("dict.\(name)()", [])
        guard let kind = DictView.Kind(rawValue: name) else { return .dict(dict) }
        return .view(DictView(dict: dict, kind: kind))
    }

    private func callSequenceMethod(
        _ name: String,
        on receiver: Value,
        _ arguments: Arguments
    ) throws(TemplateError) -> Value {
        if name == "copy" {
            _ = try arguments.bound("list.copy()", [])
            return receiver
        }
        var parameters = ["value"]
        if name == "index", !isRange(receiver) { parameters += ["start", "stop"] }
        guard arguments.named.isEmpty else { throw .operation("\(name)() takes no keyword arguments") }
        let bound = try arguments.bound("\(name)()", parameters, required: 1)
        func limit(_ index: Int) -> Int? { bound.indices.contains(index) ? bound[index]?.integer : nil }
        let elements = try receiver.elements(budget)
        var count = 0
        let indices = try SliceIndices(
            start: limit(1),
            stop: limit(2),
            step: 1,
            length: elements.count
        )
        for place in 0..<indices.count {
            let index = indices[place]
            guard try Comparison.areEqual(elements[index], bound[0] ?? .none, budget) else { continue }
            if name == "index" { return .integer(index) }
            count += 1
        }
        guard name == "count" else { throw .operation("\(try repr(bound[0] ?? .none).string) is not in list") }
        return .integer(count)
    }

    private func isRange(_ value: Value) -> Bool {
        if case .range = value { return true }
        return false
    }

    private func callMethod(_ name: String, on loop: Loop, _ arguments: Arguments) throws(TemplateError) -> Value {
        guard arguments.named.isEmpty else { throw .operation("\(name)() takes no keyword arguments") }
        let values = arguments.positional
        if name == "changed" {
            addCleanup { loop.clear() }
            return .bool(try loop.changed(values, budget))
        }
        guard !values.isEmpty else { throw .operation("no items for cycling given") }
        return values[loop.index0 % values.count]
    }

    private func dictFromKeys(_ arguments: Arguments) throws(TemplateError) -> Value {
        let bound = try arguments.bound("fromkeys()", ["iterable", "value"], required: 1)
        let value = bound[1] ?? .none
        return .dict(try DictValue(try (bound[0] ?? .none).elements(budget).map { ($0, value) }, budget))
    }
}
