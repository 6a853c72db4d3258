/// A JSON value whose strings are kept as UTF-8.
///
/// A vocabulary may hold texts that `String` calls equal ("é" as one character and as two), so neither Foundation's
/// dictionaries nor any other keyed by `String` can carry it.
enum JSON: Sendable {
    case null
    case bool(Bool)
    case integer(Int)
    case number(Double)
    case string([UInt8])
    case array([JSON])
    case object([(key: [UInt8], value: JSON)])
}

/// Reads JSON as RFC 8259 defines it, up to a bounded depth.
struct JSONReader {
    private static let deepest = 64

    private let input: [UInt8]
    private var position = 0

    static func read(_ input: [UInt8]) throws(TokenizerError) -> JSON {
        guard String(validating: input, as: UTF8.self) != nil else {
            throw TokenizerError("tokenizer.json: not JSON: it is not UTF-8")
        }
        var reader = JSONReader(input: input)
        let value = try reader.value(depth: 0)
        reader.skipSpace()
        guard reader.position == input.count else { throw reader.fault("something follows the value") }
        return value
    }

    private init(input: [UInt8]) { self.input = input }

    private func fault(_ what: String) -> TokenizerError {
        TokenizerError("tokenizer.json: not JSON: \(what) (byte \(position))")
    }

    private var next: UInt8? { position < input.count ? input[position] : nil }

    private mutating func skipSpace() {
        while let byte = next, byte == 0x20 || byte == 0x0A || byte == 0x0D || byte == 0x09 { position += 1 }
    }

    private mutating func take(_ byte: Character) -> Bool {
        guard next == byte.asciiValue else { return false }
        position += 1
        return true
    }

    private mutating func value(depth: Int) throws(TokenizerError) -> JSON {
        guard depth < Self.deepest else { throw fault("nested too deeply") }
        skipSpace()
        switch next {
        case UInt8(ascii: "{"): return try object(depth: depth)
        case UInt8(ascii: "["): return try array(depth: depth)
        case UInt8(ascii: "\""): return .string(try string())
        case UInt8(ascii: "t"): return try word("true", .bool(true))
        case UInt8(ascii: "f"): return try word("false", .bool(false))
        case UInt8(ascii: "n"): return try word("null", .null)
        case nil: throw fault("it ends too early")
        default: return try number()
        }
    }

    private mutating func word(_ spelling: String, _ value: JSON) throws(TokenizerError) -> JSON {
        guard input[position...].starts(with: spelling.utf8) else { throw fault("no value") }
        position += spelling.utf8.count
        return value
    }

    private mutating func object(depth: Int) throws(TokenizerError) -> JSON {
        position += 1
        var members: [(key: [UInt8], value: JSON)] = []
        skipSpace()
        if take("}") { return .object(members) }
        while true {
            skipSpace()
            guard next == UInt8(ascii: "\"") else { throw fault("a member's name is missing") }
            let key = try string()
            skipSpace()
            guard take(":") else { throw fault("a colon is missing") }
            members.append((key, try value(depth: depth + 1)))
            skipSpace()
            if take("}") { return .object(members) }
            guard take(",") else { throw fault("a comma or brace is missing") }
        }
    }

    private mutating func array(depth: Int) throws(TokenizerError) -> JSON {
        position += 1
        var elements: [JSON] = []
        skipSpace()
        if take("]") { return .array(elements) }
        while true {
            elements.append(try value(depth: depth + 1))
            skipSpace()
            if take("]") { return .array(elements) }
            guard take(",") else { throw fault("a comma or bracket is missing") }
        }
    }

    private mutating func number() throws(TokenizerError) -> JSON {
        let start = position
        let isNegative = take("-")
        let digits = try self.digits()
        guard digits.count == 1 || input[digits.lowerBound] != UInt8(ascii: "0") else { throw fault("a leading zero") }
        var isInteger = true
        if take(".") {
            _ = try self.digits()
            isInteger = false
        }
        if take("e") || take("E") {
            _ = take("+") || take("-")
            _ = try self.digits()
            isInteger = false
        }
        if isInteger, digits.count <= 18 {
            let magnitude = input[digits].reduce(0) { $0 * 10 + Int($1 - UInt8(ascii: "0")) }
            return .integer(isNegative ? -magnitude : magnitude)
        }
        guard let value = Double(String(decoding: input[start..<position], as: UTF8.self)) else {
            throw fault("no number")
        }
        return .number(value)
    }

    private mutating func digits() throws(TokenizerError) -> Range<Int> {
        let start = position
        while let byte = next, (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) { position += 1 }
        guard position > start else { throw fault("no value") }
        return start..<position
    }

    private mutating func string() throws(TokenizerError) -> [UInt8] {
        position += 1
        var result: [UInt8] = []
        while let byte = next {
            switch byte {
            case UInt8(ascii: "\""):
                position += 1
                return result
            case UInt8(ascii: "\\"):
                position += 1
                result += try escape()
            case 0..<0x20: throw fault("a control character in a string")
            default:
                position += 1
                result.append(byte)
            }
        }
        throw fault("a string without end")
    }

    private mutating func escape() throws(TokenizerError) -> [UInt8] {
        guard let letter = next else { throw fault("a string without end") }
        position += 1
        switch letter {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): return [letter]
        case UInt8(ascii: "b"): return [0x08]
        case UInt8(ascii: "f"): return [0x0C]
        case UInt8(ascii: "n"): return [0x0A]
        case UInt8(ascii: "r"): return [0x0D]
        case UInt8(ascii: "t"): return [0x09]
        case UInt8(ascii: "u"): return try unicodeEscape()
        default: throw fault("an unknown escape")
        }
    }

    /// The rest of `\uXXXX`, or of a pair of them that spells one character.
    private mutating func unicodeEscape() throws(TokenizerError) -> [UInt8] {
        var value = try hexadecimal()
        if (0xD800..<0xDC00).contains(value) {
            guard take("\\"), take("u") else { throw fault("half a surrogate pair") }
            let low = try hexadecimal()
            guard (0xDC00..<0xE000).contains(low) else { throw fault("half a surrogate pair") }
            value = 0x10000 + (value - 0xD800) << 10 + (low - 0xDC00)
        }
        guard let scalar = Unicode.Scalar(value) else { throw fault("half a surrogate pair") }
        return Array(String(scalar).utf8)
    }

    private mutating func hexadecimal() throws(TokenizerError) -> UInt32 {
        var value: UInt32 = 0
        for _ in 0..<4 {
            guard let byte = next, let digit = Character(Unicode.Scalar(byte)).hexDigitValue else {
                throw fault("no hexadecimal digit")
            }
            position += 1
            value = value << 4 | UInt32(digit)
        }
        return value
    }
}
