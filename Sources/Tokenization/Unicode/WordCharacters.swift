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
