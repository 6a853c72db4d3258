/// The methods of Python's `str` that templates may use.
enum StringMethod: String, CaseIterable {
    case capitalize, center, count, endswith, find, format, index, isalnum, isalpha, isascii, isdecimal, isdigit
    case isidentifier, islower, isnumeric, isprintable, isspace, istitle, isupper, join, ljust, lower, lstrip
    case partition, removeprefix, removesuffix, replace, rfind, rindex, rjust, rpartition, rsplit, rstrip, split
    case splitlines, startswith, strip, swapcase, title, upper, zfill
    case formatMap = "format_map"

    /// Its parameters. Those of most methods cannot be named.
    fileprivate var parameters: (names: [String], required: Int, canBeNamed: Bool) {
        switch self {
        case .center, .ljust, .rjust: (["width", "fillchar"], 1, false)
        case .count, .find, .index, .rfind, .rindex: (["sub", "start", "end"], 1, false)
        case .startswith, .endswith: (["prefix", "start", "end"], 1, false)
        case .join: (["iterable"], 1, false)
        case .strip, .lstrip, .rstrip: (["chars"], 0, false)
        case .partition, .rpartition: (["sep"], 1, false)
        case .removeprefix, .removesuffix: (["prefix"], 1, false)
        case .replace: (["old", "new", "count"], 2, false)
        case .split, .rsplit: (["sep", "maxsplit"], 0, true)
        case .splitlines: (["keepends"], 0, true)
        case .zfill: (["width"], 1, false)
        case .formatMap: (["mapping"], 1, false)
        default: ([], 0, false)
        }
    }
}

extension Interpreter {
    func call(_ method: StringMethod, on text: Text, _ arguments: Arguments) throws(TemplateError) -> Value {
        if method == .format {
            let named = try DictValue(arguments.named.map { (.string($0.name), $0.value) }, budget)
            return .text(try BraceFormat.formatted(text, positional: arguments.positional, named: named, self))
        }
        let parameters = method.parameters
        guard parameters.canBeNamed || arguments.named.isEmpty else {
            throw .operation("str.\(method.rawValue)() takes no keyword arguments")
        }
        let bound = try arguments.bound("\(method.rawValue)()", parameters.names, required: parameters.required)
        switch method {
        case .capitalize, .lower, .swapcase, .title, .upper: return .text(try changeCase(of: text, method))
        case .strip, .lstrip, .rstrip: return .text(try strip(text, method, bound))
        case .split, .rsplit: return try split(text, bound, fromEnd: method == .rsplit)
        case .splitlines: return try lines(of: text, keepsEnds: bound[0]?.isTrue ?? false)
        case .partition, .rpartition: return try partition(text, bound, fromEnd: method == .rpartition)
        case .replace:
            let limit = try integer(bound[2], of: method) ?? -1
            // A safe text escapes whatever it is given.
            let new = text.isMarkup ? try escaped(bound[1] ?? .none) : try self.text(bound[1], of: method)
            return .text(try replace(in: text, try self.text(bound[0], of: method), new, limit))
        case .join: return .text(try join(try (bound[0] ?? .none).elements(budget), with: text))
        case .startswith, .endswith: return .bool(try hasAffix(text, method, bound))
        case .count, .find, .index, .rfind, .rindex: return try search(text, method, bound)
        case .removeprefix:
            let prefix = try self.text(bound[0], of: method)
            return .text(text.hasPrefix(prefix) ? text[prefix.count..<text.count] : text)
        case .removesuffix:
            let suffix = try self.text(bound[0], of: method)
            return .text(text.hasSuffix(suffix) ? text[0..<text.count - suffix.count] : text)
        case .center, .ljust, .rjust, .zfill: return .text(try pad(text, method, bound))
        case .formatMap:
            guard case .dict(let dict)? = bound[0] else { throw .operation("format_map() argument must be a mapping") }
            return .text(try BraceFormat.formatted(text, named: dict, self))
        default: return .bool(CharacterTest.holds(method, text))
        }
    }

    /// A method of a safe text gives safe texts.
    func marked(_ result: Value, as method: StringMethod) throws(TemplateError) -> Value {
        switch result {
        case .text(let text): return .text(text.markup)
        case .list(let list), .tuple(let list):
            let values = list.elements.map { element in
                if case .text(let text) = element { return Value.text(text.markup) }
                return element
            }
            if case .tuple = result { return .tuple(try ListValue(values)) }
            return .list(try ListValue(values))
        default: return result
        }
    }

