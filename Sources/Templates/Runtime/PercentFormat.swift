/// Python's `format % values`.
struct PercentFormat {
    private let format: Text
    private let interpreter: Interpreter
    /// The values, if they go by their order.
    private let values: [Value]
    /// The mapping that names look into.
    private let mapping: DictValue?
    /// Whether values may be left over: so Python has it for all that can be subscripted, tuples aside.
    private let mayLeaveSome: Bool
    private var nextValue = 0
    private var builder: TextBuilder
    private var offset = 0

    static func formatted(_ format: Text, _ operand: Value, _ interpreter: Interpreter) throws(TemplateError) -> Text {
        try interpreter.budget.spend(bytes: format.count)
        var formatter = PercentFormat(format, operand, interpreter)
        try formatter.run()
        let result = formatter.builder.finish()
        return format.isMarkup ? result.markup : result
    }

    private init(_ format: Text, _ operand: Value, _ interpreter: Interpreter) {
        self.format = format
        self.interpreter = interpreter
        builder = TextBuilder(interpreter.budget)
        mayLeaveSome =
            switch operand {
            case .dict, .list, .range, .undefined: true
            default: false
            }
        switch operand {
        case .tuple(let list): (values, mapping) = (Array(list.elements), nil)
        case .dict(let dict): (values, mapping) = ([operand], dict)
        default: (values, mapping) = ([operand], nil)
        }
    }

    private struct Specification {
        var isLeft = false
        var showsPlus = false
        var showsSpace = false
        var isZeroFilled = false
        var isAlternate = false
        var width = 0
        var precision: Int?
        var value: Value?
    }

    private mutating func run() throws(TemplateError) {
        var start = 0
        while offset < format.count {
            guard format[offset] == UInt8(ascii: "%") else {
                offset += 1
                continue
            }
            try builder.append(format[start..<offset])
            offset += 1
            try conversion()
            start = offset
        }
        try builder.append(format[start..<format.count])
        guard mayLeaveSome || nextValue == values.count else {
            throw .operation("not all arguments converted during string formatting")
        }
    }

    private var current: UInt8? { offset < format.count ? format[offset] : nil }

    private mutating func take() throws(TemplateError) -> Value {
        guard nextValue < values.count else { throw .operation("not enough arguments for format string") }
        nextValue += 1
        return values[nextValue - 1]
    }

    private mutating func conversion() throws(TemplateError) {
        var specification = Specification()
        if current == UInt8(ascii: "(") { specification.value = try named() }
        flags: while let byte = current {
            switch byte {
            case UInt8(ascii: "-"): specification.isLeft = true
            case UInt8(ascii: "+"): specification.showsPlus = true
            case UInt8(ascii: " "): specification.showsSpace = true
            case UInt8(ascii: "0"): specification.isZeroFilled = true
            case UInt8(ascii: "#"): specification.isAlternate = true
            default: break flags
            }
            offset += 1
        }
        specification.width = try number() ?? 0
        if specification.width < 0 {
            specification.isLeft = true
            specification.width = Int(clamping: specification.width.magnitude)
        }
        if current == UInt8(ascii: ".") {
            offset += 1
            specification.precision = max(0, try number() ?? 0)
        }
        while let byte = current, [UInt8(ascii: "h"), UInt8(ascii: "l"), UInt8(ascii: "L")].contains(byte) {
            offset += 1
        }
        guard let byte = current else { throw .operation("incomplete format") }
        let origin = format.origin(at: offset)
        let letter = format.scalar(at: offset).value
        offset = format.scalar(at: offset).end
        if byte == UInt8(ascii: "%") { return try builder.append(byte, origin) }
        let value: Value
        if let named = specification.value { value = named } else { value = try take() }
        try write(value, String(letter), specification)
    }

    private mutating func named() throws(TemplateError) -> Value {
        guard let mapping else { throw .operation("format requires a mapping") }
        let start = offset + 1
        var depth = 0
        while let byte = current {
            if byte == UInt8(ascii: "(") { depth += 1 }
            if byte == UInt8(ascii: ")") { depth -= 1 }
            offset += 1
            if depth == 0 { break }
        }
        guard depth == 0 else { throw .operation("incomplete format key") }
        let name = format[start..<offset - 1]
        guard let value = mapping[name] else { throw .operation("there is no key '\(name.string)'") }
        return value
    }

