extension UInt8 {
    static let lineFeed: UInt8 = 0x0A
    static let carriageReturn: UInt8 = 0x0D

    var isDigit: Bool { (0x30...0x39).contains(self) }
    var isHexDigit: Bool { isDigit || (0x41...0x46).contains(self & 0xDF) }
}

extension [UInt8] {
    /// The character at an index, and the index after it.
    func character(at index: Int) -> (value: Unicode.Scalar, end: Int) {
        let lead = self[index]
        if lead < 0x80 { return (Unicode.Scalar(lead), index + 1) }
        let length = lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : 2
        // The bytes come from strings and are never cut inside a character, so this holds.
        guard lead >= 0xC0, index + length <= count else { return ("\u{FFFD}", index + 1) }
        var value = UInt32(lead) & (0x7F >> UInt32(length))
        for offset in 1..<length { value = value << 6 | UInt32(self[index + offset] & 0x3F) }
        return (Unicode.Scalar(value) ?? "\u{FFFD}", index + length)
    }

    /// The character that ends before an index, and where it begins.
    func character(before index: Int) -> (value: Unicode.Scalar, start: Int)? {
        guard index > 0 else { return nil }
        var start = index - 1
        while start > 0, self[start] & 0xC0 == 0x80 { start -= 1 }
        return (character(at: start).value, start)
    }

    func hasBytes(_ other: [UInt8], at index: Int) -> Bool {
        index + other.count <= count && self[index..<index + other.count].elementsEqual(other)
    }
}

/// Character classes as Python defines them.
extension Unicode.Scalar {
    /// `str.isspace`, `str.strip` and `\s`.
    var isPythonSpace: Bool {
        switch value {
        case 0x09...0x0D, 0x1C...0x20, 0x85, 0xA0, 0x1680, 0x2000...0x200A, 0x2028, 0x2029, 0x202F, 0x205F, 0x3000: true
        default: false
        }
    }

    /// Where `str.splitlines` cuts.
    var isPythonLineBreak: Bool {
        switch value {
        case 0x0A...0x0D, 0x1C...0x1E, 0x85, 0x2028, 0x2029: true
        default: false
        }
    }

    var isNameStart: Bool { value == 0x5F || properties.isXIDStart }
    var isNamePart: Bool { properties.isXIDContinue }

    /// `str.isprintable`: `repr` writes the others as escapes.
    var isPythonPrintable: Bool {
        if value < 0x7F { return value >= 0x20 }
        switch properties.generalCategory {
        case .control, .format, .surrogate, .privateUse, .unassigned, .lineSeparator, .paragraphSeparator,
            .spaceSeparator:
            return false
        default: return true
        }
    }
}
