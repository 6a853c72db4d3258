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
