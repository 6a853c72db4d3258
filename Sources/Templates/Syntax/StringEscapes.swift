/// The escapes of a string literal, as Python's `unicode-escape` reads them.
enum StringEscapes {
    static func resolved(_ content: [UInt8], line: Int) throws(TemplateError) -> [UInt8] {
        guard content.contains(UInt8(ascii: "\\")) else { return content }
        var result: [UInt8] = []
        var index = 0
        while index < content.count {
            guard content[index] == UInt8(ascii: "\\"), index + 1 < content.count else {
                result.append(content[index])
                index += 1
                continue
            }
            let letter = content[index + 1]
            index += 2
            switch letter {
            case .lineFeed: break
            case UInt8(ascii: "x"): try append(digits: 2, of: content, &index, to: &result, line: line)
            case UInt8(ascii: "u"): try append(digits: 4, of: content, &index, to: &result, line: line)
            case UInt8(ascii: "U"): try append(digits: 8, of: content, &index, to: &result, line: line)
            case UInt8(ascii: "N"): throw .syntax("characters cannot be spelled by name here", line: line)
            case 0x30...0x37: appendOctal(content, &index, to: &result)
            case 0x80...: appendSpelled(content, &index, to: &result)
            default:
                if let value = simple[letter] { result.append(value) } else { result += [UInt8(ascii: "\\"), letter] }
            }
        }
        return result
    }

    private static let simple: [UInt8: UInt8] = [
        UInt8(ascii: "\\"): UInt8(ascii: "\\"), UInt8(ascii: "'"): UInt8(ascii: "'"),
        UInt8(ascii: "\""): UInt8(ascii: "\""), UInt8(ascii: "a"): 0x07, UInt8(ascii: "b"): 0x08,
        UInt8(ascii: "f"): 0x0C, UInt8(ascii: "n"): 0x0A, UInt8(ascii: "r"): 0x0D, UInt8(ascii: "t"): 0x09,
        UInt8(ascii: "v"): 0x0B,
    ]

    private static func append(
        digits count: Int,
        of content: [UInt8],
        _ index: inout Int,
        to result: inout [UInt8],
        line: Int
    ) throws(TemplateError) {
        let end = min(content.count, index + count)
        let spelling = content[index..<end]
        guard spelling.count == count, spelling.allSatisfy(\.isHexDigit),
            let value = UInt32(String(decoding: spelling, as: UTF8.self), radix: 16), value <= 0x10FFFF
        else { throw .syntax("a string has a malformed escape", line: line) }
        index = end
        append(value, to: &result)
    }

    /// Up to three octal digits, the first of them before `index`.
    private static func appendOctal(_ content: [UInt8], _ index: inout Int, to result: inout [UInt8]) {
        var value = UInt32(content[index - 1] - 0x30)
        for _ in 0..<2 {
            guard index < content.count, (0x30...0x37).contains(content[index]) else { break }
            value = value * 8 + UInt32(content[index] - 0x30)
            index += 1
        }
        append(value, to: &result)
    }

    /// A lone surrogate becomes the replacement character.
    private static func append(_ value: UInt32, to result: inout [UInt8]) {
        result += Array(String(Unicode.Scalar(value) ?? "\u{FFFD}").utf8)
    }

    /// A backslash before a character that is not ASCII. Jinja turns the character into an escape before it looks for
    /// escapes, and so two backslashes meet: what remains is the escape's spelling.
    private static func appendSpelled(_ content: [UInt8], _ index: inout Int, to result: inout [UInt8]) {
        let (scalar, end) = content.character(at: index - 1)
        index = end
        let digits = String(scalar.value, radix: 16)
        let (letter, width) = scalar.value < 0x100 ? ("x", 2) : scalar.value < 0x10000 ? ("u", 4) : ("U", 8)
        result += Array("\\\(letter)\(String(repeating: "0", count: width - digits.count))\(digits)".utf8)
    }
}
