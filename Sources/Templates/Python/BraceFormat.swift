/// Python's `str.format`.
struct BraceFormat {
    private let interpreter: Interpreter
    private let positional: [Value]
    private let named: DictValue
    /// The format is safe HTML, so values are escaped.
    private let escapesValues: Bool
    /// The number of the next `{}`; nil once fields are numbered by hand.
    private var nextIndex: Int? = 0

    static func formatted(
        _ format: Text,
        positional: [Value] = [],
        named: DictValue,
        _ interpreter: Interpreter
    ) throws(TemplateError) -> Text {
        var formatter = BraceFormat(
            interpreter: interpreter,
            positional: positional,
            named: named,
            escapesValues: format.isMarkup
        )
        let result = try formatter.formatted(format.plain, depth: 0)
        return format.isMarkup ? result.markup : result
    }

    private mutating func formatted(_ format: Text, depth: Int) throws(TemplateError) -> Text {
        // A specification may hold fields, but those of their specifications may not.
        guard depth < 3 else { throw .operation("Max string recursion exceeded") }
        try interpreter.budget.spend(bytes: format.count)
        var builder = TextBuilder(interpreter.budget)
        var cursor = TextCursor(format)
        while true {
            try builder.append(cursor.takeText(until: "{}"))
            guard let brace = cursor.next() else { return builder.finish() }
            if cursor.take(String(brace)) != nil {
                try builder.append(format[cursor.offset - 1..<cursor.offset])
            } else {
                guard brace == "{" else { throw .operation("Single '}' encountered in format string") }
                try builder.append(try field(&cursor, depth: depth))
            }
        }
    }

    /// `name[!conversion][:specification]}`
    private mutating func field(_ cursor: inout TextCursor, depth: Int) throws(TemplateError) -> Text {
        var value = try self.value(fieldName(&cursor))
        var mark = cursor.next()
        if mark == "!" {
            switch cursor.next() {
            case "s": value = .text(try interpreter.string(value).plain)
            case "r": value = .text(try interpreter.repr(value))
            case "a": value = .text(try interpreter.repr(value, isASCII: true))
            default: throw .operation("Unknown conversion specifier")
            }
            mark = cursor.next()
        }
        var specification = Text.empty
        if mark == ":" {
            specification = try formatted(try fieldSpecification(&cursor), depth: depth + 1)
        } else if mark != "}" {
            throw .operation("expected '}' before end of string")
        }
        if escapesValues, case .text(let text) = value, text.isMarkup {
            guard specification.isEmpty else { throw .operation("Format specifier given, but the text is safe") }
            return text
        }
        let text =
            specification.isEmpty
            ? try interpreter.string(value)
            : try FormatSpecification(specification).formatted(value, interpreter.budget)
        return escapesValues ? try interpreter.escaped(text.plain) : text
    }

    private func fieldName(_ cursor: inout TextCursor) -> Text {
        let start = cursor.offset
        while true {
            _ = cursor.takeText(until: "[!:{}")
            guard cursor.take("[") != nil else { return cursor.text[start..<cursor.offset] }
            _ = cursor.takeText(until: "]")
        }
    }

    private func fieldSpecification(_ cursor: inout TextCursor) throws(TemplateError) -> Text {
        let start = cursor.offset
        var depth = 1
        while depth > 0 {
            switch cursor.next() {
            case "{": depth += 1
            case "}": depth -= 1
            case nil: throw .operation("unmatched '{' in format spec")
            default: break
            }
        }
        return cursor.text[start..<cursor.offset - 1]
    }

    /// `name.attribute[key]…`
    private mutating func value(_ name: Text) throws(TemplateError) -> Value {
        if name.isEmpty {
            guard let next = nextIndex else {
                throw .operation("cannot switch from manual field specification to automatic field numbering")
            }
            nextIndex = next + 1
            return try argument(number: next)
        }
        if name.bytes.allSatisfy(\.isDigit) {
            guard nextIndex ?? 0 == 0 else {
                throw .operation("cannot switch from automatic field numbering to manual field specification")
            }
            nextIndex = nil
        }
        var cursor = TextCursor(name)
        var value = try argument(cursor.takeText(until: ".["))
        while let mark = cursor.next() {
            let part = cursor.takeText(until: mark == "[" ? "]" : ".[")
            guard !part.isEmpty else { throw .operation("Empty attribute in format string") }
            switch mark {
            case ".": value = try interpreter.attribute(.text(part), of: value)
            case "[":
                guard cursor.take("]") != nil else { throw .operation("Missing ']' in format string") }
                let index = part.bytes.allSatisfy(\.isDigit) ? Int(part.string) : nil
                value = try interpreter.item(index.map(Value.integer) ?? .text(part), of: value)
            default: throw .operation("Only '.' or '[' may follow ']' in format field specifier")
            }
        }
        return value
    }

    private func argument(_ name: Text) throws(TemplateError) -> Value {
        if !name.isEmpty, name.bytes.allSatisfy(\.isDigit) { return try argument(number: Int(name.string) ?? .max) }
        guard let value = named[name] else { throw .operation("there is no argument '\(name.string)'") }
        return value
    }

    private func argument(number: Int) throws(TemplateError) -> Value {
        guard positional.indices.contains(number) else {
            throw .operation("Replacement index \(number) out of range for positional args tuple")
        }
        return positional[number]
    }
}
