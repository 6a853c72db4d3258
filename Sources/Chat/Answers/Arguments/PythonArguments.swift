import JSON

/// Arguments of a call in Python, `city="Paris", days=[1, 2], exact=True`, up to the parenthesis that ends it.
struct PythonArguments: Sendable {
    private var literals = Literals(quotes: .python)
    private var isFirst = true

    mutating func read(_ buffer: inout AnswerBuffer, into output: inout [UInt8]) -> Bool {
        if isFirst {
            isFirst = false
            output.append(UInt8(ascii: "{"))
            literals.open(.arguments)
        }
        return literals.read(&buffer, into: &output)
    }
}

/// `{city:<|"|>Paris<|"|>,days:[1,2]}`.
struct BareArguments: Sendable {
    private var literals: Literals

    /// - Parameter isSpecial: whether the quote is a special token, and text where that is only spelled.
    init(quote: String, isSpecial: Bool) {
        literals = Literals(quotes: .marker(Array(quote.utf8)), isSpecial: isSpecial)
    }

    mutating func read(_ buffer: inout AnswerBuffer, into output: inout [UInt8]) -> Bool {
        literals.read(&buffer, into: &output)
    }
}

/// Makes JSON of nested literals that are not quite JSON: Python's, or those with a marker for quotes.
struct Literals: Sendable {
    enum Quotes: Sendable {
        case python
        case marker([UInt8])
    }

    enum Container: Sendable {
        case object, array
        /// A tuple, which becomes an array.
        case tuple
        /// A call's arguments, with `=` after their names, ended by a parenthesis that stays in the buffer.
        case arguments
    }

    private enum State: Sendable {
        case outside
        case string(quote: [UInt8])
    }

    private static let deepest = 256
    private static let longestWord = 1024

    private let quotes: Quotes
    /// Whether the marker is a special token.
    private let isSpecial: Bool
    private var containers: [Container] = []
    private var state = State.outside
    /// Whether a name comes next, in a container that has names.
    private var expectsKey = false
    /// Whether a comma was read, and nothing since: one before a closing bracket is left out.
    private var isAfterComma = false

    init(quotes: Quotes, isSpecial: Bool = false) {
        self.quotes = quotes
        self.isSpecial = isSpecial
    }

    mutating func open(_ container: Container) {
        containers.append(container)
        expectsKey = container == .object || container == .arguments
    }

    mutating func read(_ buffer: inout AnswerBuffer, into output: inout [UInt8]) -> Bool {
        while !buffer.isEmpty {
            switch state {
            case .string(let quote):
                guard string(quote, &buffer, into: &output) else { return false }
            case .outside:
                switch outside(&buffer, into: &output) {
                case nil: return false
                case true?: return true
                case false?: break
                }
            }
        }
        return false
    }

    /// - Returns: whether all is read; nil if more is needed.
    private mutating func outside(_ buffer: inout AnswerBuffer, into output: inout [UInt8]) -> Bool? {
        buffer.skipSpace()
        guard !buffer.isEmpty else { return nil }
        if isAfterComma, !Self.closes(buffer[buffer.start]) {
            output += ", ".utf8
            isAfterComma = false
        }
        switch beginString(&buffer, into: &output) {
        case .whole: return false
        case .partial: return nil
        case .no: break
        }
        let byte = buffer[buffer.start]
        switch byte {
        case UInt8(ascii: "{"), UInt8(ascii: "["), UInt8(ascii: "("):
            guard containers.count < Self.deepest else {
                buffer.consume(to: buffer.start + 1)
                return false
            }
            let container: Container = byte == UInt8(ascii: "{") ? .object : byte == UInt8(ascii: "[") ? .array : .tuple
            output.append(byte == UInt8(ascii: "{") ? byte : UInt8(ascii: "["))
            open(container)
        case UInt8(ascii: "}"), UInt8(ascii: "]"), UInt8(ascii: ")"):
            return close(&buffer, into: &output)
        case UInt8(ascii: ","):
            isAfterComma = true
            expectsKey = containers.last == .object || containers.last == .arguments
        case UInt8(ascii: ":"), UInt8(ascii: "="):
            output += ": ".utf8
            expectsKey = false
        default: return word(&buffer, into: &output) ? false : nil
        }
        buffer.consume(to: buffer.start + 1)
        return false
    }

    private mutating func close(_ buffer: inout AnswerBuffer, into output: inout [UInt8]) -> Bool {
        let container = containers.popLast() ?? .object
        isAfterComma = false
        if container == .arguments {
            output.append(UInt8(ascii: "}"))
            return true
        }
        output.append(container == .object ? UInt8(ascii: "}") : UInt8(ascii: "]"))
        buffer.consume(to: buffer.start + 1)
        return containers.isEmpty
    }

    // MARK: Strings

