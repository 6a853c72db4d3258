/// Checks a JSON text.
struct JSONReader {
    private static let deepest = 64
    /// Objects and arrays of more bytes are long.
    private static let longest = 4096

    private let input: [UInt8]
    private let name: String
    private var position = 0
    private var ends: [UInt32: UInt32] = [:]

    /// Where long objects and arrays end, by where they begin.
    /// - Parameter name: the file's, for messages.
    static func ends(of input: [UInt8], named name: String) throws(TokenizerError) -> [UInt32: UInt32] {
        guard input.count < Int32.max else { throw TokenizerError("\(name): too large") }
        guard input.isUTF8 else { throw TokenizerError("\(name): not JSON: it is not UTF-8") }
        var reader = JSONReader(input: input, name: name)
        try reader.value(depth: 0)
        reader.skipSpace()
        guard reader.position == input.count else { throw reader.fault("something follows the value") }
        return reader.ends
    }

    private init(input: [UInt8], name: String) {
        self.input = input
        self.name = name
    }

    private func fault(_ what: String) -> TokenizerError {
        TokenizerError("\(name): not JSON: \(what) (byte \(position))")
    }

    private var next: UInt8? { position < input.count ? input[position] : nil }

    private mutating func skipSpace() {
        while let byte = next, Self.isSpace(byte) { position += 1 }
    }

    private mutating func take(_ byte: Character) -> Bool {
        guard next == byte.asciiValue else { return false }
        position += 1
        return true
    }

    private mutating func value(depth: Int) throws(TokenizerError) {
        guard depth < Self.deepest else { throw fault("nested too deeply") }
        skipSpace()
        let start = position
        switch next {
        case UInt8(ascii: "{"): try object(depth: depth)
        case UInt8(ascii: "["): try array(depth: depth)
        case UInt8(ascii: "\""): try string()
        case UInt8(ascii: "t"): try word("true")
        case UInt8(ascii: "f"): try word("false")
        case UInt8(ascii: "n"): try word("null")
        // What Python writes for numbers that JSON does not know.
        case UInt8(ascii: "N"): try word("NaN")
        case UInt8(ascii: "I"): try word("Infinity")
        case nil: throw fault("it ends too early")
        default: try number()
        }
        if position - start > Self.longest, input[start] != UInt8(ascii: "\"") {
            ends[UInt32(truncatingIfNeeded: start)] = UInt32(truncatingIfNeeded: position)
        }
    }

    private mutating func word(_ spelling: String) throws(TokenizerError) {
        guard input[position...].starts(with: spelling.utf8) else { throw fault("no value") }
        position += spelling.utf8.count
    }

    private mutating func object(depth: Int) throws(TokenizerError) {
        position += 1
        skipSpace()
        if take("}") { return }
        while true {
            skipSpace()
            guard next == UInt8(ascii: "\"") else { throw fault("a member's name is missing") }
            try string()
            skipSpace()
            guard take(":") else { throw fault("a colon is missing") }
            try value(depth: depth + 1)
            skipSpace()
            if take("}") { return }
            guard take(",") else { throw fault("a comma or brace is missing") }
        }
    }

    private mutating func array(depth: Int) throws(TokenizerError) {
        position += 1
        skipSpace()
        if take("]") { return }
        while true {
            try value(depth: depth + 1)
            skipSpace()
            if take("]") { return }
            guard take(",") else { throw fault("a comma or bracket is missing") }
        }
    }

    private mutating func number() throws(TokenizerError) {
        if take("-"), next == UInt8(ascii: "I") { return try word("Infinity") }
        let whole = try digits()
        guard whole.count == 1 || input[whole.lowerBound] != UInt8(ascii: "0") else { throw fault("a leading zero") }
        if take(".") { _ = try digits() }
        if take("e") || take("E") {
            _ = take("+") || take("-")
            _ = try digits()
        }
    }

    private mutating func digits() throws(TokenizerError) -> Range<Int> {
        let start = position
        while let byte = next, Self.digit(byte) != nil { position += 1 }
        guard position > start else { throw fault("no value") }
        return start..<position
    }

    private mutating func string() throws(TokenizerError) {
        position += 1
        while let byte = next {
            position += 1
            switch byte {
            case UInt8(ascii: "\""): return
            case UInt8(ascii: "\\"): try escape()
            case 0..<0x20: throw fault("a control character in a string")
            default: break
            }
        }
        throw fault("a string without end")
    }

    private mutating func escape() throws(TokenizerError) {
        guard let letter = next else { throw fault("a string without end") }
        position += 1
        if letter == UInt8(ascii: "u") {
            let value = try hexadecimal()
            guard (0xD800..<0xE000).contains(value) else { return }
            guard value < 0xDC00, take("\\"), take("u"), (0xDC00..<0xE000).contains(try hexadecimal()) else {
                throw fault("half a surrogate pair")
            }
        } else if Self.escaped(letter) == nil {
            throw fault("an unknown escape")
        }
    }

    private mutating func hexadecimal() throws(TokenizerError) -> UInt32 {
        guard let value = Self.hexadecimal(input, at: position) else { throw fault("no hexadecimal digit") }
        position += 4
        return value
    }

    private static func hexadecimal(_ text: [UInt8], at index: Int) -> UInt32? {
        guard index + 4 <= text.count else { return nil }
        var value: UInt32 = 0
        for byte in text[index..<index + 4] {
            guard let digit = Character(Unicode.Scalar(byte)).hexDigitValue else { return nil }
            value = value << 4 | UInt32(digit)
        }
        return value
    }

    static func isSpace(_ byte: UInt8) -> Bool { byte == 0x20 || byte == 0x0A || byte == 0x0D || byte == 0x09 }

    static func isClosing(_ byte: UInt8) -> Bool { byte == UInt8(ascii: "}") || byte == UInt8(ascii: "]") }

    /// Whether a number or word goes on with this byte.
    static func isPlain(_ byte: UInt8) -> Bool {
        !isSpace(byte) && !isClosing(byte) && byte != UInt8(ascii: ",")
    }

    static func digit(_ byte: UInt8) -> UInt8? {
        byte >= UInt8(ascii: "0") && byte <= UInt8(ascii: "9") ? byte - UInt8(ascii: "0") : nil
    }

    /// What a letter after a backslash stands for, `u` apart.
    private static func escaped(_ letter: UInt8) -> UInt8? {
        switch letter {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): letter
        case UInt8(ascii: "b"): 0x08
        case UInt8(ascii: "f"): 0x0C
        case UInt8(ascii: "n"): 0x0A
        case UInt8(ascii: "r"): 0x0D
        case UInt8(ascii: "t"): 0x09
        default: nil
        }
    }

    /// Appends what an escape of a checked text stands for, and goes past it.
    static func appendEscape(of text: [UInt8], at index: inout Int, to result: inout [UInt8]) {
        let letter = text[index + 1]
        index += 2
        if let byte = escaped(letter) { return result.append(byte) }
        var value = hexadecimal(text, at: index) ?? 0xFFFD
        index += 4
        if (0xD800..<0xDC00).contains(value), let low = hexadecimal(text, at: index + 2) {
            value = 0x10000 + (value - 0xD800) << 10 + (low - 0xDC00)
            index += 6
        }
        result += String(Unicode.Scalar(value) ?? "\u{FFFD}").utf8
    }
}
