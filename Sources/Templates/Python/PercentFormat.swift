/// Python's `format % values`.
struct PercentFormat {
    private var cursor: TextCursor
    private let interpreter: Interpreter
    /// The values, if they go by their order.
    private let values: [Value]
    private var nextValue = 0
    /// The mapping that names look into.
    private let mapping: DictValue?
    private var builder: TextBuilder

    static func formatted(_ format: Text, _ operand: Value, _ interpreter: Interpreter) throws(TemplateError) -> Text {
        try interpreter.budget.spend(bytes: format.count)
        var formatter = PercentFormat(format, operand, interpreter)
        try formatter.run()
        // Python lets values be left over if there is one that can be subscripted.
        switch operand {
        case .dict, .list, .range, .undefined: break
        default:
            guard formatter.nextValue == formatter.values.count else {
                throw .operation("not all arguments converted during string formatting")
            }
        }
        let result = formatter.builder.finish()
        return format.isMarkup ? result.markup : result
    }

    private init(_ format: Text, _ operand: Value, _ interpreter: Interpreter) {
        cursor = TextCursor(format)
        self.interpreter = interpreter
        builder = TextBuilder(interpreter.budget)
        if case .tuple(let list) = operand { values = Array(list.elements) } else { values = [operand] }
        if case .dict(let dict) = operand { mapping = dict } else { mapping = nil }
    }

    private mutating func run() throws(TemplateError) {
        while cursor.current != nil {
            try builder.append(cursor.takeText(until: "%"))
            guard cursor.take("%") != nil else { break }
            if cursor.take("%") != nil {
                try builder.append(cursor.text[cursor.offset - 1..<cursor.offset])
            } else {
                try conversion()
            }
        }
    }

    private mutating func nextInOrder() throws(TemplateError) -> Value {
        guard nextValue < values.count else { throw .operation("not enough arguments for format string") }
        nextValue += 1
        return values[nextValue - 1]
    }

    /// `[(name)][flags][width][.precision][h|l|L]letter`
    private mutating func conversion() throws(TemplateError) {
        var specification = FormatSpecification()
        let named = cursor.take("(") == nil ? nil : try self.named()
        var (isLeft, isZeroFilled) = (false, false)
        while let flag = cursor.take("-+ 0#") {
            switch flag {
            case "-": isLeft = true
            case "0": isZeroFilled = true
            case "#": specification.isAlternate = true
            case "+": specification.sign = "+"
            default: specification.sign = specification.sign ?? " "
            }
        }
        let width = try number() ?? 0
        isLeft = isLeft || width < 0
        specification.width = Int(clamping: width.magnitude)
        if cursor.take(".") != nil { specification.precision = max(0, try number() ?? 0) }
        while cursor.take("hlL") != nil {}
        guard let letter = cursor.next() else { throw .operation("incomplete format") }
        let value = if let named { named } else { try nextInOrder() }
        let isText = "sarc".unicodeScalars.contains(letter)
        specification.align = isLeft ? "<" : isZeroFilled && !isText ? "=" : ">"
        if specification.align == "=" { specification.fill = Text("0") }
        try builder.append(isText ? try text(value, letter, specification) : try number(value, letter, specification))
    }

    private mutating func named() throws(TemplateError) -> Value {
        guard let mapping else { throw .operation("format requires a mapping") }
        let start = cursor.offset
        var depth = 1
        while depth > 0 {
            switch cursor.next() {
            case "(": depth += 1
            case ")": depth -= 1
            case nil: throw .operation("incomplete format key")
            default: break
            }
        }
        let name = cursor.text[start..<cursor.offset - 1]
        guard let value = mapping[name] else { throw .operation("there is no key '\(name.string)'") }
        return value
    }

    /// A number as it is written, or the next value for a `*`.
    private mutating func number() throws(TemplateError) -> Int? {
        guard cursor.take("*") != nil else { return try cursor.takeNumber() }
        guard let number = try nextInOrder().integer else { throw .operation("* wants int") }
        return number
    }

    private func text(
        _ value: Value,
        _ letter: Unicode.Scalar,
        _ specification: FormatSpecification
    ) throws(TemplateError) -> Text {
        let budget = interpreter.budget
        if letter == "c" {
            if case .text(let text) = value, text.length == 1 { return try specification.padded(text, budget) }
            guard let integer = value.integer, let code = UInt32(exactly: integer), let scalar = Unicode.Scalar(code)
            else { throw .operation("%c requires int or char") }
            return try specification.padded(Text(String(scalar)), budget)
        }
        var text = letter == "s" ? try interpreter.string(value) : try interpreter.repr(value, isASCII: letter == "a")
        if cursor.text.isMarkup { text = try interpreter.escaped(text) }
        return try specification.padded(try specification.cut(text, budget), budget)
    }

    private func number(
        _ value: Value,
        _ letter: Unicode.Scalar,
        _ specification: FormatSpecification
    ) throws(TemplateError) -> Text {
        var specification = specification
        specification.type = letter
        switch letter {
        case "e", "E", "f", "F", "g", "G":
            if case .undefined(let undefined) = value { throw undefined.error }
            guard let number = value.double else { throw .operation("must be real number, not \(value.typeName)") }
            return try specification.formatted(number, interpreter.budget)
        case "d", "i", "u": return try integer(try decimalDigits(value), specification)
        case "x", "X", "o":
            guard let integer = value.integer else {
                throw .operation("%\(letter) format: an integer is required, not \(value.typeName)")
            }
            let digits = String(integer.magnitude, radix: letter == "o" ? 8 : 16, uppercase: letter == "X")
            let prefix = specification.isAlternate ? "0\(letter)" : ""
            return try self.integer((digits, integer < 0), prefix: prefix, specification)
        default: throw .operation("unsupported format character '\(letter)'")
        }
    }

    /// The digits of a number without its fraction.
    private func decimalDigits(_ value: Value) throws(TemplateError) -> (digits: String, isNegative: Bool) {
        if case .undefined(let undefined) = value { throw undefined.error }
        if let integer = value.integer { return (String(integer.magnitude), integer < 0) }
        guard let number = value.double?.rounded(.towardZero), number.isFinite else {
            throw .operation("a finite number is required, not \(value.typeName)")
        }
        return (try NumberText.formatted(number.magnitude, "f", precision: 0), number < 0)
    }

    /// With zeros before the digits where the precision asks for more.
    private func integer(
        _ number: (digits: String, isNegative: Bool),
        prefix: String = "",
        _ specification: FormatSpecification
    ) throws(TemplateError) -> Text {
        let precision = specification.precision ?? 0
        guard precision <= NumberText.highestPrecision else { throw .limit("a number's precision is too high") }
        let zeros = String(repeating: "0", count: max(0, precision - number.digits.count))
        return try specification.formatted(
            zeros + number.digits,
            isNegative: number.isNegative,
            prefix: prefix,
            interpreter.budget
        )
    }
}
