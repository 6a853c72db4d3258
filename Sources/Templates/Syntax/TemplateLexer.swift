/// Cuts a template into tokens, with the settings that Hugging Face templates are written for: `trim_blocks` (a line
/// break after a block or comment is removed) and `lstrip_blocks` (white space between the beginning of a line and a
/// block or comment is removed). A `-` inside a tag removes all white space on its side, a `+` keeps it.
struct TemplateLexer {
    private let source: [UInt8]
    private var position = 0
    private var line = 1
    private var tokens: [TemplateToken] = []
    /// Whether the last tag removed the line break after it: then white space before the next tag begins a line.
    private var isLineStart = true
    /// The closing brackets awaited inside a tag.
    private var awaited: [TemplateToken.Symbol] = []

    static func tokens(of template: String) throws(TemplateError) -> [TemplateToken] {
        guard template.utf8.count <= TemplateLimits.sourceBytes else {
            throw .limit("the template is longer than \(TemplateLimits.sourceBytes) bytes")
        }
        var lexer = TemplateLexer(source: normalized(Array(template.utf8)))
        try lexer.run()
        return lexer.tokens
    }

    private init(source: [UInt8]) { self.source = source }

    /// With `\n` for every line break, and without one at the very end.
    private static func normalized(_ source: [UInt8]) -> [UInt8] {
        var result = withLineFeeds(source)
        if result.last == .lineFeed { result.removeLast() }
        return result
    }

    private static func withLineFeeds(_ text: [UInt8]) -> [UInt8] {
        guard text.contains(.carriageReturn) else { return text }
        var result: [UInt8] = []
        result.reserveCapacity(text.count)
        for (index, byte) in text.enumerated() {
            if byte == .carriageReturn {
                result.append(.lineFeed)
            } else if byte != .lineFeed || index == 0 || text[index - 1] != .carriageReturn {
                result.append(byte)
            }
        }
        return result
    }

    // MARK: Text and tags

    private enum Tag { case block, variable, comment }

    private mutating func run() throws(TemplateError) {
        while position < source.count {
            guard let (start, tag) = nextTag() else {
                emit(.data(Array(source[position...])))
                advance(to: source.count)
                break
            }
            var contentStart = start + 2
            let sign = self.sign(at: contentStart)
            if sign != nil { contentStart += 1 }
            emitData(upTo: start, isVariable: tag == .variable, sign: sign)
            if tag == .block, let rawStart = endOfRawTag(from: contentStart) {
                advance(to: rawStart)
                try readRaw()
                continue
            }
            let begin = tag == .block ? TemplateToken.Kind.blockBegin : .variableBegin
            if tag != .comment { emit(begin) }
            advance(to: contentStart)
            if tag == .comment { try skipComment() } else { try readTag(tag) }
        }
        emit(.end)
    }

    private func nextTag() -> (start: Int, tag: Tag)? {
        var index = position
        while index + 1 < source.count {
            if source[index] == UInt8(ascii: "{") {
                switch source[index + 1] {
                case UInt8(ascii: "%"): return (index, .block)
                case UInt8(ascii: "{"): return (index, .variable)
                case UInt8(ascii: "#"): return (index, .comment)
                default: break
                }
            }
            index += 1
        }
        return nil
    }

    private func sign(at index: Int) -> UInt8? {
        guard index < source.count, source[index] == UInt8(ascii: "-") || source[index] == UInt8(ascii: "+") else {
            return nil
        }
        return source[index]
    }

    /// The text before a tag, without the white space that the tag removes.
    private mutating func emitData(upTo end: Int, isVariable: Bool, sign: UInt8?) {
        var dataEnd = end
        if sign == UInt8(ascii: "-") {
            while let (scalar, start) = source.character(before: dataEnd), start >= position, scalar.isPythonSpace {
                dataEnd = start
            }
        } else if sign == nil, !isVariable {
            var lineStart = end
            while lineStart > position, source[lineStart - 1] != .lineFeed { lineStart -= 1 }
            if lineStart > position || isLineStart, isSpace(lineStart..<end) { dataEnd = lineStart }
        }
        if dataEnd > position { emit(.data(Array(source[position..<dataEnd]))) }
        advance(to: end)
    }

    private func isSpace(_ range: Range<Int>) -> Bool {
        var index = range.lowerBound
        while index < range.upperBound {
            let (scalar, end) = source.character(at: index)
            guard scalar.isPythonSpace else { return false }
            index = end
        }
        return true
    }

