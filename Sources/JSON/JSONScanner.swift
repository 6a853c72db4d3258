/// Checks a JSON text in one pass, and notes where its long values end.
struct JSONScanner {
    /// Values of more bytes are long.
    static let longest = 256

    struct LongValue: Sendable {
        var start: UInt32
        var end: UInt32
    }

    private let text: [UInt8]
    private let allowsPythonNumbers: Bool
    private var remainingDepth: Int
    private var position = 0
    /// In the order of their starts. Containers on the way are in it with an end of 0.
    private var longValues: [LongValue] = []

    /// The long values of a text.
    /// - Throws: `JSONError` if it is not JSON or not within the limits.
    static func longValues(of text: [UInt8], _ limits: JSONLimits) throws(JSONError) -> [LongValue] {
        guard text.count <= limits.bytes else { throw JSONError(.tooLong(most: limits.bytes)) }
        var scanner = JSONScanner(text, limits)
        scanner.skipSpace()
        try scanner.value()
        scanner.skipSpace()
        guard scanner.position == text.count else { throw scanner.fault("unexpected bytes after the JSON value") }
        return scanner.longValues
    }

    private init(_ text: [UInt8], _ limits: JSONLimits) {
        self.text = text
        allowsPythonNumbers = limits.allowsPythonNumbers
        remainingDepth = limits.depth
    }

    private func fault(_ what: String) -> JSONError { JSONError(.syntax(what, byte: position)) }

    private var current: UInt8? { position < text.count ? text[position] : nil }

    private mutating func skipSpace() {
        while position < text.count {
            switch text[position] {
            case 0x20, 0x0A, 0x0D, 0x09: position += 1
            default: return
            }
        }
    }

    private mutating func take(_ byte: UInt8) -> Bool {
        guard current == byte else { return false }
        position += 1
        return true
    }

    private mutating func value() throws(JSONError) {
        guard let first = current else { throw fault("unexpected end") }
        let start = position
        switch first {
        case UInt8(ascii: "{"): return try object()
        case UInt8(ascii: "["): return try array()
        case UInt8(ascii: "\""): try string()
        case UInt8(ascii: "t"): try word("true")
        case UInt8(ascii: "f"): try word("false")
        case UInt8(ascii: "n"): try word("null")
        case UInt8(ascii: "N") where allowsPythonNumbers: try word("NaN")
        case UInt8(ascii: "I") where allowsPythonNumbers: try word("Infinity")
        case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"): try number()
        default: throw fault("unexpected byte")
        }
        if position - start > Self.longest { longValues.append(longValue(from: start)) }
    }

    private func longValue(from start: Int) -> LongValue {
        LongValue(start: UInt32(truncatingIfNeeded: start), end: UInt32(truncatingIfNeeded: position))
    }

    private mutating func word(_ word: StaticString) throws(JSONError) {
        guard word.withUTF8Buffer({ text[position...].starts(with: $0) }) else { throw fault("unexpected byte") }
        position += word.utf8CodeUnitCount
    }

    // MARK: Arrays and objects

    /// Goes past the bracket or brace at the beginning.
    private mutating func open() throws(JSONError) {
        guard remainingDepth > 0 else { throw fault("nested too deeply") }
        remainingDepth -= 1
        longValues.append(LongValue(start: UInt32(truncatingIfNeeded: position), end: 0))
        position += 1
        skipSpace()
    }

    /// Goes past the bracket or brace at the end, if it is there.
    /// - Parameter entry: the container's place among the long values. One that is short has none but short values
    ///   inside, so its entry is the last.
    private mutating func close(_ end: UInt8, _ entry: Int) -> Bool {
        guard take(end) else { return false }
        remainingDepth += 1
        let start = Int(longValues[entry].start)
        if position - start > Self.longest {
            longValues[entry] = longValue(from: start)
        } else {
            longValues.removeLast()
        }
        return true
    }

