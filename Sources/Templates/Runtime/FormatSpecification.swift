/// Python's format specifications: `[[fill]align][sign][#][0][width][grouping][.precision][type]`.
struct FormatSpecification {
    private var fill: Text?
    private var align: UInt8?
    private var sign: UInt8?
    private var isAlternate = false
    private var isZeroFilled = false
    private var width = 0
    private var grouping: UInt8?
    private var precision: Int?
    private var type: UInt8?

    /// `format(value, specification)`.
    static func apply(
        _ specification: Text,
        to value: Value,
        _ interpreter: Interpreter
    ) throws(TemplateError) -> Text {
        if specification.isEmpty { return try interpreter.string(value) }
        let parsed = try FormatSpecification(specification)
        switch value {
        case .text(let text): return try parsed.text(text, interpreter)
        case .bool, .integer, .number: return try parsed.number(value, interpreter)
        default: throw .operation("unsupported format string passed to \(value.typeName).__format__")
        }
    }

    private static let aligns = Array("<>=^".utf8)

    private init(_ text: Text) throws(TemplateError) {
        var offset = 0
        var current: UInt8? { offset < text.count ? text[offset] : nil }
        func skip(_ bytes: String) -> UInt8? {
            guard let byte = current, bytes.utf8.contains(byte) else { return nil }
            offset += 1
            return byte
        }
        func number() throws(TemplateError) -> Int? {
            var number: Int?
            while let byte = current, byte.isDigit {
                guard (number ?? 0) < 1 << 40 else { throw .limit("a format's number is too large") }
                number = (number ?? 0) * 10 + Int(byte - 0x30)
                offset += 1
            }
            return number
        }
        if !text.isEmpty {
            let end = text.scalar(at: 0).end
            if end < text.count, FormatSpecification.aligns.contains(text[end]) {
                fill = text[0..<end]
                offset = end
            }
        }
        align = skip("<>=^")
        sign = skip("+- ")
        _ = skip("z")
        isAlternate = skip("#") != nil
        isZeroFilled = skip("0") != nil
        width = try number() ?? 0
        grouping = skip(",_")
        if skip(".") != nil {
            guard let digits = try number() else { throw .operation("Format specifier missing precision") }
            precision = digits
        }
        type = skip("bcdeEfFgGnosxX%")
        guard offset == text.count else { throw .operation("Invalid format specifier '\(text.string)'") }
    }

    private func text(_ text: Text, _ interpreter: Interpreter) throws(TemplateError) -> Text {
        guard type == nil || type == UInt8(ascii: "s") else {
            throw .operation("Unknown format code for object of type 'str'")
        }
        guard sign == nil, !isAlternate, grouping == nil, align != UInt8(ascii: "=") else {
            throw .operation("Invalid format specifier for a string")
        }
        var text = text
        if let precision {
            let indices = try SliceIndices(start: 0, stop: precision, step: 1, length: text.length)
            text = try text.sliced(indices, interpreter.budget)
        }
        return try padded(text, head: .empty, absent: UInt8(ascii: "<"), interpreter)
    }

    private func number(_ value: Value, _ interpreter: Interpreter) throws(TemplateError) -> Text {
        let isNegative: Bool
        let (prefix, digits): (String, String)
        if let integer = value.integer, type.map({ "bcdnoxX".utf8.contains($0) }) ?? true {
            isNegative = integer < 0
            (prefix, digits) = try integerDigits(integer)
        } else {
            guard let number = value.double else { throw .operation("a number is needed") }
            guard type.map({ "eEfFgGn%".utf8.contains($0) }) ?? true else {
                throw .operation("Unknown format code for object of type '\(value.typeName)'")
            }
            isNegative = number.sign == .minus && !number.isNaN
            (prefix, digits) = ("", try floatDigits(number.magnitude))
        }
        let signText =
            isNegative ? "-" : sign == UInt8(ascii: "+") ? "+" : sign == UInt8(ascii: " ") ? " " : ""
        return try padded(Text(digits), head: Text(signText + prefix), absent: UInt8(ascii: ">"), interpreter)
    }

    private func integerDigits(_ integer: Int) throws(TemplateError) -> (prefix: String, digits: String) {
        guard precision == nil else { throw .operation("Precision not allowed in integer format specifier") }
        switch type {
        case UInt8(ascii: "c"):
            guard let code = UInt32(exactly: integer), let scalar = Unicode.Scalar(code) else {
                throw .operation("%c arg not in range(0x110000)")
            }
            return ("", String(scalar))
        case UInt8(ascii: "b"): return (isAlternate ? "0b" : "", String(integer.magnitude, radix: 2))
        case UInt8(ascii: "o"): return (isAlternate ? "0o" : "", String(integer.magnitude, radix: 8))
        case UInt8(ascii: "x"): return (isAlternate ? "0x" : "", String(integer.magnitude, radix: 16))
        case UInt8(ascii: "X"):
            return (isAlternate ? "0X" : "", String(integer.magnitude, radix: 16, uppercase: true))
        default: return ("", grouped(String(integer.magnitude)))
        }
    }

    private func floatDigits(_ magnitude: Double) throws(TemplateError) -> String {
        let letter = type.map { String(Unicode.Scalar($0)) }
        switch letter {
        case nil:
            guard let precision else { return grouped(NumberText.repr(magnitude)) }
            // Like "g", but a whole number keeps a fraction.
            let text = try NumberText.formatted(magnitude, "g", precision: max(precision, 1))
            let isWhole = magnitude.isFinite && !text.contains(".") && !text.contains("e")
            return grouped(isWhole ? text + ".0" : text)
        case "%": return grouped(try NumberText.formatted(magnitude * 100, "f", precision: precision ?? 6)) + "%"
        case "n": return try NumberText.formatted(magnitude, "g", precision: precision ?? 6)
        case "F": return grouped(try NumberText.formatted(magnitude, "f", precision: precision ?? 6).uppercased())
        case .some(let letter):
            return grouped(
                try NumberText.formatted(magnitude, letter, precision: precision ?? 6, isAlternate: isAlternate)
            )
        }
    }

    /// With the grouping character between every three digits of the whole part.
    private func grouped(_ digits: String) -> String {
        guard let grouping, digits.first?.isNumber == true else { return digits }
        let whole = digits.prefix { $0.isNumber }
        var result = ""
        for (index, digit) in whole.enumerated() {
            if index > 0, (whole.count - index) % 3 == 0 { result.unicodeScalars.append(Unicode.Scalar(grouping)) }
            result.append(digit)
        }
        return result + digits.dropFirst(whole.count)
    }

    private func padded(
        _ body: Text,
        head: Text,
        absent: UInt8,
        _ interpreter: Interpreter
    ) throws(TemplateError) -> Text {
        let isNumber = absent == UInt8(ascii: ">")
        let fill = self.fill ?? Text(isZeroFilled ? "0" : " ")
        let align = self.align ?? (isZeroFilled && isNumber ? UInt8(ascii: "=") : absent)
        let missing = max(0, width - head.length - body.length)
        var builder = TextBuilder(interpreter.budget)
        let left = align == UInt8(ascii: ">") ? missing : align == UInt8(ascii: "^") ? missing / 2 : 0
        try builder.append(fill, times: left)
        try builder.append(head)
        if align == UInt8(ascii: "=") { try builder.append(fill, times: missing) }
        try builder.append(body)
        if align != UInt8(ascii: "=") { try builder.append(fill, times: missing - left) }
        return builder.finish()
    }
}
