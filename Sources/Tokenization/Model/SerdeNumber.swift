import JSON

extension JSONNode {
    /// A number as the `serde_json` package reads it, which is not always the nearest `Double`: the digits as one
    /// integer, then multiplied or divided by a power of ten. Scores must be the reference's to the last bit.
    func serdeNumber() throws(JSONError) -> Double {
        var text = try numberText()
        let isNegative = text.first == UInt8(ascii: "-")
        if isNegative { text = text.dropFirst() }
        if text.first == UInt8(ascii: "N") { return .nan }
        if text.first == UInt8(ascii: "I") { return isNegative ? -.infinity : .infinity }
        var significand: UInt64 = 0
        var exponent = 0
        var (isFull, isFraction) = (false, false)
        for byte in text {
            if byte == UInt8(ascii: ".") {
                isFraction = true
                continue
            }
            guard byte >= UInt8(ascii: "0"), byte <= UInt8(ascii: "9") else { break }
            let (product, overflow) = significand.multipliedReportingOverflow(by: 10)
            let (sum, carry) = product.addingReportingOverflow(UInt64(byte - UInt8(ascii: "0")))
            isFull = isFull || overflow || carry
            if !isFull { significand = sum }
            if isFraction { exponent -= isFull ? 0 : 1 } else { exponent += isFull ? 1 : 0 }
        }
        if let mark = text.firstIndex(where: { $0 | 0x20 == UInt8(ascii: "e") }) {
            let written = Int(String(decoding: text[(mark + 1)...], as: UTF8.self))
            exponent += max(-100_000, min(written ?? (text[mark + 1] == UInt8(ascii: "-") ? .min : .max), 100_000))
        }
        var magnitude = Double(significand)
        while exponent < -308, magnitude != 0 {
            magnitude /= 1e308
            exponent += 308
        }
        let power = Double("1e\(min(abs(exponent), 308))") ?? 1
        magnitude = exponent < 0 ? magnitude / power : exponent > 308 && magnitude != 0 ? .infinity : magnitude * power
        return isNegative ? -magnitude : magnitude
    }
}
