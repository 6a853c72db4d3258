/// How one value is written in either of Python's formatting languages: `{:>8}`, `%-8.3f`.
struct FormatSpecification {
    var fill: Text?
    /// `<`, `>`, `^`, or `=`: between the sign and the digits.
    var align: Unicode.Scalar?
    /// `+` or a space before numbers that are not negative.
    var sign: Unicode.Scalar?
    var isAlternate = false
    var isZeroFilled = false
    /// The least length, in characters.
    var width = 0
    var grouping: Unicode.Scalar?
    var precision: Int?
    var type: Unicode.Scalar?

    init() {}

    /// Reads `[[fill]align][sign][z][#][0][width][grouping][.precision][type]`.
    init(_ text: Text) throws(TemplateError) {
        var cursor = TextCursor(text)
        if !text.isEmpty, case let end = text.scalar(at: 0).end, end < text.count,
            "<>=^".utf8.contains(text[end])
        {
            fill = text[0..<end]
            cursor.offset = end
        }
        align = cursor.take("<>=^")
        sign = cursor.take("+- ")
        _ = cursor.take("z")
        isAlternate = cursor.take("#") != nil
        isZeroFilled = cursor.take("0") != nil
        width = try cursor.takeNumber() ?? 0
        grouping = cursor.take(",_")
        if cursor.take(".") != nil {
            guard let digits = try cursor.takeNumber() else { throw .operation("Format specifier missing precision") }
            precision = digits
        }
        type = cursor.take("bcdeEfFgGnosxX%")
        guard cursor.current == nil else { throw .operation("Invalid format specifier '\(text.string)'") }
    }

    /// Python's `format(value, specification)`.
    func formatted(_ value: Value, _ budget: Budget) throws(TemplateError) -> Text {
        switch value {
        case .text(let text):
            guard type == nil || type == "s", sign == nil, !isAlternate, grouping == nil, align != "=" else {
                throw .operation("Invalid format specifier for object of type 'str'")
            }
            return try padded(try cut(text, budget), budget)
        case .bool, .integer, .number:
            let isInteger = type.map { "bcdnoxX".unicodeScalars.contains($0) } ?? true
            if isInteger, let integer = value.integer {
                guard precision == nil else { throw .operation("Precision not allowed in integer format specifier") }
                return try formatted(integer, budget)
            }
            let isFloat = type.map { "eEfFgGn%".unicodeScalars.contains($0) } ?? true
            guard isFloat, let number = value.double else {
                throw .operation("Unknown format code for object of type '\(value.typeName)'")
            }
            return try formatted(number, budget)
        default: throw .operation("unsupported format string passed to \(value.typeName).__format__")
        }
    }

    /// An integer, with the letter that `type` has for it.
    func formatted(_ integer: Int, _ budget: Budget) throws(TemplateError) -> Text {
        let radix: Int
        switch type {
        case "c":
            guard sign == nil, !isAlternate, grouping == nil, let code = UInt32(exactly: integer),
                let scalar = Unicode.Scalar(code)
            else { throw .operation("%c arg not in range(0x110000), or not with these flags") }
            return try padded(Text(String(scalar)), isNumber: true, budget)
        case "b": radix = 2
        case "o": radix = 8
        case "x", "X": radix = 16
        default: radix = 10
        }
        guard grouping == nil || (grouping == "," ? radix == 10 : true) && type != "n" else {
            throw .operation("Cannot specify a grouping with this type")
        }
        let digits = String(integer.magnitude, radix: radix, uppercase: type == "X")
        let prefix = isAlternate && radix != 10 ? "0" + (type.map { String($0) } ?? "") : ""
        return try formatted(digits, isNegative: integer < 0, prefix: prefix, groupSize: radix == 10 ? 3 : 4, budget)
    }

    /// A number with the letter that `type` has for it, `repr`'s digits if it has none.
    func formatted(_ number: Double, _ budget: Budget) throws(TemplateError) -> Text {
        guard grouping == nil || type != "n" else { throw .operation("Cannot specify a grouping with 'n'.") }
        let magnitude = number.magnitude
        let digits: String
        switch type {
        case nil: digits = try shortest(magnitude)
        case "%": digits = try decimals(magnitude * 100, "f") + "%"
        case "n": digits = try decimals(magnitude, "g")
        case let type?: digits = try decimals(magnitude, String(type))
        }
        return try formatted(digits, isNegative: number.sign == .minus && !number.isNaN, budget)
    }

