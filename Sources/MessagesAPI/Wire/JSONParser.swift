/// A strict JSON parser (RFC 8259) with bounds on what a hostile text can cost.
///
/// A lone surrogate escape becomes U+FFFD; everything else outside the grammar is refused. Of members with one name
/// the last counts.
struct JSONParser {
    struct Failure: Error, Equatable {
        var message: String
        /// The byte where it was noticed.
        var offset: Int
    }

    struct Bounds {
        var depth = 200
        /// Values in all. A value costs some 50 bytes of memory whatever it takes in the text, and no honest request
        /// comes near.
        var values = 2_000_000
    }

    private let text: [UInt8]
    private var position = 0
    private var remainingDepth: Int
    private var remainingValues: Int

    private init(_ text: [UInt8], _ bounds: Bounds) {
        self.text = text
        remainingDepth = bounds.depth
        remainingValues = bounds.values
    }

    static func parse(_ text: [UInt8], bounds: Bounds = Bounds()) throws(Failure) -> JSON {
        var parser = JSONParser(text, bounds)
        parser.skipBlanks()
        let value = try parser.value()
        parser.skipBlanks()
        guard parser.position == text.count else { throw parser.failure("unexpected bytes after the JSON value") }
        return value
    }

    private func failure(_ message: String) -> Failure { Failure(message: message, offset: position) }

    private var current: UInt8? { position < text.count ? text[position] : nil }

    private mutating func skipBlanks() {
        while position < text.count {
            switch text[position] {
            case 0x20, 0x0A, 0x0D, 0x09: position += 1
            default: return
            }
        }
    }

    private mutating func value() throws(Failure) -> JSON {
        guard remainingValues > 0 else { throw failure("too many values") }
        remainingValues -= 1
        guard let first = current else { throw failure("unexpected end") }
        switch first {
        case UInt8(ascii: "{"): return try object()
        case UInt8(ascii: "["): return try array()
        case UInt8(ascii: "\""): return .string(try string())
        case UInt8(ascii: "t"): return try literal("true", .bool(true))
        case UInt8(ascii: "f"): return try literal("false", .bool(false))
        case UInt8(ascii: "n"): return try literal("null", .null)
        case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"): return try number()
        default: throw failure("unexpected byte")
        }
    }

    private mutating func literal(_ word: StaticString, _ value: JSON) throws(Failure) -> JSON {
        let length = word.utf8CodeUnitCount
        let matches = word.withUTF8Buffer { text[position...].starts(with: $0) }
        guard matches else { throw failure("unexpected byte") }
        position += length
        return value
    }

    /// Steps over the opening byte of an array or object.
    private mutating func enter() throws(Failure) {
        guard remainingDepth > 0 else { throw failure("nested too deeply") }
        remainingDepth -= 1
        position += 1
        skipBlanks()
    }

    /// Steps over the closing byte, if it is next.
    private mutating func leave(_ end: UInt8) -> Bool {
        guard current == end else { return false }
        position += 1
        remainingDepth += 1
        return true
    }

    private mutating func comma(or end: UInt8) throws(Failure) -> Bool {
        skipBlanks()
        if leave(end) { return false }
        guard current == UInt8(ascii: ",") else {
            throw failure(current == nil ? "unexpected end" : "expected ',' or '\(Character(Unicode.Scalar(end)))'")
        }
        position += 1
        skipBlanks()
        return true
    }

    private mutating func array() throws(Failure) -> JSON {
        try enter()
        var elements: [JSON] = []
        if leave(UInt8(ascii: "]")) { return .array(elements) }
        repeat { elements.append(try value()) } while try comma(or: UInt8(ascii: "]"))
        return .array(elements)
    }

    private mutating func object() throws(Failure) -> JSON {
        try enter()
        var members: [JSON.Member] = []
        if leave(UInt8(ascii: "}")) { return .object(members) }
        repeat {
            guard current == UInt8(ascii: "\"") else { throw failure("expected a member's name") }
            let name = try string()
            skipBlanks()
            guard current == UInt8(ascii: ":") else { throw failure("expected ':'") }
            position += 1
            skipBlanks()
            members.append(JSON.Member(name: name, value: try value()))
        } while try comma(or: UInt8(ascii: "}"))
        return .object(members)
    }
}

