extension UInt8 {
    static let lineFeed: UInt8 = 0x0A
    static let carriageReturn: UInt8 = 0x0D

    var isDigit: Bool { (0x30...0x39).contains(self) }
    var isHexDigit: Bool { isDigit || (0x41...0x46).contains(self & 0xDF) }
}

extension [UInt8] {
    /// The character at an index, and the index after it.
    func character(at index: Int) -> (value: Unicode.Scalar, end: Int) {
        let (value, end) = scalar(at: index)
        return (Unicode.Scalar(value) ?? "\u{FFFD}", end)
    }

    /// The character that ends before an index, and where it begins.
    func character(before index: Int) -> (value: Unicode.Scalar, start: Int)? {
        scalar(before: index).map { (Unicode.Scalar($0.value) ?? "\u{FFFD}", $0.start) }
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