    private func shortest(_ magnitude: Double) throws(TemplateError) -> String {
        if let precision {
            return try NumberText.short(magnitude, precision: precision, isAlternate: isAlternate)
        }
        let digits = NumberText.repr(magnitude)
        return isAlternate && !digits.contains(".") ? digits.replacing("e", with: ".e") : digits
    }

    private func decimals(_ magnitude: Double, _ conversion: String) throws(TemplateError) -> String {
        try NumberText.formatted(magnitude, conversion, precision: precision ?? 6, isAlternate: isAlternate)
    }

    /// Digits with their sign, grouped and padded.
    func formatted(
        _ digits: String,
        isNegative: Bool,
        prefix: String = "",
        groupSize: Int = 3,
        _ budget: Budget
    ) throws(TemplateError) -> Text {
        let head = (isNegative ? "-" : sign == "+" ? "+" : sign == " " ? " " : "") + prefix
        guard let grouping, digits.first?.isNumber == true else {
            return try padded(Text(digits), head: head, isNumber: true, budget)
        }
        var whole = digits.prefix { $0.isHexDigit && ($0.isNumber || groupSize == 4) }
        let rest = digits.dropFirst(whole.count)
        if effectiveAlign(isNumber: true) == "=", effectiveFill == Text("0") {
            // Zeros that fill are grouped too.
            let room = width - head.count - rest.count
            try budget.spend(bytes: max(0, room))
            let wanted = room - room / (groupSize + 1) + (room.isMultiple(of: groupSize + 1) ? 1 : 0)
            let missing = wanted - whole.count
            if missing > 0 { whole = String(repeating: "0", count: missing) + whole }
        }
        let count = whole.utf8.count
        try budget.spend(bytes: count + count / groupSize)
        var grouped = ""
        for (index, digit) in whole.utf8.enumerated() {
            if index > 0, (count - index).isMultiple(of: groupSize) { grouped.unicodeScalars.append(grouping) }
            grouped.unicodeScalars.append(Unicode.Scalar(digit))
        }
        return try padded(Text(grouped + rest), head: head, isNumber: true, budget)
    }

    /// The beginning of a text that the precision leaves.
    func cut(_ text: Text, _ budget: Budget) throws(TemplateError) -> Text {
        guard let precision else { return text }
        return try text.sliced(
            try SliceIndices(start: 0, stop: precision, step: 1, length: text.length),
            budget
        )
    }

    private var effectiveFill: Text { fill ?? Text(isZeroFilled ? "0" : " ") }

    private func effectiveAlign(isNumber: Bool) -> Unicode.Scalar {
        align ?? (isNumber ? isZeroFilled ? "=" : ">" : "<")
    }

    /// A text with what is missing to the width.
    func padded(
        _ body: Text,
        head: String = "",
        isNumber: Bool = false,
        _ budget: Budget
    ) throws(TemplateError) -> Text {
        let align = effectiveAlign(isNumber: isNumber)
        let missing = max(0, width - head.count - body.length)
        let left = align == ">" ? missing : align == "^" ? missing / 2 : 0
        let middle = align == "=" ? missing : 0
        var builder = TextBuilder(budget)
        try builder.append(effectiveFill, times: left)
        try builder.append(head, .template)
        try builder.append(effectiveFill, times: middle)
        try builder.append(body)
        try builder.append(effectiveFill, times: missing - left - middle)
        return builder.finish()
    }
}

/// Reads a text of one of the formatting languages character by character.
struct TextCursor {
    let text: Text
    /// In bytes.
    var offset = 0

    init(_ text: Text) { self.text = text }

    var current: Unicode.Scalar? { offset < text.count ? text.scalar(at: offset).value : nil }

    /// The next character.
    mutating func next() -> Unicode.Scalar? {
        guard let scalar = current else { return nil }
        offset += scalar.utf8.count
        return scalar
    }

    /// The next character if it is one of these.
    mutating func take(_ scalars: String) -> Unicode.Scalar? {
        guard let scalar = current, scalars.unicodeScalars.contains(scalar) else { return nil }
        return next()
    }

    /// The text up to one of these characters, or to the end.
    mutating func takeText(until scalars: String) -> Text {
        let start = offset
        while offset < text.count, !scalars.utf8.contains(text[offset]) { offset += 1 }
        return text[start..<offset]
    }

    /// A decimal number.
    mutating func takeNumber() throws(TemplateError) -> Int? {
        var number: Int?
        while let digit = take("0123456789") {
            guard (number ?? 0) < 1 << 40 else { throw .limit("a format's number is too large") }
            number = (number ?? 0) * 10 + Int(digit.value - 0x30)
        }
        return number
    }
}
