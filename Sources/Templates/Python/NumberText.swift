import Foundation

/// Numbers as Python writes them.
enum NumberText {
    /// `repr` of a float: the shortest digits that give it back.
    static func repr(_ number: Double) -> String {
        if number.isNaN { return "nan" }
        if number.isInfinite { return number < 0 ? "-inf" : "inf" }
        let (digits, exponent) = shortestDigits(number.magnitude)
        let sign = number.sign == .minus ? "-" : ""
        if digits.isEmpty { return sign + "0.0" }
        guard (-4..<16).contains(exponent) else { return sign + scientific(digits, exponent) }
        if exponent < 0 { return sign + "0." + String(repeating: "0", count: -exponent - 1) + digits }
        let whole = exponent + 1
        if digits.count <= whole { return sign + digits + String(repeating: "0", count: whole - digits.count) + ".0" }
        return sign + digits.prefix(whole) + "." + digits.dropFirst(whole)
    }

    private static func scientific(_ digits: String, _ exponent: Int) -> String {
        let fraction = digits.dropFirst()
        let magnitude = String(exponent.magnitude)
        return digits.prefix(1) + (fraction.isEmpty ? "" : "." + fraction) + (exponent < 0 ? "e-" : "e+")
            + (magnitude.count < 2 ? "0" : "") + magnitude
    }

    /// The digits without zeros at either end, and the decimal exponent of the first.
    private static func shortestDigits(_ number: Double) -> (digits: String, exponent: Int) {
        let parts = number.description.split(separator: "e")
        let mantissa = parts[0].split(separator: ".", omittingEmptySubsequences: false)
        let written = mantissa.joined()
        let leading = written.prefix { $0 == "0" }.count
        var digits = String(written.dropFirst(leading))
        while digits.last == "0" { digits.removeLast() }
        let exponent = mantissa[0].count - 1 - leading + (parts.count > 1 ? Int(parts[1]) ?? 0 : 0)
        return (digits, exponent)
    }

    static let highestPrecision = 2000

