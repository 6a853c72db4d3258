/// Python's `str` and `repr`.
extension Interpreter {
    /// `str(value)`. A text stays as it is.
    func string(_ value: Value) throws(TemplateError) -> Text {
        switch value {
        case .text(let text): return text
        case .undefined: return .empty
        case .none, .bool, .integer, .number: return Text(Repr.plain(value))
        default:
            var repr = Repr(budget)
            try repr.write(value)
            return repr.builder.finish()
        }
    }

    /// `repr(value)`, or `ascii(value)`.
    func repr(_ value: Value, isASCII: Bool = false) throws(TemplateError) -> Text {
        var repr = Repr(budget, isASCII: isASCII)
        try repr.write(value)
        return repr.builder.finish()
    }
}

struct Repr {
    private(set) var builder: TextBuilder
    private let budget: Budget
    /// Whether every other character is written as an escape.
    private let isASCII: Bool
    private var depth = 0

    init(_ budget: Budget, isASCII: Bool = false) {
        self.budget = budget
        self.isASCII = isASCII
        builder = TextBuilder(budget)
    }

    /// Of what has no parts.
    static func plain(_ value: Value) -> String {
        switch value {
        case .undefined: "Undefined"
        case .none: "None"
        case .bool(let flag): flag ? "True" : "False"
        case .integer(let integer): String(integer)
        case .number(let number): NumberText.repr(number)
        default: "<\(value.typeName) object>"
        }
    }

    /// What is written around values counts as input, so that no special token is read from a printed list.
    private mutating func put(_ text: String) throws(TemplateError) { try builder.append(text, .input) }

    mutating func write(_ value: Value) throws(TemplateError) {
        depth += 1
        defer { depth -= 1 }
        // A namespace can hold itself.
        guard depth <= TemplateLimits.valueDepth else { throw .limit("a value is nested too deeply to be printed") }
        switch value {
        case .text(let text): try write(text)
        case .list(let list): try write(list, "[", "]")
        case .tuple(let list): try write(list, "(", list.count == 1 ? ",)" : ")")
        case .dict(let dict): try write(dict)
        case .range(let range):
            try put("range(\(range.start), \(range.stop)" + (range.step == 1 ? ")" : ", \(range.step))"))
        case .view(let view):
            try put("dict_\(view.kind.rawValue)(")
            let elements = try ValueIterator.over(value).rest(budget)
            try write(try ListValue(elements), "[", "])")
        case .namespace(let namespace):
            try put("<Namespace ")
            let pairs = namespace.names.map { (key: Value.text($0), value: namespace[$0] ?? .none) }
            try write(try DictValue(pairs, budget))
            try put(">")
        case .macro(let macro):
            let name = macro.definition.name
            try put(name == "caller" ? "<Macro anonymous>" : "<Macro '\(name)'>")
        case .loop(let loop): try put("<LoopContext \(loop.index0 + 1)/\(try loop.length())>")
        default: try put(Repr.plain(value))
        }
    }

    private mutating func write(_ list: ListValue, _ opening: String, _ closing: String) throws(TemplateError) {
        try put(opening)
        for index in 0..<list.count {
            if index > 0 { try put(", ") }
            try write(list[index])
        }
        try put(closing)
    }

    private mutating func write(_ dict: DictValue) throws(TemplateError) {
        try put("{")
        for index in 0..<dict.count {
            if index > 0 { try put(", ") }
            try write(dict.keys[index])
            try put(": ")
            try write(dict.values[index])
        }
        try put("}")
    }

    private mutating func write(_ text: Text) throws(TemplateError) {
        if text.isMarkup { try put("Markup(") }
        let bytes = text.bytes
        let isDouble = bytes.contains(UInt8(ascii: "'")) && !bytes.contains(UInt8(ascii: "\""))
        let quote = isDouble ? "\"" : "'"
        try put(quote)
        // Stretches that need no escape are copied whole.
        var start = 0
        var offset = 0
        while offset < text.count {
            let (scalar, end) = text.scalar(at: offset)
            if let escape = escape(scalar, quote: quote) {
                try builder.append(text[start..<offset])
                try builder.append(escape, text.origin(at: offset))
                start = end
            }
            offset = end
        }
        try builder.append(text[start..<text.count])
        try put(text.isMarkup ? quote + ")" : quote)
    }

    private func escape(_ scalar: Unicode.Scalar, quote: String) -> String? {
        switch scalar {
        case "\n": return "\\n"
        case "\r": return "\\r"
        case "\t": return "\\t"
        case "\\": return "\\\\"
        case "'" where quote == "'": return "\\'"
        default:
            if scalar.isPythonPrintable, !isASCII || scalar.isASCII { return nil }
            let digits = String(scalar.value, radix: 16)
            let (letter, width) = scalar.value < 0x100 ? ("x", 2) : scalar.value < 0x10000 ? ("u", 4) : ("U", 8)
            return "\\" + letter + String(repeating: "0", count: width - digits.count) + digits
        }
    }
}
