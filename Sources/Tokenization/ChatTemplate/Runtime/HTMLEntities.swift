/// HTML's character references, as Python's `html.unescape` reads them.
///
/// Of the named ones it has those that need no semicolon, which are the oldest, and the usual marks of typography; the
/// other two thousand stay as they are.
enum HTMLEntities {
    /// From U+00A0 on.
    private static let latin = """
        nbsp iexcl cent pound curren yen brvbar sect uml copy ordf laquo not shy reg macr deg plusmn sup2 sup3 acute \
        micro para middot cedil sup1 ordm raquo frac14 frac12 frac34 iquest Agrave Aacute Acirc Atilde Auml Aring AElig \
        Ccedil Egrave Eacute Ecirc Euml Igrave Iacute Icirc Iuml ETH Ntilde Ograve Oacute Ocirc Otilde Ouml times \
        Oslash Ugrave Uacute Ucirc Uuml Yacute THORN szlig agrave aacute acirc atilde auml aring aelig ccedil egrave \
        eacute ecirc euml igrave iacute icirc iuml eth ntilde ograve oacute ocirc otilde ouml divide oslash ugrave \
        uacute ucirc uuml yacute thorn yuml
        """

    /// Those that need no semicolon.
    private static let short: [String: Unicode.Scalar] = {
        var names: [String: Unicode.Scalar] = [
            "amp": "&", "lt": "<", "gt": ">", "quot": "\"", "AMP": "&", "LT": "<", "GT": ">", "QUOT": "\"",
            "COPY": "\u{A9}", "REG": "\u{AE}",
        ]
        for (index, name) in latin.split(separator: " ").enumerated() {
            names[String(name)] = Unicode.Scalar(UInt8(0xA0 + index))
        }
        return names
    }()

    private static let long: [String: Unicode.Scalar] = [
        "apos": "'", "ndash": "\u{2013}", "mdash": "\u{2014}", "lsquo": "\u{2018}", "rsquo": "\u{2019}",
        "sbquo": "\u{201A}", "ldquo": "\u{201C}", "rdquo": "\u{201D}", "bdquo": "\u{201E}", "hellip": "\u{2026}",
        "bull": "\u{2022}", "dagger": "\u{2020}", "permil": "\u{2030}", "prime": "\u{2032}", "lsaquo": "\u{2039}",
        "rsaquo": "\u{203A}", "euro": "\u{20AC}", "trade": "\u{2122}", "larr": "\u{2190}", "uarr": "\u{2191}",
        "rarr": "\u{2192}", "darr": "\u{2193}", "harr": "\u{2194}", "minus": "\u{2212}", "infin": "\u{221E}",
        "ne": "\u{2260}", "le": "\u{2264}", "ge": "\u{2265}", "ensp": "\u{2002}", "emsp": "\u{2003}",
        "thinsp": "\u{2009}", "zwnj": "\u{200C}", "zwj": "\u{200D}", "lrm": "\u{200E}", "rlm": "\u{200F}",
        "OElig": "\u{152}", "oelig": "\u{153}", "Scaron": "\u{160}", "scaron": "\u{161}", "Yuml": "\u{178}",
    ]

    /// What the references U+0080 to U+009F mean: the characters of Windows-1252.
    private static let windows = Array(
        ("\u{20AC}\u{81}\u{201A}\u{192}\u{201E}\u{2026}\u{2020}\u{2021}\u{2C6}\u{2030}\u{160}\u{2039}\u{152}\u{8D}\u{17D}"
            + "\u{8F}\u{90}\u{2018}\u{2019}\u{201C}\u{201D}\u{2022}\u{2013}\u{2014}\u{2DC}\u{2122}\u{161}\u{203A}\u{153}"
            + "\u{9D}\u{17E}\u{178}").unicodeScalars
    )

    /// The references of a text replaced by what they stand for, which has the origin of its reference.
    static func replaced(in text: Text, _ budget: Budget) throws(TemplateError) -> Text {
        try budget.spend(bytes: text.count)
        var builder = TextBuilder(budget)
        var done = 0
        var offset = 0
        while offset < text.count {
            guard text[offset] == UInt8(ascii: "&"), let (meaning, end) = reference(in: text, after: offset + 1) else {
                offset += 1
                continue
            }
            try builder.append(text[done..<offset])
            try builder.append(meaning, text.origin(at: offset))
            (done, offset) = (end, end)
        }
        try builder.append(text[done..<text.count])
        return builder.finish()
    }

    private static func reference(in text: Text, after start: Int) -> (meaning: String, end: Int)? {
        guard start < text.count, text[start] == UInt8(ascii: "#") else { return named(in: text, from: start) }
        var offset = start + 1
        let isHex = offset < text.count && text[offset] | 0x20 == UInt8(ascii: "x")
        if isHex { offset += 1 }
        let first = offset
        var value: UInt32 = 0
        while offset < text.count, let digit = Character(Unicode.Scalar(text[offset])).hexDigitValue,
            isHex || digit < 10
        {
            value = min(value * (isHex ? 16 : 10) + UInt32(digit), 0x110000)
            offset += 1
        }
        guard offset > first else { return nil }
        if offset < text.count, text[offset] == UInt8(ascii: ";") { offset += 1 }
        return (character(value), offset)
    }

    private static func character(_ value: UInt32) -> String {
        if 0x80...0x9F ~= value { return String(windows[Int(value - 0x80)]) }
        guard value != 0, let scalar = Unicode.Scalar(value) else { return "\u{FFFD}" }
        switch value {
        case 0x01...0x08, 0x0B, 0x0E...0x1F, 0x7F, 0xFDD0...0xFDEF: return ""
        default: return value & 0xFFFE == 0xFFFE ? "" : String(scalar)
        }
    }

    /// The longest name that a reference begins with.
    private static func named(in text: Text, from start: Int) -> (meaning: String, end: Int)? {
        var end = start
        while end < text.count, end - start < 32, isNamePart(text[end]) { end += 1 }
        let name = text[start..<end].string
        if end < text.count, text[end] == UInt8(ascii: ";"), let scalar = short[name] ?? long[name] {
            return (String(scalar), end + 1)
        }
        while end > start {
            if let scalar = short[text[start..<end].string] { return (String(scalar), end) }
            end -= 1
        }
        return nil
    }

    /// No name that is known has other bytes.
    private static func isNamePart(_ byte: UInt8) -> Bool {
        byte.isDigit || (byte < 0x80 && 0x41...0x5A ~= byte & 0xDF)
    }
}
