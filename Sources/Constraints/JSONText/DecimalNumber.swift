/// A decimal number as it is written, without rounding.
struct DecimalNumber: Hashable, Sendable, Comparable {
    /// Digits before the point, without leading zeros: empty for zero.
    private(set) var whole: [UInt8] = []
    /// Digits behind the point, without trailing zeros.
    private(set) var fraction: [UInt8] = []
    private(set) var isNegative = false

    /// Exponents beyond this are not written out.
    private static let mostDigits = 400

    static let zero = DecimalNumber()

    init() {}

    init(_ value: Int) {
        let text = Array(String(value).utf8)
        isNegative = text.first == UInt8(ascii: "-")
        whole = text.drop { $0 == UInt8(ascii: "-") || $0 == UInt8(ascii: "0") }.map { $0 - UInt8(ascii: "0") }
    }

    /// Nil if the text is no number of JSON, or has more digits than are useful.
    init?(_ text: some Sequence<UInt8>) {
        var (digits, point, exponent): ([UInt8], Int?, Int) = ([], nil, 0)
        var (isNegativeExponent, isInExponent) = (false, false)
        for byte in text {
            switch byte {
            case UInt8(ascii: "0")...UInt8(ascii: "9"):
                let digit = byte - UInt8(ascii: "0")
                if isInExponent { exponent = min(10_000, exponent * 10 + Int(digit)) } else { digits.append(digit) }
            case UInt8(ascii: "."): point = digits.count
            case UInt8(ascii: "e"), UInt8(ascii: "E"): isInExponent = true
            case UInt8(ascii: "-"): if isInExponent { isNegativeExponent = true } else { isNegative = true }
            case UInt8(ascii: "+"): break
            default: return nil
            }
        }
        var place = (point ?? digits.count) + (isNegativeExponent ? -exponent : exponent)
        guard abs(place) <= Self.mostDigits, digits.count <= Self.mostDigits else { return nil }
        if place < 0 {
            digits = [UInt8](repeating: 0, count: -place) + digits
            place = 0
        }
        if place > digits.count { digits += [UInt8](repeating: 0, count: place - digits.count) }
        whole = Array(digits[..<place].drop { $0 == 0 })
        fraction = Array(digits[place...])
        while fraction.last == 0 { fraction.removeLast() }
        if isZero { isNegative = false }
    }

    var isZero: Bool { whole.isEmpty && fraction.isEmpty }
    var isInteger: Bool { fraction.isEmpty }

    /// The value without its sign.
    var magnitude: DecimalNumber {
        var result = self
        result.isNegative = false
        return result
    }

    static prefix func - (value: DecimalNumber) -> DecimalNumber {
        var result = value
        result.isNegative = !value.isNegative && !value.isZero
        return result
    }

    static func < (left: DecimalNumber, right: DecimalNumber) -> Bool {
        if left.isNegative != right.isNegative { return left.isNegative }
        return left.isNegative ? isLess(right, left) : isLess(left, right)
    }

    /// Whether the magnitude of one number is below that of another.
    private static func isLess(_ left: DecimalNumber, _ right: DecimalNumber) -> Bool {
        if left.whole.count != right.whole.count { return left.whole.count < right.whole.count }
        if left.whole != right.whole { return left.whole.lexicographicallyPrecedes(right.whole) }
        return left.fraction.lexicographicallyPrecedes(right.fraction)
    }

    /// The least integer that is not below the number, or that is above it.
    func ceiling(isExclusive: Bool) -> DecimalNumber {
        if isInteger, !isExclusive { return self }
        return isNegative && !isInteger ? -truncatedMagnitude : truncated.plusOne
    }

    /// The greatest integer that is not above the number, or that is below it.
    func floor(isExclusive: Bool) -> DecimalNumber { -(-self).ceiling(isExclusive: isExclusive) }

    private var truncatedMagnitude: DecimalNumber {
        var result = magnitude
        result.fraction = []
        return result
    }

    private var truncated: DecimalNumber { isNegative ? -truncatedMagnitude : truncatedMagnitude }

    /// Of an integer.
    private var plusOne: DecimalNumber {
        var digits = whole
        var index = digits.count - 1
        if isNegative {
            while index >= 0, digits[index] == 0 {
                digits[index] = 9
                index -= 1
            }
            if index >= 0 { digits[index] -= 1 }
        } else {
            while index >= 0, digits[index] == 9 {
                digits[index] = 0
                index -= 1
            }
            if index >= 0 { digits[index] += 1 } else { digits.insert(1, at: 0) }
        }
        var result = self
        result.whole = Array(digits.drop { $0 == 0 })
        if result.isZero { result.isNegative = false }
        return result
    }

    /// The value times ten to the power of `decimals`, if that is an integer that fits.
    func scaled(by decimals: Int) -> Int32? {
        guard !isNegative, fraction.count <= decimals, whole.count + decimals <= 9 else { return nil }
        let digits = whole + fraction + [UInt8](repeating: 0, count: decimals - fraction.count)
        return digits.reduce(0) { $0 * 10 + Int32($1) }
    }

    /// As JSON, without an exponent.
    var text: [UInt8] {
        let digits = (whole.isEmpty ? [0] : whole).map { $0 + UInt8(ascii: "0") }
        let behind = fraction.isEmpty ? [] : [UInt8(ascii: ".")] + fraction.map { $0 + UInt8(ascii: "0") }
        return (isNegative ? [UInt8(ascii: "-")] : []) + digits + behind
    }

    /// Whether the number is a multiple of another, by long division; nil if the other has too many digits.
    func isMultiple(of divisor: DecimalNumber) -> Bool? {
        let decimals = max(fraction.count, divisor.fraction.count)
        guard let unit = divisor.magnitude.scaled(by: decimals), unit > 0 else { return nil }
        var rest = 0
        for digit in whole + fraction { rest = (rest * 10 + Int(digit)) % Int(unit) }
        for _ in 0..<(decimals - fraction.count) { rest = rest * 10 % Int(unit) }
        return rest == 0
    }
}
