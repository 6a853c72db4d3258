extension PatternParser {
    /// What follows a backslash outside of a class.
    mutating func escape() throws(PatternError) -> PatternNode {
        if let set = try setEscape(words: WordCharacters.alone) { return .scalar(set) }
        switch try required() {
        case "A": return .anchor(.textStart)
        case "z": return .anchor(.textEnd)
        case "Z": return .anchor(.lastLineEnd)
        case "b": return .anchor(.wordBoundary)
        case "B": return .anchor(.noWordBoundary)
        case "R":
            let breaks = ScalarRanges([0x0A..<0x0E, 0x85..<0x86, 0x2028..<0x202A])
            let pair = PatternNode.sequence([.scalar(ScalarRanges(0x0D)), .scalar(ScalarRanges(0x0A))])
            return .atomic(.alternatives([pair, .scalar(breaks)]))
        case let letter:
            position -= 1
            guard let scalar = try characterEscape() else {
                throw PatternError("'\\\(letter)', which is not supported")
            }
            return .scalar(try folded(ScalarRanges(scalar)))
        }
    }

    /// `\s`, `\p{…}` and similar escapes.
    /// - Parameter words: what `\w` stands for here.
    private mutating func setEscape(words: ScalarRanges) throws(PatternError) -> ScalarRanges? {
        guard let next else { throw PatternError("it ends too early") }
        let set: ScalarRanges
        switch next {
        case "s", "S": set = CategorySet.spaces.scalars
        case "d", "D": set = CategorySet.decimalDigits.scalars
        case "w", "W": set = words
        case "h", "H": set = ScalarRanges([0x30..<0x3A, 0x41..<0x47, 0x61..<0x67])
        case "N": set = ScalarRanges(10).complement
        case "O": set = .all
        case "p", "P":
            position += 1
            return try property(isNegated: next == "P", words)
        default: return nil
        }
        position += 1
        return ["S", "D", "W", "H"].contains(next) ? set.complement : set
    }

    private mutating func property(isNegated: Bool, _ words: ScalarRanges) throws(PatternError) -> ScalarRanges {
        var name = ""
        var isNegated = isNegated
        if take("{") {
            if take("^") { isNegated.toggle() }
            while !take("}") { name.unicodeScalars.append(try required()) }
        } else {
            name.unicodeScalars.append(try required())
        }
        // How Oniguruma folds the case of sets with letters is not documented, so they are refused.
        let set = try folded(Self.property(name, words))
        return isNegated ? set.complement : set
    }

    private static func property(_ name: String, _ words: ScalarRanges) throws(PatternError) -> ScalarRanges {
        if let categories = CategorySet(name: name) { return categories.scalars }
        let plain = name.lowercased()
        switch plain {
        case "any": return .all
        case "assigned": return try property("Cn", words).complement
        case "ascii": return ScalarRanges([0..<0x80])
        case "space", "white_space": return CategorySet.spaces.scalars
        case "digit": return CategorySet.decimalDigits.scalars
        case "word": return words
        case "xdigit": return ScalarRanges([0x30..<0x3A, 0x41..<0x47, 0x61..<0x67])
        case "blank": return try property("Zs", words).union(ScalarRanges(9))
        case "cntrl": return try property("Cc", words)
        default:
            guard let table = ScriptTable.named(plain) else {
                throw PatternError("the property '\(name)', which is not supported")
            }
            return ScalarRanges(table: table)
        }
    }

    /// An escape that stands for one character; nil if it is none.
    private mutating func characterEscape() throws(PatternError) -> UInt32? {
        let letter = try required()
        switch letter {
        case "t": return 0x09
        case "n": return 0x0A
        case "v": return 0x0B
        case "f": return 0x0C
        case "r": return 0x0D
        case "a": return 0x07
        case "e": return 0x1B
        case "x":
            guard take("{") else { return try hexadecimal(1...2) }
            let value = try hexadecimal(1...8)
            guard take("}") else { throw PatternError("a '\\x{' without its '}'") }
            return value
        case "u": return try hexadecimal(4...4)
        default:
            return letter.isASCII && (letter.properties.isAlphabetic || letter.properties.numericType != nil)
                ? nil : letter.value
        }
    }

    private mutating func hexadecimal(_ digits: ClosedRange<Int>) throws(PatternError) -> UInt32 {
        var value: UInt32 = 0
        var count = 0
        while count < digits.upperBound, let next, let digit = Character(next).hexDigitValue, next.isASCII {
            value = value << 4 | UInt32(digit)
            position += 1
            count += 1
        }
        guard count >= digits.lowerBound, Unicode.Scalar(value) != nil else {
            throw PatternError("no character's number in hexadecimal")
        }
        return value
    }

    /// The rest of a class: `[` was read.
    mutating func characterClass() throws(PatternError) -> ScalarRanges {
        let isNegated = take("^")
        var whole: ScalarRanges?
        var set = ScalarRanges()
        var isFirst = true
        while true {
            if take("&&") {
                whole = whole?.intersection(set) ?? set
                set = ScalarRanges()
            } else if !isFirst, take("]") {
                set = whole?.intersection(set) ?? set
                return isNegated ? set.complement : set
            } else {
                set = set.union(try classItem())
            }
            isFirst = false
        }
    }

    /// One item of a class: a character, a range, a class, a property.
    private mutating func classItem() throws(PatternError) -> ScalarRanges {
        if scalars[position...].starts(with: "[:".unicodeScalars), let set = try posixClass() { return set }
        if take("[") { return try nested { parser throws(PatternError) in try parser.characterClass() } }
        guard let low = try classScalar() else { return try classEscapeRequired() }
        guard next == "-", position + 1 < scalars.count, scalars[position + 1] != "]" else {
            return try folded(ScalarRanges(low))
        }
        position += 1
        guard next != "[", let high = try classScalar() else {
            throw PatternError("a range in a class that does not end in a character")
        }
        guard low <= high else { throw PatternError("an empty range in a class") }
        return try folded(ScalarRanges([low..<high + 1]))
    }

    /// A single character of a class, nil where a set stands.
    private mutating func classScalar() throws(PatternError) -> UInt32? {
        let start = position
        let scalar = try required()
        guard scalar == "\\" else { return scalar.value }
        if take("b") { return 0x08 }
        if let value = try characterEscape() { return value }
        position = start
        return nil
    }

    private mutating func classEscapeRequired() throws(PatternError) -> ScalarRanges {
        position += 1
        guard let set = try setEscape(words: WordCharacters.inClasses) else {
            throw PatternError("'\\\(next.map(String.init) ?? "")' in a class, which is not supported")
        }
        return set
    }

    /// `[:space:]`; nil if it is none.
    private mutating func posixClass() throws(PatternError) -> ScalarRanges? {
        guard let end = scalars[position...].firstIndex(of: "]"), end > position + 2, scalars[end - 1] == ":" else {
            return nil
        }
        var name = scalars[(position + 2)..<(end - 1)]
        let isNegated = name.first == "^"
        if isNegated { name = name.dropFirst() }
        position = end + 1
        let set = try folded(Self.property(String(String.UnicodeScalarView(name)), WordCharacters.inClasses))
        return isNegated ? set.complement : set
    }

    /// With the other case of each letter, where case does not matter.
    func folded(_ set: ScalarRanges) throws(PatternError) -> ScalarRanges {
        guard options.ignoresCase else { return set }
        let ascii = set.intersection(ScalarRanges([0..<0x80]))
        guard set.subtracting(ascii).intersection(Self.cased).isEmpty else {
            throw PatternError("letters beyond ASCII without regard to case, which is not supported")
        }
        let letters: Range<UInt32> = 0x61..<0x7B
        var result = set.ranges
        for letter in letters where set.contains(letter) || set.contains(letter - 32) {
            result += [letter..<letter + 1, letter - 32..<letter - 31]
            // Old letters that Unicode folds to these: the long s, and the sign of the Kelvin.
            if letter == 0x73 { result.append(0x17F..<0x180) }
            if letter == 0x6B { result.append(0x212A..<0x212B) }
        }
        return ScalarRanges(result)
    }

    /// Everything that may have another case.
    private static let cased = CategorySet([.upperLetters, .lowerLetters]).scalars.union(WordCharacters.otherCased)
}

extension ScriptTable {
    /// The table of a script, by its name in lower case.
    static func named(_ name: String) -> String? {
        switch name {
        case "han": han
        case "hiragana": hiragana
        case "katakana": katakana
        case "hangul": hangul
        case "bopomofo": bopomofo
        case "latin": latin
        case "greek": greek
        case "cyrillic": cyrillic
        case "armenian": armenian
        case "georgian": georgian
        case "hebrew": hebrew
        case "arabic": arabic
        case "devanagari": devanagari
        case "bengali": bengali
        case "tamil": tamil
        case "telugu": telugu
        case "thai": thai
        case "lao": lao
        case "khmer": khmer
        case "myanmar": myanmar
        default: nil
        }
    }
}
