/// Python's `json.dumps`, with the settings that the `tojson` of chat templates takes.
struct JSONText {
    struct Style {
        var isASCII = false
        /// What a level of nesting is indented by; nil keeps all in one line.
        var indent: Text?
        var itemSeparator = Text(", ", .input)
        var keySeparator = Text(": ", .input)
        var sortsKeys = false

        /// Whether a value that comes as JSON is written as it came.
        var keepsSpelling: Bool { !isASCII && indent == nil && !sortsKeys }
    }

    private(set) var builder: TextBuilder
    private let style: Style
    private let budget: Budget
    private var level = 0

    init(_ style: Style, _ budget: Budget) {
        self.style = style
        self.budget = budget
        builder = TextBuilder(budget)
    }

    /// As in `Repr`, what is written around values counts as input.
    private mutating func put(_ text: String) throws(TemplateError) { try builder.append(text, .input) }

    mutating func write(_ value: Value) throws(TemplateError) {
        switch value {
        case .none: try put("null")
        case .bool(let flag): try put(flag ? "true" : "false")
        case .integer(let integer): try put(String(integer))
        case .number(let number): try put(JSONText.spelling(number))
        case .text(let text): try write(text)
        case .list(let list), .tuple(let list): try write(list)
        case .dict(let dict): try write(dict)
        default: throw .operation("Object of type \(value.typeName) is not JSON serializable")
        }
    }

    private static func spelling(_ number: Double) -> String {
        if number.isNaN { return "NaN" }
        if number.isInfinite { return number < 0 ? "-Infinity" : "Infinity" }
        return NumberText.repr(number)
    }

    private mutating func startLine() throws(TemplateError) {
        guard let indent = style.indent else { return }
        try put("\n")
        try builder.append(indent, times: level)
    }

    private mutating func write(_ list: ListValue) throws(TemplateError) {
        if let spelling = list.spelling, style.keepsSpelling { return try builder.append(spelling) }
        if list.isEmpty { return try put("[]") }
        try put("[")
        level += 1
        for index in 0..<list.count {
            if index > 0 { try builder.append(style.itemSeparator) }
            try startLine()
            try write(list[index])
        }
        level -= 1
        try startLine()
        try put("]")
    }

    private mutating func write(_ dict: DictValue) throws(TemplateError) {
        if let spelling = dict.spelling, style.keepsSpelling { return try builder.append(spelling) }
        if dict.count == 0 { return try put("{}") }
        try put("{")
        level += 1
        var order = Array(0..<dict.count)
        if style.sortsKeys {
            order = try order.stablySorted { (left, right) throws(TemplateError) in
                try Comparison.isLess(dict.keys[left], dict.keys[right], budget)
            }
        }
        for (place, index) in order.enumerated() {
            if place > 0 { try builder.append(style.itemSeparator) }
            try startLine()
            try write(try JSONText.key(dict.keys[index]))
            try builder.append(style.keySeparator)
            try write(dict.values[index])
        }
        level -= 1
        try startLine()
        try put("}")
    }

    /// A key as the text that JSON wants.
    private static func key(_ key: Value) throws(TemplateError) -> Text {
        switch key {
        case .text(let text): return text
        case .none: return Text("null", .input)
        case .bool(let flag): return Text(flag ? "true" : "false", .input)
        case .integer(let integer): return Text(String(integer), .input)
        case .number(let number): return Text(spelling(number), .input)
        default: throw .operation("keys must be str, int, float, bool or None, not \(key.typeName)")
        }
    }

    private mutating func write(_ text: Text) throws(TemplateError) {
        try put("\"")
        var start = 0
        var offset = 0
        while offset < text.count {
            let byte = text[offset]
            if byte >= 0x20, byte < 0x80, byte != UInt8(ascii: "\""), byte != UInt8(ascii: "\\"), byte != 0x7F {
                offset += 1
                continue
            }
            let (scalar, end) = text.scalar(at: offset)
            if let escape = escape(scalar) {
                try builder.append(text[start..<offset])
                try builder.append(escape, text.origin(at: offset))
                start = end
            }
            offset = end
        }
        try builder.append(text[start..<text.count])
        try put("\"")
    }

    private func escape(_ scalar: Unicode.Scalar) -> String? {
        switch scalar {
        case "\"": return "\\\""
        case "\\": return "\\\\"
        case "\n": return "\\n"
        case "\r": return "\\r"
        case "\t": return "\\t"
        case "\u{8}": return "\\b"
        case "\u{C}": return "\\f"
        default:
            guard scalar.value < 0x20 || (style.isASCII && scalar.value > 0x7E) else {
                return nil
            }
            return UTF16.encode(scalar)?.map { unit in
                let digits = String(unit, radix: 16)
                return "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
            }.joined()
        }
    }
}

extension Array {
    /// Sorted so that equal elements keep their order, which `Array.sort` does not guarantee.
    func stablySorted(
        by isLess: (Element, Element) throws(TemplateError) -> Bool
    ) throws(TemplateError) -> [Element] {
        guard count > 1 else { return self }
        let middle = count / 2
        let left = try Array(self[..<middle]).stablySorted(by: isLess)
        let right = try Array(self[middle...]).stablySorted(by: isLess)
        var result: [Element] = []
        result.reserveCapacity(count)
        var (first, second) = (0, 0)
        while first < left.count, second < right.count {
            if try isLess(right[second], left[first]) {
                result.append(right[second])
                second += 1
            } else {
                result.append(left[first])
                first += 1
            }
        }
        return result + left[first...] + right[second...]
    }
}