    /// As C's `printf`.
    /// - Parameter conversion: `e`, `f` or `g`, or one of them as a capital.
    static func formatted(
        _ number: Double,
        _ conversion: String,
        precision: Int,
        isAlternate: Bool = false
    ) throws(TemplateError) -> String {
        guard number.isFinite else {
            let text = repr(number)
            return conversion.uppercased() == conversion ? text.uppercased() : text
        }
        guard (0...highestPrecision).contains(precision) else { throw .limit("a number's precision is too high") }
        return String(format: "%\(isAlternate ? "#" : "").*\(conversion)", precision, number)
    }

    /// As `g`, but so that it reads as a float: with an exponent, or with a fraction, be it `.0`.
    static func short(_ number: Double, precision: Int, isAlternate: Bool) throws(TemplateError) -> String {
        let precision = max(precision, 1)
        let scientific = try formatted(number, "e", precision: precision - 1, isAlternate: isAlternate)
        let parts = scientific.split(separator: "e")
        guard parts.count == 2, let exponent = Int(parts[1]) else { return scientific }
        guard (-4..<precision - 1).contains(exponent) else {
            guard !isAlternate, parts[0].contains(".") else { return scientific }
            let digits = parts[0].reversed().drop { $0 == "0" }.drop { $0 == "." }
            return String(digits.reversed()) + "e" + parts[1]
        }
        let text = try formatted(number, "g", precision: precision, isAlternate: isAlternate)
        return text.contains(".") ? text : text + ".0"
    }

    /// Python's `round(number, digits)`: to the nearest, and of two to the even one.
    static func rounded(_ number: Double, digits: Int) throws(TemplateError) -> Double {
        guard number.isFinite, digits <= 323 else { return number }
        if digits >= 0 { return Double(try formatted(number, "f", precision: digits)) ?? number }
        guard digits >= -308 else { return 0 * number }
        let scale = pow(10, Double(-digits))
        return (number / scale).rounded(.toNearestOrEven) * scale
    }

    /// Python's `int(text, base)`; nil if it is no number.
    static func integer(_ text: Text, base: Int = 10) throws(TemplateError) -> Int? {
        var digits: [Unicode.Scalar] = []
        try text.trimmed().forEachScalar { (scalar, _) throws(TemplateError) in
            digits.append(decimal(scalar))
            return true
        }
        var isNegative = false
        if let sign = digits.first, sign == "-" || sign == "+" {
            isNegative = sign == "-"
            digits.removeFirst()
        }
        var base = base
        let prefixes: [Unicode.Scalar: Int] = ["x": 16, "o": 8, "b": 2]
        var mayBeginWithUnderscore = false
        if digits.count > 1, digits[0] == "0", let prefix = prefixes[lowercased(digits[1])], base == 0 || base == prefix
        {
            base = prefix
            digits.removeFirst(2)
            mayBeginWithUnderscore = true
        } else if base == 0 {
            guard digits.first != "0" || digits.allSatisfy({ $0 == "0" || $0 == "_" }) else { return nil }
            base = 10
        }
        guard (2...36).contains(base) else { throw .operation("int() base must be >= 2 and <= 36, or 0") }
        guard let spelling = withoutUnderscores(digits, mayBegin: mayBeginWithUnderscore) else { return nil }
        guard spelling.allSatisfy({ $0.isHexLike(below: base) }) else { return nil }
        guard let value = Int((isNegative ? "-" : "") + spelling, radix: base) else {
            throw .limit("the number \(spelling.prefix(30)) is too large")
        }
        return value
    }

    /// Python's `float(text)`; nil if it is no number.
    static func double(_ text: Text) throws(TemplateError) -> Double? {
        var scalars: [Unicode.Scalar] = []
        try text.trimmed().forEachScalar { (scalar, _) throws(TemplateError) in
            scalars.append(lowercased(decimal(scalar)))
            return true
        }
        var spelling = ""
        for (index, scalar) in scalars.enumerated() {
            if scalar == "_" {
                guard index > 0, index + 1 < scalars.count, isDigit(scalars[index - 1]), isDigit(scalars[index + 1])
                else { return nil }
            } else {
                spelling.unicodeScalars.append(scalar)
            }
        }
        let unsigned = spelling.drop { $0 == "-" || $0 == "+" }
        guard spelling.count - unsigned.count <= 1 else { return nil }
        let sign: Double = spelling.hasPrefix("-") ? -1 : 1
        switch unsigned {
        case "nan": return sign * .nan
        case "inf", "infinity": return sign * .infinity
        default:
            // Swift reads more than Python does: hexadecimal numbers and the like.
            guard unsigned.utf8.allSatisfy({ $0.isDigit || [0x2E, 0x65, 0x2B, 0x2D].contains($0) }),
                unsigned.utf8.contains(where: \.isDigit), let first = unsigned.utf8.first, first != 0x65
            else { return nil }
            // "1." and ".5" are numbers, and so are "1.e5" and ".5e1".
            let padded = (first == 0x2E ? "0" : "") + unsigned
            let whole = padded.hasSuffix(".") ? padded + "0" : padded
            return Double(whole.replacing(".e", with: ".0e")).map { sign * $0 }
        }
    }

    /// A decimal digit of any script as the ASCII one.
    private static func decimal(_ scalar: Unicode.Scalar) -> Unicode.Scalar {
        guard scalar.value >= 0x80, scalar.properties.numericType == .decimal,
            let value = scalar.properties.numericValue
        else { return scalar }
        return Unicode.Scalar(0x30 + UInt8(value))
    }

    private static func isDigit(_ scalar: Unicode.Scalar) -> Bool { (0x30...0x39).contains(scalar.value) }

    private static func lowercased(_ scalar: Unicode.Scalar) -> Unicode.Scalar {
        (0x41...0x5A).contains(scalar.value) ? Unicode.Scalar(UInt8(scalar.value) | 0x20) : scalar
    }

    /// The digits, if underscores stand between them only.
    private static func withoutUnderscores(_ digits: [Unicode.Scalar], mayBegin: Bool) -> String? {
        guard !digits.isEmpty, digits.last != "_", mayBegin || digits.first != "_" else { return nil }
        var result = ""
        for (index, digit) in digits.enumerated() {
            if digit != "_" {
                result.unicodeScalars.append(digit)
            } else if index > 0, digits[index - 1] == "_" {
                return nil
            }
        }
        return result.isEmpty ? nil : result
    }
}

extension Character {
    fileprivate func isHexLike(below base: Int) -> Bool {
        guard let value = asciiValue else { return false }
        switch value {
        case 0x30...0x39: return Int(value) - 0x30 < base
        case 0x41...0x5A: return Int(value) - 0x41 + 10 < base
        case 0x61...0x7A: return Int(value) - 0x61 + 10 < base
        default: return false
        }
    }
}
