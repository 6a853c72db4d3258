/// A JSON text that was checked.
///
/// The values stay where they are, and each is named by where it begins: a tokenizer's file has hundreds of thousands of
/// strings, of which a tree would take more memory than all that is made of them. Strings are read as UTF-8, because a
/// vocabulary may hold texts that `String` calls equal ("é" as one character and as two).
struct JSONDocument: Sendable {
    let text: [UInt8]
    /// The file's, for messages.
    let name: String
    /// Where long objects and arrays end, by where they begin: to go past one takes no time. The others are read over.
    private let ends: [UInt32: UInt32]

    /// What may stand at a value.
    enum Kind { case null, bool(Bool), number, string, array, object }

    /// Reads JSON as RFC 8259 defines it, up to a bounded depth, and Python's `NaN`, `Infinity` and `-Infinity`.
    init(_ text: [UInt8], named name: String) throws(TokenizerError) {
        ends = try JSONReader.ends(of: text, named: name)
        self.text = text
        self.name = name
    }

    /// The value of the whole text.
    var root: Int { firstSolid(from: 0) }

    func kind(_ value: Int) -> Kind {
        switch text[value] {
        case UInt8(ascii: "{"): .object
        case UInt8(ascii: "["): .array
        case UInt8(ascii: "\""): .string
        case UInt8(ascii: "t"): .bool(true)
        case UInt8(ascii: "f"): .bool(false)
        case UInt8(ascii: "n"): .null
        default: .number
        }
    }

    /// The values that an object or array holds, in their order: of an object each member's name and value. None for
    /// other values.
    func contents(of value: Int) -> Contents {
        switch kind(value) {
        case .object, .array: Contents(document: self, place: firstSolid(from: value + 1))
        default: Contents(document: self, place: nil)
        }
    }

    struct Contents: Sequence, IteratorProtocol {
        fileprivate let document: JSONDocument
        /// The next value, or the bracket at the end.
        fileprivate var place: Int?

        mutating func next() -> Int? {
            guard let value = place, !JSONReader.isClosing(document.text[value]) else { return nil }
            place = document.firstSolid(from: document.end(of: value))
            return value
        }
    }

    /// The first byte that is no white space and stands not just between values.
    private func firstSolid(from index: Int) -> Int {
        var index = index
        while JSONReader.isSpace(text[index]) || text[index] == UInt8(ascii: ",") || text[index] == UInt8(ascii: ":") {
            index += 1
        }
        return index
    }

    private func end(of value: Int) -> Int {
        switch kind(value) {
        case .string: return endOfString(value)
        case .object, .array: return ends[UInt32(truncatingIfNeeded: value)].map { Int($0) } ?? endOfContainer(value)
        default:
            var index = value
            while index < text.count, JSONReader.isPlain(text[index]) { index += 1 }
            return index
        }
    }

    private func endOfString(_ start: Int) -> Int {
        var index = start + 1
        while text[index] != UInt8(ascii: "\"") { index += text[index] == UInt8(ascii: "\\") ? 2 : 1 }
        return index + 1
    }

    private func endOfContainer(_ start: Int) -> Int {
        var depth = 0
        var index = start
        repeat {
            switch text[index] {
            case UInt8(ascii: "\""):
                index = endOfString(index)
                continue
            case UInt8(ascii: "{"), UInt8(ascii: "["): depth += 1
            case UInt8(ascii: "}"), UInt8(ascii: "]"): depth -= 1
            default: break
            }
            index += 1
        } while depth > 0
        return index
    }

    /// The bytes of a string, escapes resolved; nil if the value is none.
    func string(_ value: Int) -> [UInt8]? {
        guard case .string = kind(value) else { return nil }
        var result: [UInt8] = []
        var index = value + 1
        while text[index] != UInt8(ascii: "\"") {
            if text[index] == UInt8(ascii: "\\") {
                JSONReader.appendEscape(of: text, at: &index, to: &result)
            } else {
                result.append(text[index])
                index += 1
            }
        }
        return result
    }

    /// An integer of at most 18 digits; nil if the value is none.
    func integer(_ value: Int) -> Int? {
        guard case .number = kind(value) else { return nil }
        var index = value
        let isNegative = text[index] == UInt8(ascii: "-")
        if isNegative { index += 1 }
        var magnitude = 0
        var digits = 0
        while index < text.count, let digit = JSONReader.digit(text[index]) {
            guard digits < 18 else { return nil }
            magnitude = magnitude * 10 + Int(digit)
            digits += 1
            index += 1
        }
        // Neither a fraction nor one of Python's words.
        if digits == 0 || index < text.count && ".eE".utf8.contains(text[index]) { return nil }
        return isNegative ? -magnitude : magnitude
    }

    /// A number as the `serde_json` package reads it, which is not always the nearest `Double`: the digits as one
    /// integer, then multiplied or divided by a power of ten. Scores must be the reference's to the last bit.
    func number(_ value: Int) -> Double? {
        guard case .number = kind(value) else { return nil }
        var index = value
        let isNegative = text[index] == UInt8(ascii: "-")
        if isNegative { index += 1 }
        if text[index] == UInt8(ascii: "N") { return .nan }
        if text[index] == UInt8(ascii: "I") { return isNegative ? -.infinity : .infinity }
        var significand: UInt64 = 0
        var exponent = 0
        var isFull = false
        var isFraction = false
        while index < text.count {
            if text[index] == UInt8(ascii: ".") {
                isFraction = true
            } else if let digit = JSONReader.digit(text[index]) {
                let (product, overflow) = significand.multipliedReportingOverflow(by: 10)
                let (sum, carry) = product.addingReportingOverflow(UInt64(digit))
                isFull = isFull || overflow || carry
                if !isFull { significand = sum }
                if isFraction { exponent -= isFull ? 0 : 1 } else { exponent += isFull ? 1 : 0 }
            } else {
                break
            }
            index += 1
        }
        exponent += writtenExponent(at: index)
        var magnitude = Double(significand)
        while exponent < -308, magnitude != 0 {
            magnitude /= 1e308
            exponent += 308
        }
        let power = Double("1e\(min(abs(exponent), 308))") ?? 1
        magnitude = exponent < 0 ? magnitude / power : exponent > 308 && magnitude != 0 ? .infinity : magnitude * power
        return isNegative ? -magnitude : magnitude
    }

    private func writtenExponent(at index: Int) -> Int {
        guard index < text.count, text[index] | 0x20 == UInt8(ascii: "e") else { return 0 }
        var index = index + 1
        let isNegative = text[index] == UInt8(ascii: "-")
        if isNegative || text[index] == UInt8(ascii: "+") { index += 1 }
        var exponent = 0
        while index < text.count, let digit = JSONReader.digit(text[index]) {
            exponent = min(exponent * 10 + Int(digit), 100_000)
            index += 1
        }
        return isNegative ? -exponent : exponent
    }
}
