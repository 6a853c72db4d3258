/// Strict readings: no number for a string, no string for a number, null for nothing.
extension JSONNode {
    /// - Throws: `JSONError` if the value is no string.
    package func string() throws(JSONError) -> String {
        guard begins(with: UInt8(ascii: "\"")) else { throw error(.notA(.string)) }
        return document.string(at: offset)
    }

    /// A string as UTF-8: `String` calls some texts equal that differ here, such as the two forms of "é".
    /// - Throws: `JSONError` if the value is no string.
    package func bytes() throws(JSONError) -> [UInt8] {
        guard begins(with: UInt8(ascii: "\"")) else { throw error(.notA(.string)) }
        return document.bytes(ofStringAt: offset)
    }

    /// - Throws: `JSONError` if the value is no array of at most so many strings.
    package func strings(atMost most: Int = .max) throws(JSONError) -> [String] {
        var strings: [String] = []
        for element in try elements(atMost: most) { strings.append(try element.string()) }
        return strings
    }

    /// One of some words.
    /// - Throws: `JSONError` if the value is none of them.
    package func string(oneOf words: [String]) throws(JSONError) -> String {
        let text = try string()
        guard words.contains(text) else { throw error(.notOneOf(words)) }
        return text
    }

    /// - Throws: `JSONError` if the value is neither true nor false.
    package func bool() throws(JSONError) -> Bool {
        if begins(with: UInt8(ascii: "t")) { return true }
        guard begins(with: UInt8(ascii: "f")) else { throw error(.notA(.bool)) }
        return false
    }

    /// A number without fraction and exponent; one outside of `Int` reads as the nearest `Int`.
    /// - Throws: `JSONError` if the value is none, or out of range.
    package func int(in range: ClosedRange<Int> = .min ... .max) throws(JSONError) -> Int {
        guard let value = integerValue else { throw error(.notA(.integer)) }
        guard value >= range.lowerBound else { throw error(.belowMinimum("\(range.lowerBound)")) }
        guard value <= range.upperBound else { throw error(.aboveMaximum("\(range.upperBound)")) }
        return value
    }

    /// As `int(in:)` of a closed range.
    package func int(in range: PartialRangeFrom<Int>) throws(JSONError) -> Int {
        try int(in: range.lowerBound ... .max)
    }

    /// The `Double` nearest to a number.
    /// - Throws: `JSONError` if the value is no number.
    package func double() throws(JSONError) -> Double {
        let text = try numberText()
        guard let value = Double(String(decoding: text, as: UTF8.self)) else { throw error(.notA(.number)) }
        return value
    }

    /// - Throws: `JSONError` if the value is no number, or out of range as NaN is.
    package func double(in range: ClosedRange<Double>) throws(JSONError) -> Double {
        let value = try double()
        guard !value.isNaN else { throw error(.notA(.number)) }
        guard value >= range.lowerBound else { throw error(.belowMinimum(Self.text(range.lowerBound))) }
        guard value <= range.upperBound else { throw error(.aboveMaximum(Self.text(range.upperBound))) }
        return value
    }

    private static func text(_ bound: Double) -> String { Int(exactly: bound).map(String.init) ?? "\(bound)" }

    /// A number as it is written: digits, or one of Python's words.
    /// - Throws: `JSONError` if the value is no number.
    package func numberText() throws(JSONError) -> ArraySlice<UInt8> {
        guard let numberRange else { throw error(.notA(.number)) }
        return document.text[numberRange]
    }

    private var numberRange: Range<Int>? {
        guard isPresent else { return nil }
        switch document.text[offset] {
        case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "N"), UInt8(ascii: "I"):
            return offset..<document.end(of: offset)
        default: return nil
        }
    }

    /// The integer, limited to what `Int` holds; nil if the value is none.
    var integerValue: Int? {
        guard let numberRange else { return nil }
        let text = document.text
        let isNegative = text[offset] == UInt8(ascii: "-")
        let first = offset + (isNegative ? 1 : 0)
        // Built below zero, where there is room for one more.
        var (value, isBeyond) = (0, false)
        for byte in text[first..<numberRange.upperBound] {
            guard byte >= UInt8(ascii: "0"), byte <= UInt8(ascii: "9") else { return nil }
            let (product, overflow) = value.multipliedReportingOverflow(by: 10)
            let (sum, carry) = product.subtractingReportingOverflow(Int(byte - UInt8(ascii: "0")))
            isBeyond = isBeyond || overflow || carry
            if !isBeyond { value = sum }
        }
        if isBeyond { return isNegative ? .min : .max }
        return isNegative ? value : value == .min ? .max : -value
    }
}
