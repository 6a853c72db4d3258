import JSON

/// Arguments each between markers of its own: `<parameter=city>\nParis\n</parameter>`.
struct ParameterArguments: Sendable {
    private enum State: Sendable {
        case between
        case key
        /// A string, passed on as it comes. `isFirst`: nothing of it has come.
        case string(isFirst: Bool)
        /// What may be JSON, held until it is whole.
        case other(ParameterValue)
    }

    private static let longestKey = 1024

    private let start: Marker
    private let nameEnd: Marker
    private let otherNameEnd: Marker?
    private let valueEnd: Marker
    private let callEnd: Marker
    private let types: SchemaKinds
    private var state = State.between
    private var isFirst = true

    init(_ syntax: ParameterSyntax, callEnd: String, _ types: SchemaKinds) {
        start = Marker(syntax.start)
        nameEnd = Marker(syntax.nameEnd)
        otherNameEnd = syntax.otherNameEnd.map { Marker($0) }
        valueEnd = Marker(syntax.valueEnd)
        // A call ends at the first word of what ends it.
        self.callEnd = Marker(callEnd.split(whereSeparator: \.isWhitespace).first.map(String.init) ?? "")
        self.types = types
    }

    mutating func read(_ buffer: inout AnswerBuffer, into output: inout [UInt8]) -> Bool {
        while true {
            let goesOn: Bool
            switch state {
            case .between:
                switch between(&buffer) {
                case .whole:
                    output += (isFirst ? "{}" : "}").utf8
                    return true
                case .partial: return false
                case .no: goesOn = true
                }
            case .key: goesOn = key(&buffer, into: &output)
            case .string(let isFirst): goesOn = string(&buffer, isFirst: isFirst, into: &output)
            case .other(var value):
                // Held twice, the value would be copied for every piece.
                state = .between
                goesOn = other(&value, &buffer, into: &output)
                if !goesOn { state = .other(value) }
            }
            guard goesOn else { return false }
        }
    }

    /// Looks for the next parameter, or the call's end.
    /// - Returns: `whole` at the end, `partial` if more is needed.
    private mutating func between(_ buffer: inout AnswerBuffer) -> MarkerMatch {
        while true {
            buffer.skipSpace()
            guard !buffer.isEmpty else { return .partial }
            let next = start.match(buffer, at: buffer.start)
            if case .whole(let end) = next {
                buffer.consume(to: end)
                state = .key
                return .no
            }
            let last = callEnd.match(buffer, at: buffer.start)
            if case .whole = last { return last }
            if next == .partial || last == .partial { return .partial }
            // Neither belongs here: it is passed over.
            buffer.consume(to: buffer.start + 1)
        }
    }

    private mutating func key(_ buffer: inout AnswerBuffer, into output: inout [UInt8]) -> Bool {
        var index = buffer.start
        let limit = min(buffer.end, buffer.start + Self.longestKey)
        while index < limit {
            let ends = [nameEnd] + (otherNameEnd.map { [$0] } ?? [])
            let matches = ends.map { $0.match(buffer, at: index) }
            for (number, match) in matches.enumerated() {
                guard case .whole(let end) = match else { continue }
                let key = buffer.bytes[buffer.start..<index].trimmed
                begin(Array(key), isOther: number == 1, into: &output)
                buffer.consume(to: end)
                return true
            }
            if matches.contains(.partial) { return false }
            index += 1
        }
        guard index - buffer.start >= Self.longestKey else { return false }
        // No name is that long.
        buffer.consume(to: index)
        state = .between
        return true
    }

    private mutating func begin(_ key: [UInt8], isOther: Bool, into output: inout [UInt8]) {
        output += (isFirst ? "{" : ", ").utf8
        isFirst = false
        JSONText.appendString(key, to: &output)
        output += ": ".utf8
        let kinds = types.kinds(of: String(decoding: key, as: UTF8.self))
        let isString = otherNameEnd == nil ? kinds == [.string] : !isOther
        state = isString ? .string(isFirst: true) : .other(ParameterValue(kinds: otherNameEnd == nil ? kinds : nil))
    }

    /// Where the value ends, from an index.
    private func endOfValue(_ buffer: AnswerBuffer, from first: Int) -> (index: Int, match: MarkerMatch) {
        for index in first..<max(first, buffer.end) {
            let match = endMatch(buffer, at: index)
            if match != .no { return (index, match) }
        }
        return (max(first, buffer.end), .no)
    }

    /// Whether the value ends at an index.
    private func endMatch(_ buffer: AnswerBuffer, at index: Int) -> MarkerMatch {
        // The white space before the marker's core is the marker's only if the core follows.
        var place = index
        for byte in valueEnd.spaceBefore where place < buffer.end && buffer[place] == byte { place += 1 }
        if place == buffer.end, place > index, !buffer.isFinal { return .partial }
        return valueEnd.match(buffer, at: place)
    }

    /// Goes past the white space that stands between a parameter's name and its value.
    /// - Returns: false if more is needed to know.
    private func skipSpaceBeforeValue(_ buffer: inout AnswerBuffer) -> Bool {
        let space = nameEnd.spaceAfter
        guard !space.isEmpty else { return true }
        guard buffer.end - buffer.start >= space.count || buffer.isFinal else { return false }
        if buffer.bytes[buffer.start...].starts(with: space) { buffer.consume(to: buffer.start + space.count) }
        return true
    }

