/// The classes of characters that patterns name.
enum PatternClass {
    static let digit = ScalarSet([0x30...0x39])
    static let word = ScalarSet([0x30...0x39, 0x41...0x5A, 0x5F...0x5F, 0x61...0x7A])
    /// White space in ECMA-262 and in Python alike.
    static let space = ScalarSet([
        0x09...0x0D, 0x20...0x20, 0xA0...0xA0, 0x1680...0x1680, 0x2000...0x200A, 0x2028...0x2029, 0x202F...0x202F,
        0x205F...0x205F, 0x3000...0x3000,
    ])
    /// White space in neither.
    static let notSpace = space.union(ScalarSet([0x1C...0x1F, 0x85...0x85, 0xFEFF...0xFEFF])).complement
    static let notLineEnd = ScalarSet([0x0A...0x0A, 0x0D...0x0D, 0x2028...0x2029]).complement

    /// Letters and digits beyond ASCII, roughly: more than what Python's `\w` has.
    private static let foreignWords = ScalarSet([0x80...0x10FFFF])
        .subtracting(ScalarSet([0xA0...0xA9, 0xAB...0xB1, 0xB4...0xB4, 0xB6...0xB8, 0xBB...0xBB, 0xBF...0xBF]))
        .subtracting(ScalarSet([0xD7...0xD7, 0xF7...0xF7, 0x2000...0x206F, 0x20A0...0x20BF, 0x3000...0x3004]))
        .subtracting(ScalarSet([0x2190...0x23FF, 0x2500...0x2775, 0x3008...0x3020, 0x1F300...0x1FAFF]))

    /// All but the characters of a class. If the class has the digits or the words of ASCII in it, those of other scripts,
    /// which Python counts among them, are left out too; if it has white space in it, the same.
    static func complement(of set: ScalarSet) -> ScalarSet {
        var excluded = set
        if word.subtracting(set).isEmpty { excluded = excluded.union(foreignWords) }
        if set == digit { excluded = excluded.union(foreignWords) }
        if space.subtracting(set).isEmpty { excluded = excluded.union(notSpace.complement) }
        return excluded.complement
    }
}
