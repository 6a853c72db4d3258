/// Reads JSON value by value, for files that may be long: nothing is kept but what the caller keeps.
///
/// What is read must be asked for in the order of the file; `skip` passes over a value of any kind.
struct JSONReader {
    private static let maxDepth = 64
    /// The last three are Python's numbers.
    private static let words: Set<String> = ["true", "false", "null", "NaN", "Infinity", "-Infinity"]

    private let file: FileBytes
    private let label: String
    private var position = 0
    private var depth = 0

    /// - Parameter label: how messages name the file.
    init(_ file: FileBytes, label: String) {
        self.file = file
        self.label = label
    }

    /// Reads an object; `member` must read the value of each key.
    mutating func object(
        _ member: (inout JSONReader, String) throws(ModelError) -> Void
    ) throws(ModelError) {
        try list(from: "{", to: "}", what: "an object") { (reader) throws(ModelError) in
            reader.skipSpace()
            let key = try reader.string()
            try reader.expect(":", what: "\":\"")
            try member(&reader, key)
        }
    }

    /// Reads an array; `element` must read each value.
    mutating func array(_ element: (inout JSONReader) throws(ModelError) -> Void) throws(ModelError) {
        try list(from: "[", to: "]", what: "an array", element)
    }

    private mutating func list(
        from opening: Unicode.Scalar,
        to closing: Unicode.Scalar,
        what: String,
        _ item: (inout JSONReader) throws(ModelError) -> Void
    ) throws(ModelError) {
        try expect(opening, what: what)
        guard depth < Self.maxDepth else { throw error("at most \(Self.maxDepth) levels are") }
        depth += 1
        defer { depth -= 1 }
        if take(closing) { return }
        repeat { try item(&self) } while take(",")
        try expect(closing, what: "\",\" or \"\(closing)\"")
    }

    mutating func integer() throws(ModelError) -> Int {
        skipSpace()
        let start = position
        if peek() == UInt8(ascii: "-") { position += 1 }
        while let byte = peek(), isDigit(byte) { position += 1 }
        let text = String(decoding: file.bytes[start..<position], as: UTF8.self)
        if let byte = peek(), [".", "e", "E"].contains(Unicode.Scalar(byte)) { throw error("a whole number is") }
        guard let value = Int(text) else { throw error("a whole number is") }
        return value
    }

    mutating func string() throws(ModelError) -> String {
        try expect("\"", what: "a string")
        let start = position
        while let byte = peek(), byte != UInt8(ascii: "\""), byte != UInt8(ascii: "\\"), byte >= 0x20 { position += 1 }
        var text = Array(file.bytes[start..<position])
        while true {
            switch next() {
            case UInt8(ascii: "\""):
                guard let string = String(validating: text, as: UTF8.self) else { throw error("UTF-8 is") }
                return string
            case UInt8(ascii: "\\"): text.append(contentsOf: try escape().utf8)
            case let byte? where byte >= 0x20: text.append(byte)
            default: throw error("the end of a string is")
            }
        }
    }

    private mutating func escape() throws(ModelError) -> String {
        switch next() {
        case UInt8(ascii: "\""): return "\""
        case UInt8(ascii: "\\"): return "\\"
        case UInt8(ascii: "/"): return "/"
        case UInt8(ascii: "b"): return "\u{8}"
        case UInt8(ascii: "f"): return "\u{c}"
        case UInt8(ascii: "n"): return "\n"
        case UInt8(ascii: "r"): return "\r"
        case UInt8(ascii: "t"): return "\t"
        case UInt8(ascii: "u"): return try unicodeEscape()
        default: throw error("an escape is")
        }
    }

    /// The four digits after `\u`, and those of the second half of a surrogate pair.
    private mutating func unicodeEscape() throws(ModelError) -> String {
        var units = [try codeUnit()]
        if UTF16.isLeadSurrogate(units[0]) {
            guard next() == UInt8(ascii: "\\"), next() == UInt8(ascii: "u") else { throw error("a surrogate pair is") }
            units.append(try codeUnit())
        }
        guard let text = String(validating: units, as: UTF16.self) else { throw error("a surrogate pair is") }
        return text
    }

    private mutating func codeUnit() throws(ModelError) -> UInt16 {
        var value: UInt16 = 0
        for _ in 0..<4 {
            guard let byte = next(), let digit = Character(Unicode.Scalar(byte)).hexDigitValue else {
                throw error("four hexadecimal digits are")
            }
            value = value << 4 | UInt16(digit)
        }
        return value
    }

    /// Passes over a value of any kind.
    mutating func skip() throws(ModelError) {
        skipSpace()
        switch peek() {
        case UInt8(ascii: "{"): try object { (reader, _) throws(ModelError) in try reader.skip() }
        case UInt8(ascii: "["): try array { (reader) throws(ModelError) in try reader.skip() }
        case UInt8(ascii: "\""): try skipString()
        default:
            let start = position
            while let byte = peek(), isDigit(byte) || isLetter(byte) || "+-.".utf8.contains(byte) { position += 1 }
            let text = String(decoding: file.bytes[start..<position], as: UTF8.self)
            guard Self.words.contains(text) || isNumber(text) else { throw error("a value is") }
        }
    }

    private mutating func skipString() throws(ModelError) {
        position += 1
        while let byte = next() {
            if byte == UInt8(ascii: "\"") { return }
            if byte < 0x20 || byte == UInt8(ascii: "\\") && next() == nil { break }
        }
        throw error("the end of a string is")
    }

    /// Nothing but white space may follow.
    mutating func end() throws(ModelError) {
        skipSpace()
        guard position == file.count else { throw error("the end is") }
    }

    // MARK: Bytes

    private func peek() -> UInt8? { position < file.count ? file.bytes[position] : nil }

    private mutating func next() -> UInt8? {
        guard let byte = peek() else { return nil }
        position += 1
        return byte
    }

    private mutating func skipSpace() {
        while let byte = peek(), byte == 0x20 || byte == 0x0a || byte == 0x0d || byte == 0x09 { position += 1 }
    }

    private mutating func take(_ scalar: Unicode.Scalar) -> Bool {
        skipSpace()
        guard peek() == UInt8(ascii: scalar) else { return false }
        position += 1
        return true
    }

    private mutating func expect(_ scalar: Unicode.Scalar, what: String) throws(ModelError) {
        guard take(scalar) else { throw error("\(what) is") }
    }

    private func isNumber(_ text: String) -> Bool {
        text.utf8.allSatisfy { isDigit($0) || "+-.eE".utf8.contains($0) } && Double(text) != nil
    }

    private func isDigit(_ byte: UInt8) -> Bool { UInt8(ascii: "0")...UInt8(ascii: "9") ~= byte }
    private func isLetter(_ byte: UInt8) -> Bool { UInt8(ascii: "a")...UInt8(ascii: "z") ~= byte | 0x20 }

    private func error(_ what: String) -> ModelError {
        ModelError("\(label): not valid JSON at byte \(position): \(what) expected")
    }
}
