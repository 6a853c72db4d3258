/// What `|` applies to a value.
enum Filter: String, CaseIterable {
    case abs, attr, batch, capitalize, dictsort, escape, first, float, format, groupby, indent, int, items, join, last
    case length, list, lower, map, max, min, reject, rejectattr, replace, reverse, round, safe, select, selectattr
    case slice, sort, string, sum, title, tojson, trim, truncate, unique, upper, urlencode, wordcount
    case fallback = "default"
    case forceEscape = "forceescape"

    private static let others: [String: Filter] = ["count": .length, "d": .fallback, "e": .escape]

    init?(name: String) {
        guard let filter = Filter(rawValue: name) ?? Filter.others[name] else { return nil }
        self = filter
    }

    /// The parameters after the value.
    private var parameters: (names: [String], required: Int) {
        switch self {
        case .attr: (["name"], 1)
        case .batch: (["linecount", "fill_with"], 1)
        case .dictsort: (["case_sensitive", "by", "reverse"], 0)
        case .fallback: (["default_value", "boolean"], 0)
        case .float: (["default"], 0)
        case .groupby: (["attribute", "default", "case_sensitive"], 1)
        case .indent: (["width", "first", "blank"], 0)
        case .int: (["default", "base"], 0)
        case .join: (["d", "attribute"], 0)
        case .max, .min: (["case_sensitive", "attribute"], 0)
        case .replace: (["old", "new", "count"], 2)
        case .round: (["precision", "method"], 0)
        case .slice: (["slices", "fill_with"], 1)
        case .sort: (["reverse", "case_sensitive", "attribute"], 0)
        case .sum: (["attribute", "start"], 0)
        case .tojson: (["ensure_ascii", "indent", "separators", "sort_keys"], 0)
        case .trim: (["chars"], 0)
        case .truncate: (["length", "killwords", "end", "leeway"], 0)
        case .unique: (["case_sensitive", "attribute"], 0)
        default: ([], 0)
        }
    }

    fileprivate func bound(_ arguments: Arguments) throws(TemplateError) -> [Value?] {
        try arguments.bound("filter \(rawValue)", parameters.names, required: parameters.required)
    }
}

extension Interpreter {
    func filter(
        _ operand: Expression,
        _ name: FilterName,
        _ written: CallArguments,
        line: Int
    ) throws(TemplateError) -> Value {
        let value = try evaluate(operand)
        let arguments = try self.arguments(written)
        self.line = line
        switch name {
        case .known(let filter): return try apply(filter, to: value, arguments)
        case .unknown(let name): throw .operation("there is no filter '\(name)'")
        }
    }

    func apply(_ filter: Filter, to value: Value, _ arguments: Arguments) throws(TemplateError) -> Value {
        switch filter {
        case .map: return .iterator(try map(value, arguments))
        case .select, .reject, .selectattr, .rejectattr: return .iterator(try select(filter, value, arguments))
        case .format: return try format(value, arguments)
        default: break
        }
        let bound = try filter.bound(arguments)
        switch filter {
        case .capitalize, .escape, .forceEscape, .indent, .lower, .replace, .safe, .string, .title, .trim, .upper:
            return .text(try textFilter(filter, value, bound))
        case .urlencode: return .text(try urlEncoded(value))
        case .truncate: return try truncated(value, bound)
        case .wordcount: return .integer(try wordCount(of: try string(value)))
        case .abs, .float, .int, .round: return try numberFilter(filter, value, bound)
        case .batch, .slice: return .iterator(try chunks(value, filter, bound))
        case .first, .last: return try firstOrLast(of: value, isFirst: filter == .first)
        case .dictsort, .groupby, .sort, .unique, .min, .max, .sum: return try orderFilter(filter, value, bound)
        case .fallback:
            let isMissing = value.isUndefined || (bound[1]?.isTrue == true && !value.isTrue)
            return isMissing ? bound[0] ?? .string("") : value
        case .attr: return try attributeOnly(bound[0] ?? .none, of: value)
        case .items: return .iterator(try items(of: value))
        case .join: return .text(try joined(value, bound))
        case .length: return .integer(try value.length(budget))
        case .list: return .list(try ListValue(try value.elements(budget)))
        case .reverse: return try reversed(value)
        case .tojson: return .text(try json(value, bound))
        default: throw .operation("the filter '\(filter.rawValue)' cannot be applied")
        }
    }

    /// `attr`: never an element.
    private func attributeOnly(_ name: Value, of value: Value) throws(TemplateError) -> Value {
        guard case .text(let text) = name else { throw .operation("attribute name must be string") }
        if let attribute = try ownAttribute(text, of: value) { return attribute }
        return .undefined(Undefined(.attribute(of: Attributes.owner(value), text.string)))
    }

    private func items(of value: Value) throws(TemplateError) -> ValueIterator {
        switch value {
        case .undefined: return try ValueIterator([])
        case .dict(let dict):
            return try ValueIterator(try Value.view(DictView(dict: dict, kind: .items)).elements(budget))
        default:
            return try ValueIterator([], failure: .operation("Can only get item pairs from a mapping.").at(line: line))
        }
    }

    private func json(_ value: Value, _ bound: [Value?]) throws(TemplateError) -> Text {
        var style = JSONText.Style()
        style.isASCII = bound[0]?.isTrue ?? false
        style.sortsKeys = bound[3]?.isTrue ?? false
        switch bound[1] {
        case nil, .some(.none): break
        case .text(let indent)?: style.indent = indent
        case let value?:
            guard let width = value.integer else { throw .operation("an indent is a number or a string") }
            var builder = TextBuilder(budget)
            try builder.append(Text(" ", .input), times: width)
            style.indent = builder.finish()
        }
        if style.indent != nil { style.itemSeparator = Text(",", .input) }
        switch bound[2] {
        case nil, .some(.none): break
        case let value?:
            let separators = try value.elements(budget)
            guard separators.count == 2, case .text(let item) = separators[0], case .text(let key) = separators[1]
            else {
                throw .operation("separators are two strings")
            }
            (style.itemSeparator, style.keySeparator) = (item, key)
        }
        var writer = JSONText(style, budget)
        try writer.write(value)
        return writer.builder.finish()
    }
}