    private mutating func number() throws(TemplateError) -> Int? {
        if current == UInt8(ascii: "*") {
            offset += 1
            guard let number = try take().integer else { throw .operation("* wants int") }
            return number
        }
        var number: Int?
        while let byte = current, byte.isDigit {
            let (tens, overflow) = (number ?? 0).multipliedReportingOverflow(by: 10)
            guard !overflow, tens < 1 << 40 else { throw .limit("a format's number is too large") }
            number = tens + Int(byte - 0x30)
            offset += 1
        }
        return number
    }

    private mutating func write(
        _ value: Value,
        _ letter: String,
        _ specification: Specification
    ) throws(TemplateError) {
        switch letter {
        case "s", "r", "a":
            var text = letter == "s" ? try interpreter.string(value) : try interpreter.repr(value)
            if format.isMarkup { text = try interpreter.escaped(text) }
            if let precision = specification.precision {
                text = try text.sliced(
                    try SliceIndices(start: 0, stop: precision, step: 1, length: text.length),
                    interpreter.budget
                )
            }
            try pad(text, specification)
        case "c": try pad(try character(value), specification)
        case "d", "i", "u":
            guard let number = value.double else {
                throw .operation("%\(letter) format: a real number is required, not \(value.typeName)")
            }
            guard let integer = value.integer ?? Int(exactly: number.rounded(.towardZero)) else {
                throw .operation("cannot convert float \(NumberText.repr(number)) to integer")
            }
            try writeNumber(digits(integer.magnitude, 10, specification), integer < 0, specification)
        case "x", "X", "o":
            guard let integer = value.integer else {
                throw .operation("%\(letter) format: an integer is required, not \(value.typeName)")
            }
            let digits = digits(integer.magnitude, letter == "o" ? 8 : 16, specification)
            let prefix = specification.isAlternate ? "0" + letter : ""
            try writeNumber(letter == "X" ? digits.uppercased() : digits, integer < 0, specification, prefix: prefix)
        case "e", "E", "f", "F", "g", "G":
            guard let number = value.double else {
                throw .operation("must be real number, not \(value.typeName)")
            }
            let text = try NumberText.formatted(
                number.magnitude,
                letter == "F" ? "f" : letter,
                precision: specification.precision ?? 6,
                isAlternate: specification.isAlternate
            )
            try writeNumber(
                letter == "F" ? text.uppercased() : text,
                number.sign == .minus && !number.isNaN,
                specification
            )
        default: throw .operation("unsupported format character '\(letter)'")
        }
    }

    private func character(_ value: Value) throws(TemplateError) -> Text {
        if case .text(let text) = value, text.length == 1 { return text }
        if let integer = value.integer, let code = UInt32(exactly: integer), let scalar = Unicode.Scalar(code) {
            return Text(String(scalar))
        }
        throw .operation("%c requires int or char")
    }

    private func digits(_ magnitude: UInt, _ radix: Int, _ specification: Specification) -> String {
        let digits = String(magnitude, radix: radix)
        let missing = min(specification.precision ?? 0, 1000) - digits.count
        return missing > 0 ? String(repeating: "0", count: missing) + digits : digits
    }

    private mutating func writeNumber(
        _ digits: String,
        _ isNegative: Bool,
        _ specification: Specification,
        prefix: String = ""
    ) throws(TemplateError) {
        let sign = isNegative ? "-" : specification.showsPlus ? "+" : specification.showsSpace ? " " : ""
        let head = sign + prefix
        guard specification.isZeroFilled, !specification.isLeft else {
            return try pad(Text(head + digits), specification)
        }
        try builder.append(head, .format)
        try builder.append(Text("0"), times: specification.width - head.count - digits.count)
        try builder.append(digits, .format)
    }

    private mutating func pad(_ text: Text, _ specification: Specification) throws(TemplateError) {
        let missing = specification.width - text.length
        if !specification.isLeft { try builder.append(Text(" "), times: missing) }
        try builder.append(text)
        if specification.isLeft { try builder.append(Text(" "), times: missing) }
    }
}