    private func endOfSpace(from index: Int) -> Int {
        var index = index
        while index < source.count {
            let (scalar, end) = source.character(at: index)
            guard scalar.isPythonSpace else { break }
            index = end
        }
        return index
    }

    /// The end of a closing tag at `index`: `-%}` with the white space after it, `+%}`, `%}` with one line break.
    private func closing(_ brackets: String, at index: Int, trimsLine: Bool, allowsPlus: Bool) -> Int? {
        if source.hasBytes(Array("-\(brackets)".utf8), at: index) { return endOfSpace(from: index + 3) }
        if allowsPlus, source.hasBytes(Array("+\(brackets)".utf8), at: index) { return index + 3 }
        guard source.hasBytes(Array(brackets.utf8), at: index) else { return nil }
        let end = index + 2
        return trimsLine && end < source.count && source[end] == .lineFeed ? end + 1 : end
    }

    private mutating func skipComment() throws(TemplateError) {
        let startLine = line
        var index = position
        while index < source.count {
            if let end = closing("#}", at: index, trimsLine: true, allowsPlus: true) {
                advance(to: end)
                isLineStart = source[end - 1] == .lineFeed
                return
            }
            index += 1
        }
        // Jinja lets a tag be the last thing.
        if position == source.count { return }
        throw .syntax("a comment has no end", line: startLine)
    }

    /// The end of `raw %}`, if that is what a block's content begins with.
    private func endOfRawTag(from index: Int) -> Int? {
        let start = endOfSpace(from: index)
        guard source.hasBytes(Array("raw".utf8), at: start) else { return nil }
        return closing("%}", at: endOfSpace(from: start + 3), trimsLine: false, allowsPlus: false)
    }

    /// Literal text up to `{% endraw %}`.
    private mutating func readRaw() throws(TemplateError) {
        let startLine = line
        isLineStart = position > 0 && source[position - 1] == .lineFeed
        var index = position
        while let start = source[index...].firstIndex(of: UInt8(ascii: "{")) {
            index = start + 1
            guard source.hasBytes(Array("{%".utf8), at: start) else { continue }
            let sign = self.sign(at: start + 2)
            let word = endOfSpace(from: start + (sign == nil ? 2 : 3))
            guard source.hasBytes(Array("endraw".utf8), at: word),
                let end = closing("%}", at: endOfSpace(from: word + 6), trimsLine: true, allowsPlus: true)
            else { continue }
            emitData(upTo: start, isVariable: false, sign: sign)
            advance(to: end)
            isLineStart = source[end - 1] == .lineFeed
            return
        }
        if position == source.count { return }
        throw .syntax("a raw block has no end", line: startLine)
    }

    private mutating func emit(_ kind: TemplateToken.Kind) { tokens.append(TemplateToken(kind: kind, line: line)) }

    private mutating func advance(to end: Int) {
        for byte in source[position..<end] where byte == .lineFeed { line += 1 }
        position = end
    }

    // MARK: Inside a tag

    private mutating func readTag(_ tag: Tag) throws(TemplateError) {
        let (brackets, kind) = tag == .block ? ("%}", TemplateToken.Kind.blockEnd) : ("}}", .variableEnd)
        while position < source.count {
            if awaited.isEmpty,
                let end = closing(brackets, at: position, trimsLine: tag == .block, allowsPlus: tag == .block)
            {
                emit(kind)
                advance(to: end)
                isLineStart = source[end - 1] == .lineFeed
                return
            }
            let space = endOfSpace(from: position)
            if space > position { advance(to: space) } else { try readToken() }
        }
        // The parser says what it misses.
    }

    private mutating func readToken() throws(TemplateError) {
        let byte = source[position]
        if byte.isDigit {
            try readNumber()
        } else if byte == UInt8(ascii: "'") || byte == UInt8(ascii: "\"") {
            try readString(quote: byte)
        } else if let end = endOfName() {
            emit(.name(String(decoding: source[position..<end], as: UTF8.self)))
            advance(to: end)
        } else {
            try readSymbol()
        }
    }

    private func endOfName() -> Int? {
        var index = position
        while index < source.count {
            let (scalar, end) = source.character(at: index)
            let fits = index == position ? scalar.isNameStart : scalar.isNamePart
            guard fits else { break }
            index = end
        }
        return index > position ? index : nil
    }