    /// Goes past a comma to the next value, or past the end.
    private mutating func goesOn(or end: UInt8, _ entry: Int) throws(JSONError) -> Bool {
        skipSpace()
        if close(end, entry) { return false }
        guard take(UInt8(ascii: ",")) else {
            throw fault(current == nil ? "unexpected end" : "expected ',' or '\(Character(Unicode.Scalar(end)))'")
        }
        skipSpace()
        return true
    }

    private mutating func array() throws(JSONError) {
        let entry = longValues.count
        try open()
        if close(UInt8(ascii: "]"), entry) { return }
        repeat { try value() } while try goesOn(or: UInt8(ascii: "]"), entry)
    }

    private mutating func object() throws(JSONError) {
        let entry = longValues.count
        try open()
        if close(UInt8(ascii: "}"), entry) { return }
        repeat {
            guard current == UInt8(ascii: "\"") else { throw fault("expected a member's name") }
            let start = position
            try string()
            if position - start > Self.longest { longValues.append(longValue(from: start)) }
            skipSpace()
            guard take(UInt8(ascii: ":")) else { throw fault("expected ':'") }
            skipSpace()
            try value()
        } while try goesOn(or: UInt8(ascii: "}"), entry)
    }

    // MARK: Numbers

    private mutating func number() throws(JSONError) {
        let isNegative = take(UInt8(ascii: "-"))
        if isNegative, allowsPythonNumbers, current == UInt8(ascii: "I") { return try word("Infinity") }
        if !take(UInt8(ascii: "0")) { try digits() }
        if take(UInt8(ascii: ".")) { try digits() }
        if take(UInt8(ascii: "e")) || take(UInt8(ascii: "E")) {
            _ = take(UInt8(ascii: "+")) || take(UInt8(ascii: "-"))
            try digits()
        }
    }

    private mutating func digits() throws(JSONError) {
        let start = position
        while let byte = current, byte >= UInt8(ascii: "0"), byte <= UInt8(ascii: "9") { position += 1 }
        guard position > start else { throw fault("malformed number") }
    }

    // MARK: Strings

    private mutating func string() throws(JSONError) {
        position += 1
        while true {
            let start = position
            let plain = text.endOfPlainText(from: start, before: text.count)
            position = plain.end
            guard plain.isASCII || text.isUTF8(start..<position) else { throw fault("invalid UTF-8 in a string") }
            guard position < text.count else { throw fault("unterminated string") }
            position += 1
            switch text[plain.end] {
            case UInt8(ascii: "\""): return
            case UInt8(ascii: "\\"): try escape()
            default: throw fault("control character in a string")
            }
        }
    }

    /// Goes past an escape, the backslash of which is behind.
    private mutating func escape() throws(JSONError) {
        guard let letter = current else { throw fault("unterminated string") }
        position += 1
        switch letter {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"), UInt8(ascii: "b"), UInt8(ascii: "f"),
            UInt8(ascii: "n"), UInt8(ascii: "r"), UInt8(ascii: "t"):
            break
        case UInt8(ascii: "u"):
            guard Self.codeUnit(text, at: position) != nil else { throw fault("malformed \\u escape") }
            position += 4
        default: throw fault("unknown escape in a string")
        }
    }

    /// The value of four hexadecimal digits.
    static func codeUnit(_ text: [UInt8], at index: Int) -> UInt16? {
        guard index + 4 <= text.count else { return nil }
        var value: UInt16 = 0
        for place in index..<(index + 4) {
            let digit: UInt8
            switch text[place] {
            case UInt8(ascii: "0")...UInt8(ascii: "9"): digit = text[place] - UInt8(ascii: "0")
            case UInt8(ascii: "A")...UInt8(ascii: "F"): digit = text[place] - UInt8(ascii: "A") + 10
            case UInt8(ascii: "a")...UInt8(ascii: "f"): digit = text[place] - UInt8(ascii: "a") + 10
            default: return nil
            }
            value = value << 4 | UInt16(digit)
        }
        return value
    }
}
