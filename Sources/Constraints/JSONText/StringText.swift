/// Expressions that are made once for a pool.
struct CommonExpressions: Sendable {
    /// A character of a string in its one spelling, and in any.
    var character: RegexID?
    var spelling: RegexID?
}

/// How strings are written in JSON.
///
/// Where the content of a string matters, each character has one way to be written: as itself where that is allowed, else
/// by its short escape, else as `\u00` and two digits. So a text that a pattern or a list excludes cannot come in by
/// another spelling. Where only its length matters, every spelling of JSON is possible.
extension RegexPool {
    static let quote = UInt8(ascii: "\"")

    /// What escapes with one letter stand for.
    private static let shortEscapes: [(scalar: UInt32, letter: UInt8)] = [
        (0x22, UInt8(ascii: "\"")), (0x5C, UInt8(ascii: "\\")), (0x08, UInt8(ascii: "b")), (0x0C, UInt8(ascii: "f")),
        (0x0A, UInt8(ascii: "n")), (0x0D, UInt8(ascii: "r")), (0x09, UInt8(ascii: "t")),
    ]
    private static let escaped = ScalarSet([0...0x1F, 0x22...0x22, 0x5C...0x5C])

    /// A character of a set, in its one spelling.
    mutating func character(in set: ScalarSet) -> RegexID {
        var parts = [utf8(set.subtracting(Self.escaped))]
        var letters = ByteSet.none
        for (scalar, letter) in Self.shortEscapes where set.contains(scalar) { letters.insert(letter) }
        if !letters.isEmpty { parts.append(pair(byte(UInt8(ascii: "\\")), bytes(letters))) }
        for scalar in 0..<UInt32(0x20)
        where set.contains(scalar) && !Self.shortEscapes.contains(where: { $0.scalar == scalar }) {
            parts.append(literal(Self.longEscape(scalar)))
        }
        return union(parts)
    }

    /// Any character, in its one spelling.
    mutating func anyCharacter() -> RegexID {
        if let known = common.character { return known }
        let result = character(in: .all)
        common.character = result
        return result
    }

    /// Any character, in every spelling that JSON allows; half a surrogate pair is none.
    mutating func anySpelling() -> RegexID {
        if let known = common.spelling { return known }
        let result = makeSpelling()
        common.spelling = result
        return result
    }

    private mutating func makeSpelling() -> RegexID {
        let plain = utf8(ScalarSet.all.subtracting(Self.escaped))
        let letters = bytes(ByteSet("\"\\/bfnrt".utf8))
        let digit = bytes(ByteSet("0123456789abcdefABCDEF".utf8))
        let d = bytes(ByteSet("dD".utf8))
        let notD = bytes(ByteSet("0123456789abcefABCEF".utf8))
        let single = union(
            sequence(notD, digit, digit, digit),
            sequence(d, bytes(ByteSet("01234567".utf8)), digit, digit)
        )
        let leading = sequence(d, bytes(ByteSet("89abAB".utf8)), digit, digit)
        let trailing = sequence(d, bytes(ByteSet("cdefCDEF".utf8)), digit, digit)
        let u = byte(UInt8(ascii: "u"))
        let backslash = byte(UInt8(ascii: "\\"))
        let long = pair(u, union(single, sequence(leading, backslash, u, trailing)))
        return union(plain, pair(backslash, union(letters, long)))
    }

    /// A string of characters, with its quotes.
    mutating func quoted(_ content: RegexID) -> RegexID {
        let quote = byte(Self.quote)
        return sequence(quote, content, quote)
    }

    /// Any string whose characters have one spelling.
    mutating func plainString() -> RegexID {
        let character = anyCharacter()
        return quoted(star(character))
    }

    /// A string of `least` to `most` characters in any spelling; without an upper limit if `most` is nil.
    mutating func string(least: Int, most: Int?) -> RegexID {
        let character = anySpelling()
        return quoted(repetition(character, Int32(clamping: least), Self.limit(most)))
    }

    /// As `string(least:most:)`, in the one spelling.
    mutating func plainString(least: Int, most: Int?) -> RegexID {
        let character = anyCharacter()
        return quoted(repetition(character, Int32(clamping: least), Self.limit(most)))
    }

    private static func limit(_ most: Int?) -> Int32 {
        guard let most, most < Int(Int32.max) else { return RegexNode.unlimited }
        return Int32(most)
    }

    /// Any of some strings, written as JSON; shared beginnings are one path.
    mutating func strings(_ texts: [[UInt8]]) -> RegexID {
        union(texts.map { literal(Self.jsonString($0)) })
    }

    /// A string in its one spelling, with quotes.
    static func jsonString(_ text: [UInt8]) -> [UInt8] {
        var result = [quote]
        for byte in text {
            if byte >= 0x20, byte != quote, byte != UInt8(ascii: "\\") {
                result.append(byte)
            } else if let escape = shortEscapes.first(where: { $0.scalar == UInt32(byte) }) {
                result += [UInt8(ascii: "\\"), escape.letter]
            } else {
                result += longEscape(UInt32(byte))
            }
        }
        result.append(quote)
        return result
    }

    private static func longEscape(_ scalar: UInt32) -> [UInt8] {
        let digits = Array("0123456789abcdef".utf8)
        return Array("\\u00".utf8) + [digits[Int(scalar >> 4)], digits[Int(scalar & 15)]]
    }
}