    private mutating func string(
        _ buffer: inout AnswerBuffer,
        isFirst: Bool,
        into output: inout [UInt8]
    ) -> Bool {
        if isFirst {
            guard skipSpaceBeforeValue(&buffer) else { return false }
            output.append(UInt8(ascii: "\""))
            state = .string(isFirst: false)
        }
        let (index, match) = endOfValue(buffer, from: buffer.start)
        JSONText.append(buffer.bytes[buffer.start..<index], to: &output)
        buffer.consume(to: index)
        guard case .whole(let end) = match else { return false }
        output.append(UInt8(ascii: "\""))
        buffer.consume(to: end)
        state = .between
        return true
    }

    private mutating func other(
        _ value: inout ParameterValue,
        _ buffer: inout AnswerBuffer,
        into output: inout [UInt8]
    ) -> Bool {
        if value.isFirst {
            guard skipSpaceBeforeValue(&buffer) else { return false }
            value.isFirst = false
        }
        var (index, match) = (buffer.start, MarkerMatch.no)
        while index < buffer.end {
            // In a string of JSON no marker ends the value.
            if !value.isInString { match = endMatch(buffer, at: index) }
            guard match == .no else { break }
            value.advance(buffer[index])
            index += 1
        }
        value.append(buffer.bytes[buffer.start..<index], into: &output)
        buffer.consume(to: index)
        guard case .whole(let end) = match else { return false }
        value.finish(into: &output)
        buffer.consume(to: end)
        state = .between
        return true
    }
}

/// A parameter's value that may be JSON or, where it is none, a string.
struct ParameterValue: Sendable {
    /// A longer one is taken for a string.
    private static let longest = 1 << 20

    /// What it may be; nil: anything.
    let kinds: Set<SchemaKinds.Kind>?
    var isFirst = true
    private var held: [UInt8] = []
    private var isTooLong = false
    /// Whether it must be JSON, by how it begins; nil before that.
    private var isJSON: Bool?
    /// Whether what has come ends in a string of JSON, and there behind a backslash.
    private(set) var isInString = false
    private var isEscaped = false

    init(kinds: Set<SchemaKinds.Kind>?) { self.kinds = kinds }

    /// Goes past a byte of the value.
    mutating func advance(_ byte: UInt8) {
        if isJSON == nil, !byte.isSpace { isJSON = beginsJSON(byte) }
        guard isJSON == true else { return }
        let wasEscaped = isEscaped
        isEscaped = isInString && !wasEscaped && byte == UInt8(ascii: "\\")
        if byte == UInt8(ascii: "\""), !wasEscaped { isInString.toggle() }
    }

    /// No string that may stand here begins as JSON of a kind that may.
    private func beginsJSON(_ byte: UInt8) -> Bool {
        let kind: SchemaKinds.Kind? =
            switch byte {
            case UInt8(ascii: "["): .array
            case UInt8(ascii: "{"): .object
            case UInt8(ascii: "\""): .string
            default: nil
            }
        return kind.map { kinds?.contains($0) ?? true } ?? false
    }

    mutating func append(_ bytes: ArraySlice<UInt8>, into output: inout [UInt8]) {
        if !isTooLong {
            held += bytes
            guard held.count > Self.longest else { return }
            isTooLong = true
            output.append(UInt8(ascii: "\""))
            JSONText.append(held, to: &output)
            held = []
        } else {
            JSONText.append(bytes, to: &output)
        }
    }

    mutating func finish(into output: inout [UInt8]) {
        guard !isTooLong else { return output.append(UInt8(ascii: "\"")) }
        let text = Array(held.trimmed)
        for json in [text, Self.words[text] ?? Self.json(python: text)] {
            guard let node = (try? JSONDocument(json))?.root, kinds?.contains(SchemaKinds.kind(of: node)) ?? true
            else {
                continue
            }
            output += json
            return
        }
        JSONText.appendString(held, to: &output)
    }

    /// Lists and objects as Python prints them, as some templates do.
    private static func json(python text: [UInt8]) -> [UInt8] {
        guard text.first == UInt8(ascii: "[") || text.first == UInt8(ascii: "{") else { return [] }
        var buffer = AnswerBuffer()
        buffer.append(String(decoding: text, as: UTF8.self))
        var literals = Literals(quotes: .python)
        var json: [UInt8] = []
        return literals.read(&buffer, into: &json) && buffer.isEmpty ? json : []
    }

    /// Python's words, which some templates write.
    private static let words: [[UInt8]: [UInt8]] = [
        Array("True".utf8): Array("true".utf8), Array("False".utf8): Array("false".utf8),
        Array("None".utf8): Array("null".utf8),
    ]
}

extension ArraySlice<UInt8> {
    /// Without white space at its beginning and end.
    var trimmed: ArraySlice<UInt8> {
        let first = firstIndex { !$0.isSpace } ?? endIndex
        let last = lastIndex { !$0.isSpace } ?? first
        return first < endIndex ? self[first...last] : self[first..<first]
    }
}

extension [UInt8] {
    var trimmed: ArraySlice<UInt8> { self[...].trimmed }
}