    private mutating func beginString(_ buffer: inout AnswerBuffer, into output: inout [UInt8]) -> MarkerMatch {
        let quote: [UInt8]
        switch quotes {
        case .python:
            let byte = buffer[buffer.start]
            guard byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "'") else { return .no }
            quote = [byte]
        case .marker(let marker):
            let match = match(marker, buffer, at: buffer.start)
            // A quote of JSON is understood as well.
            let isPlain = buffer[buffer.start] == UInt8(ascii: "\"")
            guard match == .no ? isPlain : match != .partial else { return match }
            quote = match == .no ? [UInt8(ascii: "\"")] : marker
        }
        output.append(UInt8(ascii: "\""))
        buffer.consume(to: buffer.start + quote.count)
        state = .string(quote: quote)
        return .whole(end: buffer.start)
    }

    private func match(_ marker: [UInt8], _ buffer: AnswerBuffer, at index: Int) -> MarkerMatch {
        if isSpecial, marker.count > 1, !buffer.isSpecial(at: index) { return .no }
        for (offset, byte) in marker.enumerated() {
            guard index + offset < buffer.end else { return buffer.isFinal ? .no : .partial }
            guard buffer[index + offset] == byte else { return .no }
        }
        return .whole(end: index + marker.count)
    }

    /// - Returns: false if more is needed.
    private mutating func string(
        _ quote: [UInt8],
        _ buffer: inout AnswerBuffer,
        into output: inout [UInt8]
    ) -> Bool {
        let hasEscapes = quote.count == 1
        var index = buffer.start
        defer { buffer.consume(to: index) }
        while index < buffer.end {
            if hasEscapes, buffer[index] == UInt8(ascii: "\\") {
                guard let length = Self.escape(buffer, at: index, into: &output) else { return false }
                index += length
                continue
            }
            switch match(quote, buffer, at: index) {
            case .partial: return false
            case .whole(let end):
                output.append(UInt8(ascii: "\""))
                index = end
                state = .outside
                return true
            case .no:
                JSONText.append(buffer[index], to: &output)
                index += 1
            }
        }
        return false
    }

    /// An escape of Python's, which begins at an index.
    /// - Returns: its length; nil if more is needed.
    private static func escape(_ buffer: AnswerBuffer, at index: Int, into output: inout [UInt8]) -> Int? {
        guard index + 1 < buffer.end else { return nil }
        let letter = buffer[index + 1]
        switch letter {
        case UInt8(ascii: "n"), UInt8(ascii: "r"), UInt8(ascii: "t"), UInt8(ascii: "b"), UInt8(ascii: "f"):
            output += [UInt8(ascii: "\\"), letter]
            return 2
        case UInt8(ascii: "u"), UInt8(ascii: "x"):
            let count = letter == UInt8(ascii: "u") ? 4 : 2
            let digits = buffer.bytes[index + 2..<min(buffer.end, index + 2 + count)]
            let areDigits = digits.allSatisfy { $0.isHexadecimalDigit }
            if areDigits, digits.count < count, !buffer.isFinal { return nil }
            guard areDigits, digits.count == count else {
                JSONText.append([UInt8(ascii: "\\"), letter], to: &output)
                return 2
            }
            output += (count == 2 ? "\\u00" : "\\u").utf8
            output += digits
            return 2 + count
        case UInt8(ascii: "\\"), UInt8(ascii: "\""), UInt8(ascii: "'"), UInt8(ascii: "/"):
            JSONText.append(letter, to: &output)
            return 2
        // A line that goes on.
        case 0x0A: return 2
        default:
            // Python leaves it as it is.
            JSONText.append(UInt8(ascii: "\\"), to: &output)
            return 1
        }
    }

    // MARK: Words

    /// A number, a name or one of the words for true, false and nothing.
    /// - Returns: false if more is needed.
    private mutating func word(_ buffer: inout AnswerBuffer, into output: inout [UInt8]) -> Bool {
        var end = buffer.start
        let limit = min(buffer.end, buffer.start + Self.longestWord)
        while end < limit, !Self.endsWord(buffer[end]) { end += 1 }
        guard end < buffer.end || buffer.isFinal else { return false }
        // A sign that begins nothing, where a word is empty, is passed over.
        guard end > buffer.start else {
            buffer.consume(to: buffer.start + 1)
            return true
        }
        let word = Array(buffer.bytes[buffer.start..<end].trimmed)
        buffer.consume(to: end)
        if expectsKey {
            JSONText.appendString(word, to: &output)
            return true
        }
        switch String(decoding: word, as: UTF8.self) {
        case "True", "true": output += "true".utf8
        case "False", "false": output += "false".utf8
        case "None", "null", "none": output += "null".utf8
        default:
            if let node = (try? JSONDocument(word))?.root, SchemaKinds.kind(of: node) == .number {
                output += word
            } else {
                JSONText.appendString(word, to: &output)
            }
        }
        return true
    }

    private static func closes(_ byte: UInt8) -> Bool {
        byte == UInt8(ascii: "}") || byte == UInt8(ascii: "]") || byte == UInt8(ascii: ")")
    }

    private static func endsWord(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: ","), UInt8(ascii: ":"), UInt8(ascii: "="), UInt8(ascii: "{"), UInt8(ascii: "}"),
            UInt8(ascii: "["), UInt8(ascii: "]"), UInt8(ascii: "("), UInt8(ascii: ")"):
            true
        default: false
        }
    }
}

extension UInt8 {
    var isHexadecimalDigit: Bool {
        isDigit || (UInt8(ascii: "a")...UInt8(ascii: "f")).contains(self)
            || (UInt8(ascii: "A")...UInt8(ascii: "F")).contains(self)
    }
}
