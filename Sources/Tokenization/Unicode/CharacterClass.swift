/// The classes of characters that the patterns of GPT-2 and its descendants tell apart.
enum CharacterClass {
    static let letter: UInt8 = 0
    static let number: UInt8 = 1
    static let lineBreak: UInt8 = 2
    /// White space but for `\r` and `\n`.
    static let space: UInt8 = 3
    static let other: UInt8 = 4

    /// The class of each character, by its number.
    static let table: [UInt8] = {
        var table = CategorySet.table { bit in
            if CategorySet.letters.contains(bit: bit) { return letter }
            if CategorySet.numbers.contains(bit: bit) { return number }
            return CategorySet.spaces.contains(bit: bit) ? space : other
        }
        for scalar in [10, 13] { table[scalar] = lineBreak }
        return table
    }()

    static func isSpace(_ scalar: UInt32) -> Bool {
        switch scalar {
        case 0x20, 0x09...0x0D, 0x85, 0xA0, 0x1680, 0x2000...0x200A, 0x2028, 0x2029, 0x202F, 0x205F, 0x3000: true
        default: false
        }
    }
}

/// What words are made of: `\w`. The two regular expression engines in the `tokenizers` package differ a little.
enum WordCharacters {
    private static let circled = ScalarRanges([
        0x24B6..<0x24EA, 0x1F130..<0x1F14A, 0x1F150..<0x1F16A, 0x1F170..<0x1F18A,
    ])
    private static let common = CategorySet([.letters, .marks, .decimalDigits, .connectors, .letterNumbers]).scalars
        .union(circled)

    /// In a class of a pattern: `[\w]`.
    static let inClasses = common
    /// In a pattern, and on either side of `\b`. Fractions and superscripts of Latin-1 are among them.
    static let alone = common.union(ScalarRanges([0xB2..<0xB4, 0xB9..<0xBA, 0xBC..<0xBF]))
    /// For the `Whitespace` pre-tokenizer, and around an added token that must be a word by itself.
    static let ofWords = ScalarSet(common.union(ScalarRanges([0x200C..<0x200E])))
    /// What has another case and is no letter.
    static let otherCased = circled.union(CategorySet.letterNumbers.scalars).union(ScalarRanges(0x345))
}
