/// A JSON text that was checked, and where in it each value begins.
///
/// The values stay where they are: a tokenizer's file has hundreds of thousands of strings, and eight bytes for each
/// value are all that is kept beside the text. Strings are read as UTF-8, because a vocabulary may hold texts that
/// `String` calls equal ("é" as one character and as two).
struct JSONDocument: Sendable {
    /// A value in the order of the text: an object's members, each with its name before it, and an array's elements
    /// follow what holds them.
    struct Value: Sendable {
        /// Where it begins in the text.
        var start: UInt32
        /// The number of the value after it and all that it holds.
        var next: UInt32
    }

    let text: [UInt8]
    let values: [Value]

    /// What may stand at a value.
    enum Kind { case null, bool(Bool), number, string, array, object }

    /// Reads JSON as RFC 8259 defines it, up to a bounded depth.
    init(_ text: [UInt8]) throws(TokenizerError) {
        values = try JSONReader.values(of: text)
        self.text = text
    }

    func kind(_ value: Int) -> Kind {
        switch text[Int(values[value].start)] {
        case UInt8(ascii: "{"): .object
        case UInt8(ascii: "["): .array
        case UInt8(ascii: "\""): .string
        case UInt8(ascii: "t"): .bool(true)
        case UInt8(ascii: "f"): .bool(false)
        case UInt8(ascii: "n"): .null
        default: .number
        }
    }

    /// The values that an object or array holds, in their order.
    func contents(of value: Int) -> Contents {
        Contents(document: self, place: value + 1, end: Int(values[value].next))
    }

    struct Contents: Sequence, IteratorProtocol {
        fileprivate let document: JSONDocument
        fileprivate var place: Int
        fileprivate let end: Int

        mutating func next() -> Int? {
            guard place < end else { return nil }
            defer { place = Int(document.values[place].next) }
            return place
        }
    }

    /// The bytes of a string, escapes resolved; nil if the value is none.
    func string(_ value: Int) -> [UInt8]? {
        guard case .string = kind(value) else { return nil }
        var result: [UInt8] = []
        var index = Int(values[value].start) + 1
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
        var index = Int(values[value].start)
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
        if index < text.count, ".eE".utf8.contains(text[index]) { return nil }
        return isNegative ? -magnitude : magnitude
    }

    /// A number as the `serde_json` package reads it, which is not always the nearest `Double`: the digits as one
    /// integer, then multiplied or divided by a power of ten. Scores must be the reference's to the last bit.
    func number(_ value: Int) -> Double? {
        guard case .number = kind(value) else { return nil }
        var index = Int(values[value].start)
        let isNegative = text[index] == UInt8(ascii: "-")
        if isNegative { index += 1 }
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