/// Numbers.
extension JSONParser {
    private mutating func digits() throws(Failure) {
        let start = position
        while let byte = current, byte >= UInt8(ascii: "0"), byte <= UInt8(ascii: "9") { position += 1 }
        guard position > start else { throw failure("malformed number") }
    }

    private mutating func number() throws(Failure) -> JSON {
        let start = position
        let isNegative = current == UInt8(ascii: "-")
        if isNegative { position += 1 }
        if current == UInt8(ascii: "0") { position += 1 } else { try digits() }
        var isInteger = true
        if current == UInt8(ascii: ".") {
            isInteger = false
            position += 1
            try digits()
        }
        if current == UInt8(ascii: "e") || current == UInt8(ascii: "E") {
            isInteger = false
            position += 1
            if current == UInt8(ascii: "+") || current == UInt8(ascii: "-") { position += 1 }
            try digits()
        }
        let spelled = String(decoding: text[start..<position], as: UTF8.self)
        if isInteger { return .integer(Int(spelled) ?? (isNegative ? .min : .max)) }
        guard let value = Double(spelled) else { throw failure("malformed number") }
        return .double(value)
    }
}

/// Strings.
extension JSONParser {
    private mutating func string() throws(Failure) -> String {
        position += 1
        let start = position
        if let end = plainEnd(), text[end] == UInt8(ascii: "\"") {
            position = end + 1
            return try validated(text[start..<end])
        }
        var buffer: [UInt8] = []
        while true {
            guard let end = plainEnd() else {
                position = text.count
                throw failure("unterminated string")
            }
            buffer += text[position..<end]
            position = end
            switch text[end] {
            case UInt8(ascii: "\""):
                position += 1
                return try validated(buffer[...])
            case UInt8(ascii: "\\"):
                position += 1
                try escape(into: &buffer)
            default: throw failure("control character in a string")
            }
        }
    }

    /// The next quote, backslash or control character.
    private func plainEnd() -> Int? {
        text[position...].firstIndex { $0 == UInt8(ascii: "\"") || $0 == UInt8(ascii: "\\") || $0 < 0x20 }
    }

    private func validated(_ bytes: ArraySlice<UInt8>) throws(Failure) -> String {
        guard let result = String(validating: bytes, as: UTF8.self) else { throw failure("invalid UTF-8 in a string") }
        return result
    }

    private mutating func escape(into buffer: inout [UInt8]) throws(Failure) {
        guard let kind = current else { throw failure("unterminated string") }
        position += 1
        switch kind {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): buffer.append(kind)
        case UInt8(ascii: "n"): buffer.append(0x0A)
        case UInt8(ascii: "t"): buffer.append(0x09)
        case UInt8(ascii: "r"): buffer.append(0x0D)
        case UInt8(ascii: "b"): buffer.append(0x08)
        case UInt8(ascii: "f"): buffer.append(0x0C)
        case UInt8(ascii: "u"): buffer += Character(try escapedScalar()).utf8
        default: throw failure("unknown escape in a string")
        }
    }

    /// The scalar after `\u`: one unit, or a surrogate pair.
    private mutating func escapedScalar() throws(Failure) -> Unicode.Scalar {
        let replacement: Unicode.Scalar = "\u{FFFD}"
        let high = try codeUnit()
        guard UTF16.isLeadSurrogate(high) else { return Unicode.Scalar(high) ?? replacement }
        let rest = text[position...].prefix(2)
        guard rest.elementsEqual([UInt8(ascii: "\\"), UInt8(ascii: "u")]) else { return replacement }
        let start = position
        position += 2
        let low = try codeUnit()
        guard UTF16.isTrailSurrogate(low) else {
            // Not the second half: a character of its own, read again.
            position = start
            return replacement
        }
        let value = 0x10000 + (UInt32(high) - 0xD800) << 10 + (UInt32(low) - 0xDC00)
        return Unicode.Scalar(value) ?? replacement
    }

    private mutating func codeUnit() throws(Failure) -> UInt16 {
        let digits = text[position...].prefix(4)
        var value: UInt16 = 0
        for digit in digits {
            guard let nibble = Character(Unicode.Scalar(digit)).hexDigitValue, digit < 0x80 else {
                throw failure("malformed \\u escape")
            }
            value = value << 4 | UInt16(nibble)
        }
        guard digits.count == 4 else { throw failure("unterminated string") }
        position += 4
        return value
    }
}
