/// Python's `str.format`.
struct BraceFormat {
    private let interpreter: Interpreter
    private let positional: [Value]
    private let named: DictValue
    /// The number of the next `{}`; nil once fields are numbered by hand.
    private var nextIndex: Int? = 0
    private var isNumbered = false

    static func formatted(_ format: Text, _ arguments: Arguments, _ interpreter: Interpreter) throws(TemplateError)
        -> Text
    {
        let named = try DictValue(arguments.named.map { (.string($0.name), $0.value) })
        var formatter = BraceFormat(interpreter: interpreter, positional: arguments.positional, named: named)
        return try formatter.formatted(format, depth: 0)
    }

    static func formatted(_ format: Text, _ mapping: DictValue, _ interpreter: Interpreter) throws(TemplateError)
        -> Text
    {
        var formatter = BraceFormat(interpreter: interpreter, positional: [], named: mapping)
        return try formatter.formatted(format, depth: 0)
    }

    private init(interpreter: Interpreter, positional: [Value], named: DictValue) {
        self.interpreter = interpreter
        self.positional = positional
        self.named = named
    }

    private static let open = UInt8(ascii: "{")
    private static let close = UInt8(ascii: "}")

    private mutating func formatted(_ format: Text, depth: Int) throws(TemplateError) -> Text {
        // A specification may hold fields, but theirs may not.
        guard depth < 2 else { throw .operation("Max string recursion exceeded") }
        try interpreter.budget.spend(bytes: format.count)
        var builder = TextBuilder(interpreter.budget)
        var offset = 0
        var start = 0
        while offset < format.count {
            let byte = format[offset]
            guard byte == BraceFormat.open || byte == BraceFormat.close else {
                offset += 1
                continue
            }
            if offset + 1 < format.count, format[offset + 1] == byte {
                try builder.append(format[start..<offset + 1])
                offset += 2
                start = offset
                continue
            }
            guard byte == BraceFormat.open else { throw .operation("Single '}' encountered in format string") }
            try builder.append(format[start..<offset])
            let end = try endOfField(format, from: offset + 1)
            try builder.append(try field(format[offset + 1..<end], depth: depth))
            offset = end + 1
            start = offset
        }
        try builder.append(format[start..<format.count])
        return format.isMarkup ? builder.finish().markup : builder.finish()
    }

    private func endOfField(_ format: Text, from start: Int) throws(TemplateError) -> Int {
        var depth = 1
        var isInBrackets = false
        for offset in start..<format.count {
            switch format[offset] {
            case UInt8(ascii: "["): isInBrackets = true
            case UInt8(ascii: "]"): isInBrackets = false
            case BraceFormat.open where !isInBrackets: depth += 1
            case BraceFormat.close where !isInBrackets:
                depth -= 1
                if depth == 0 { return offset }
            default: break
            }
        }
        throw .operation("expected '}' before end of string")
    }

    /// `name!conversion:specification`.
    private mutating func field(_ field: Text, depth: Int) throws(TemplateError) -> Text {
        var nameEnd = 0
        var isInBrackets = false
        while nameEnd < field.count {
            let byte = field[nameEnd]
            if byte == UInt8(ascii: "[") { isInBrackets = true }
            if byte == UInt8(ascii: "]") { isInBrackets = false }
            if !isInBrackets, byte == UInt8(ascii: "!") || byte == UInt8(ascii: ":") { break }
            nameEnd += 1
        }
        var value = try self.value(field[0..<nameEnd])
        var offset = nameEnd
        if offset < field.count, field[offset] == UInt8(ascii: "!") {
            guard offset + 1 < field.count else {
                throw .operation("end of string while looking for conversion specifier")
            }
            switch field[offset + 1] {
            case UInt8(ascii: "s"): value = .text(try interpreter.string(value).plain)
            case UInt8(ascii: "r"), UInt8(ascii: "a"): value = .text(try interpreter.repr(value))
            default: throw .operation("Unknown conversion specifier")
            }
            offset += 2
            guard offset == field.count || field[offset] == UInt8(ascii: ":") else {
                throw .operation("expected ':' after conversion specifier")
            }
        }
        let written = offset < field.count ? field[offset + 1..<field.count] : .empty
        return try FormatSpecification.apply(try formatted(written.plain, depth: depth + 1), to: value, interpreter)
    }

    /// `name.attribute[key]…`.
    private mutating func value(_ name: Text) throws(TemplateError) -> Value {
        var end = 0
        while end < name.count, name[end] != UInt8(ascii: "."), name[end] != UInt8(ascii: "[") { end += 1 }
        var value = try first(name[0..<end])
        while end < name.count {
            let start = end + 1
            if name[end] == UInt8(ascii: ".") {
                end = start
                while end < name.count, name[end] != UInt8(ascii: "."), name[end] != UInt8(ascii: "[") { end += 1 }
                guard end > start else { throw .operation("Empty attribute in format string") }
                value = try interpreter.attribute(.text(name[start..<end]), of: value)
            } else {
                guard let close = name[start..<name.count].bytes.firstIndex(of: UInt8(ascii: "]")) else {
                    throw .operation("Missing ']' in format string")
                }
                let key = name[start..<close - name.start]
                guard !key.isEmpty else { throw .operation("Empty attribute in format string") }
                let index = key.bytes.allSatisfy(\.isDigit) ? Int(key.string) : nil
                value = try interpreter.item(index.map(Value.integer) ?? .text(key), of: value)
                end = close - name.start + 1
                guard end == name.count || [UInt8(ascii: "."), UInt8(ascii: "[")].contains(name[end]) else {
                    throw .operation("Only '.' or '[' may follow ']' in format field specifier")
                }
            }
        }
        return value
    }

    private mutating func first(_ name: Text) throws(TemplateError) -> Value {
        if !name.isEmpty, !name.bytes.allSatisfy(\.isDigit) {
            guard let value = named[name] else { throw .operation("there is no argument '\(name.string)'") }
            return value
        }
        let index: Int
        if name.isEmpty {
            guard let next = nextIndex, !isNumbered else {
                throw .operation("cannot switch from manual field specification to automatic field numbering")
            }
            index = next
            nextIndex = next + 1
        } else {
            guard nextIndex == 0 || isNumbered else {
                throw .operation("cannot switch from automatic field numbering to manual field specification")
            }
            isNumbered = true
            index = Int(name.string) ?? .max
        }
        guard positional.indices.contains(index) else {
            throw .operation("Replacement index \(index) out of range for positional args tuple")
        }
        return positional[index]
    }
}
