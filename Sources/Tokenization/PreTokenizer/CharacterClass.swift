/// The classes of characters that GPT-2's pattern tells apart.
enum CharacterClass: Equatable {
    case letter, number, space, other

    init(_ scalar: Unicode.Scalar) {
        switch scalar.value {
        case 0x30...0x39: self = .number
        case 0x41...0x5A, 0x61...0x7A: self = .letter
        case 0x20, 0x09...0x0D: self = .space
        case 0..<0x80: self = .other
        default: self = Self.ofUnicode(scalar)
        }
    }

    private static func ofUnicode(_ scalar: Unicode.Scalar) -> CharacterClass {
        switch scalar.properties.generalCategory {
        case .uppercaseLetter, .lowercaseLetter, .titlecaseLetter, .modifierLetter, .otherLetter: .letter
        case .decimalNumber, .letterNumber, .otherNumber: .number
        default: scalar.properties.isWhitespace ? .space : .other
        }
    }
}

/// What a pattern calls a digit.
enum DigitClass: Sendable {
    /// `[0-9]`
    case ascii
    /// `\d`: the decimal digits of every script.
    case decimal
    /// `\p{N}`: fractions, Roman numerals and the like too.
    case number

    func contains(_ scalar: Unicode.Scalar) -> Bool {
        if scalar.value < 0x80 { return (0x30...0x39).contains(scalar.value) }
        return switch self {
        case .ascii: false
        case .decimal: scalar.properties.generalCategory == .decimalNumber
        case .number: CharacterClass(scalar) == .number
        }
    }
}

extension Unicode.Scalar {
    /// `\w`: what a word is made of.
    var isWordCharacter: Bool {
        switch properties.generalCategory {
        case .nonspacingMark, .spacingMark, .enclosingMark, .decimalNumber, .connectorPunctuation: true
        default: properties.isAlphabetic || properties.isJoinControl
        }
    }
}