    private mutating func readSymbol() throws(TemplateError) {
        for length in [2, 1] where position + length <= source.count {
            let text = String(decoding: source[position..<position + length], as: UTF8.self)
            guard let symbol = TemplateToken.Symbol(rawValue: text) else { continue }
            switch symbol {
            case .leftBrace: awaited.append(.rightBrace)
            case .leftParenthesis: awaited.append(.rightParenthesis)
            case .leftBracket: awaited.append(.rightBracket)
            case .rightBrace, .rightParenthesis, .rightBracket:
                guard awaited.popLast() == symbol else { throw .syntax("unexpected '\(text)'", line: line) }
            default: break
            }
            emit(.symbol(symbol))
            return advance(to: position + length)
        }
        throw .syntax("unexpected character '\(source.character(at: position).value)'", line: line)
    }
}

// MARK: Literals

extension TemplateLexer {
    private mutating func readNumber() throws(TemplateError) {
        // "1.5" is a number, but in "a.1.5" there are two subscripts.
        let follows = position > 0 && source[position - 1] == UInt8(ascii: ".")
        if !follows, let end = endOfFloat() {
            let text = spelling(upTo: end)
            guard let value = Double(text) else { throw .syntax("'\(text)' is no number", line: line) }
            emit(.number(value))
            return advance(to: end)
        }
        let end = endOfInteger()
        let text = spelling(upTo: end).lowercased()
        let prefixes = ["0x": 16, "0o": 8, "0b": 2]
        let radix = prefixes[String(text.prefix(2))]
        guard let value = radix.map({ Int(text.dropFirst(2), radix: $0) }) ?? Int(text) else {
            throw .syntax("the number \(text) is too large", line: line)
        }
        emit(.integer(value))
        advance(to: end)
    }

    private func spelling(upTo end: Int) -> String {
        String(decoding: source[position..<end].filter { $0 != UInt8(ascii: "_") }, as: UTF8.self)
    }

    /// The end of digits that single underscores may separate.
    private func endOfDigits(from start: Int, _ isDigit: (UInt8) -> Bool = { $0.isDigit }) -> Int {
        var index = start
        while index < source.count {
            if isDigit(source[index]) {
                index += 1
            } else if source[index] == UInt8(ascii: "_"), index > start, source[index - 1] != UInt8(ascii: "_"),
                index + 1 < source.count, isDigit(source[index + 1])
            {
                index += 1
            } else {
                break
            }
        }
        return index
    }

    /// The end of a number with a fraction, an exponent, or both; nil if there is neither.
    private func endOfFloat() -> Int? {
        var end = endOfDigits(from: position)
        var isFloat = false
        if end + 1 < source.count, source[end] == UInt8(ascii: "."), source[end + 1].isDigit {
            end = endOfDigits(from: end + 1)
            isFloat = true
        }
        if end < source.count, source[end] | 0x20 == UInt8(ascii: "e") {
            var digits = end + 1
            if sign(at: digits) != nil { digits += 1 }
            if digits < source.count, source[digits].isDigit { return endOfDigits(from: digits) }
        }
        return isFloat ? end : nil
    }

    private func endOfInteger() -> Int {
        if source[position] == UInt8(ascii: "0") {
            let digits: [UInt8: (UInt8) -> Bool] = [
                UInt8(ascii: "x"): { $0.isHexDigit }, UInt8(ascii: "o"): { (0x30...0x37).contains($0) },
                UInt8(ascii: "b"): { (0x30...0x31).contains($0) },
            ]
            if position + 1 < source.count, let isDigit = digits[source[position + 1] | 0x20] {
                let start = position + 2
                let first = start < source.count && source[start] == UInt8(ascii: "_") ? start + 1 : start
                let end = endOfDigits(from: first, isDigit)
                if end > first { return end }
            }
            // Zeros only: a decimal number does not begin with one.
            return endOfDigits(from: position) { $0 == 0x30 }
        }
        return endOfDigits(from: position)
    }

    private mutating func readString(quote: UInt8) throws(TemplateError) {
        var index = position + 1
        while index < source.count, source[index] != quote {
            index += source[index] == UInt8(ascii: "\\") ? 2 : 1
        }
        guard index < source.count else { throw .syntax("a string has no end", line: line) }
        let content = Array(source[(position + 1)..<index])
        emit(.string(try StringEscapes.resolved(content, line: line)))
        advance(to: index + 1)
    }
}