    func text(_ value: Value?, of method: StringMethod) throws(TemplateError) -> Text {
        guard case .text(let text)? = value else {
            throw .operation("\(method.rawValue)() argument must be str, not \(value?.typeName ?? "nothing")")
        }
        return text
    }

    /// An index; nil if it is not given or None.
    func integer(_ value: Value?, of method: StringMethod) throws(TemplateError) -> Int? {
        guard let value else { return nil }
        if case .none = value { return nil }
        guard let integer = value.integer else {
            throw .operation("\(method.rawValue)(): '\(value.typeName)' object cannot be interpreted as an integer")
        }
        return integer
    }

    // MARK: Trimming and padding

    private func strip(_ text: Text, _ method: StringMethod, _ bound: [Value?]) throws(TemplateError) -> Text {
        let (start, end) = (method != .rstrip, method != .lstrip)
        switch bound[0] {
        case nil, .some(.none): return text.trimmed(start: start, end: end)
        default: return try strip(text, characters: try self.text(bound[0], of: method), start: start, end: end)
        }
    }

    func strip(_ text: Text, characters: Text, start: Bool, end: Bool) throws(TemplateError) -> Text {
        try budget.spend(bytes: characters.count)
        var set: Set<Unicode.Scalar> = []
        try characters.forEachScalar { (scalar, _) throws(TemplateError) in
            set.insert(scalar)
            return true
        }
        return text.trimmed(start: start, end: end) { set.contains($0) }
    }

    private func pad(_ text: Text, _ method: StringMethod, _ bound: [Value?]) throws(TemplateError) -> Text {
        guard let width = bound[0]?.integer else { throw .operation("\(method.rawValue)() needs a width") }
        if method == .zfill { return try zeroFilled(text, width: width) }
        let fill = try bound[1].map { (value) throws(TemplateError) in try self.text(value, of: method) } ?? Text(" ")
        guard fill.length == 1 else {
            throw .operation("The fill character must be exactly one character long")
        }
        return try pad(text, width: width, fill: fill, method)
    }

    private func pad(_ text: Text, width: Int, fill: Text, _ method: StringMethod) throws(TemplateError) -> Text {
        let missing = width.subtractingReportingOverflow(text.length).partialValue
        guard width > 0, missing > 0 else { return text }
        // Python puts the odd space on the left only if the width is odd too.
        let left = method == .ljust ? 0 : method == .rjust ? missing : missing / 2 + (missing & width & 1)
        var builder = TextBuilder(budget)
        try builder.append(fill, times: left)
        try builder.append(text)
        try builder.append(fill, times: missing - left)
        return builder.finish()
    }

    private func zeroFilled(_ text: Text, width: Int) throws(TemplateError) -> Text {
        let missing = width.subtractingReportingOverflow(text.length).partialValue
        guard width > 0, missing > 0 else { return text }
        let hasSign = !text.isEmpty && (text[0] == UInt8(ascii: "-") || text[0] == UInt8(ascii: "+"))
        var builder = TextBuilder(budget)
        if hasSign { try builder.append(text[0..<1]) }
        try builder.append(Text("0"), times: missing)
        try builder.append(hasSign ? text[1..<text.count] : text)
        return builder.finish()
    }

    // MARK: Joining and replacing

    func join(_ values: [Value], with separator: Text) throws(TemplateError) -> Text {
        var builder = TextBuilder(budget)
        for (index, value) in values.enumerated() {
            guard case .text(let text) = value else {
                throw .operation("sequence item \(index): expected str instance, \(value.typeName) found")
            }
            if index > 0 { try builder.append(separator) }
            try builder.append(separator.isMarkup ? try escaped(text) : text)
        }
        return builder.finish()
    }

    /// - Parameter limit: the most replacements; a negative number means all.
    func replace(in text: Text, _ old: Text, _ new: Text, _ limit: Int) throws(TemplateError) -> Text {
        try budget.spend(bytes: text.count + old.count)
        var limit = limit < 0 ? Int.max : limit
        var builder = TextBuilder(budget)
        if old.isEmpty {
            var offset = 0
            while limit > 0 {
                try builder.append(new)
                limit -= 1
                guard offset < text.count else { return builder.finish() }
                let end = text.scalar(at: offset).end
                try builder.append(text[offset..<end])
                offset = end
            }
            try builder.append(text[offset..<text.count])
            return builder.finish()
        }
        let places = TextSearch(old).all(in: text, atMost: limit)
        if places.isEmpty { return text }
        var start = 0
        for place in places {
            try builder.append(text[start..<place])
            try builder.append(new)
            start = place + old.count
        }
        try builder.append(text[start..<text.count])
        return builder.finish()
    }
}
