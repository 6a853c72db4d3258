import JSON

/// Makes JSON of a call's arguments while they come, whatever their syntax.
enum ArgumentReader: Sendable {
    case json(JSONArguments)
    case parameters(ParameterArguments)
    case python(PythonArguments)
    case bare(BareArguments)

    /// For a call of a tool in a syntax.
    /// - Parameter specialTexts: as `Marker` has them.
    init(_ syntax: CallSyntax, _ tool: ToolDefinition?, specialTexts: [[UInt8]]) {
        switch syntax.arguments {
        case .json: self = .json(JSONArguments())
        case .parameters(let parameters):
            self = .parameters(
                ParameterArguments(parameters, callEnd: syntax.callEnd, SchemaKinds(tool?.inputSchema))
            )
        case .python: self = .python(PythonArguments())
        case .bare(let quote):
            self = .bare(BareArguments(quote: quote, isSpecial: specialTexts.contains(Array(quote.utf8))))
        }
    }

    /// Reads what is there.
    /// - Parameter output: takes the JSON, in UTF-8.
    /// - Returns: whether the arguments are whole. What follows stays in the buffer.
    mutating func read(_ buffer: inout AnswerBuffer, into output: inout [UInt8]) -> Bool {
        let current = self
        // A reader that is held twice would be copied for every piece.
        self = .json(JSONArguments())
        switch consume current {
        case .json(var reader):
            defer { self = .json(reader) }
            return reader.read(&buffer, into: &output)
        case .parameters(var reader):
            defer { self = .parameters(reader) }
            return reader.read(&buffer, into: &output)
        case .python(var reader):
            defer { self = .python(reader) }
            return reader.read(&buffer, into: &output)
        case .bare(var reader):
            defer { self = .bare(reader) }
            return reader.read(&buffer, into: &output)
        }
    }
}

/// A JSON object, passed on as it is.
struct JSONArguments: Sendable {
    private var depth = 0
    private var isInString = false
    private var isEscaped = false

    mutating func read(_ buffer: inout AnswerBuffer, into output: inout [UInt8]) -> Bool {
        var index = depth == 0 ? buffer.endOfSpace(from: buffer.start) : buffer.start
        defer { buffer.consume(to: index) }
        while index < buffer.end {
            let byte = buffer[index]
            index += 1
            if isInString {
                // Line breaks in strings are a common slip.
                if byte < 0x20 { JSONText.append(byte, to: &output) } else { output.append(byte) }
                if isEscaped {
                    isEscaped = false
                } else if byte == UInt8(ascii: "\\") {
                    isEscaped = true
                } else if byte == UInt8(ascii: "\"") {
                    isInString = false
                }
                continue
            }
            output.append(byte)
            switch byte {
            case UInt8(ascii: "\""): isInString = true
            case UInt8(ascii: "{"), UInt8(ascii: "["): depth += 1
            case UInt8(ascii: "}"), UInt8(ascii: "]"):
                depth -= 1
                if depth <= 0 { return true }
            default: break
            }
        }
        return false
    }
}

/// Writes strings of JSON piece by piece.
enum JSONText {
    /// A byte of a string's text: what JSON does not allow is escaped.
    static func append(_ byte: UInt8, to output: inout [UInt8]) {
        switch byte {
        case UInt8(ascii: "\""): output += "\\\"".utf8
        case UInt8(ascii: "\\"): output += "\\\\".utf8
        case 0x0A: output += "\\n".utf8
        case 0x0D: output += "\\r".utf8
        case 0x09: output += "\\t".utf8
        case ..<0x20: output += ("\\u00" + (byte < 0x10 ? "0" : "") + String(byte, radix: 16)).utf8
        default: output.append(byte)
        }
    }

    static func append(_ bytes: some Sequence<UInt8>, to output: inout [UInt8]) {
        for byte in bytes { append(byte, to: &output) }
    }

    /// A whole string, with its quotes.
    static func appendString(_ bytes: some Sequence<UInt8>, to output: inout [UInt8]) {
        output.append(UInt8(ascii: "\""))
        append(bytes, to: &output)
        output.append(UInt8(ascii: "\""))
    }
}
