extension JSONValue {
    /// The value as compact JSON on one line.
    package var bytes: [UInt8] {
        var result: [UInt8] = []
        write(into: &result)
        return result
    }

    package func write(into output: inout [UInt8]) {
        switch self {
        case .null: output += "null".utf8
        case .bool(let value): output += (value ? "true" : "false").utf8
        case .integer(let value): output += String(value).utf8
        case .double(let value): output += (value.isFinite ? String(value) : "null").utf8
        case .string(let text): Self.write(text, into: &output)
        case .written(let json): output += json
        case .array(let elements):
            output.append(UInt8(ascii: "["))
            for (index, element) in elements.enumerated() {
                if index > 0 { output.append(UInt8(ascii: ",")) }
                element.write(into: &output)
            }
            output.append(UInt8(ascii: "]"))
        case .object(let members):
            output.append(UInt8(ascii: "{"))
            for (index, member) in members.enumerated() {
                if index > 0 { output.append(UInt8(ascii: ",")) }
                Self.write(member.name, into: &output)
                output.append(UInt8(ascii: ":"))
                member.value.write(into: &output)
            }
            output.append(UInt8(ascii: "}"))
        }
    }

    /// Beyond what JSON asks for, the line ends of Unicode are escaped: some clients cut a stream's lines at them too.
    private static func write(_ text: String, into output: inout [UInt8]) {
        output.append(UInt8(ascii: "\""))
        var text = text
        text.withUTF8 { bytes in
            // A whole answer is mostly bytes that go out as they are, so those are copied in one go.
            var (start, index) = (0, 0)
            while index < bytes.count {
                guard let escape = Escape(bytes, at: index) else {
                    index += 1
                    continue
                }
                output += bytes[start..<index]
                output += escape.text.utf8
                index += escape.length
                start = index
            }
            output += bytes[start...]
        }
        output.append(UInt8(ascii: "\""))
    }
}

/// What stands for a character that may not stand for itself.
private struct Escape {
    var text: String
    /// Bytes of the character.
    var length = 1

    /// Nil where a character may stay, and within one.
    init?(_ bytes: UnsafeBufferPointer<UInt8>, at index: Int) {
        switch bytes[index] {
        case UInt8(ascii: "\""): text = "\\\""
        case UInt8(ascii: "\\"): text = "\\\\"
        case UInt8(ascii: "\n"): text = "\\n"
        case UInt8(ascii: "\r"): text = "\\r"
        case UInt8(ascii: "\t"): text = "\\t"
        case let control where control < 0x20:
            text = "\\u00" + (control < 0x10 ? "0" : "") + String(control, radix: 16)
        // U+0085, U+2028 and U+2029.
        case 0xC2 where bytes[(index + 1)...].first == 0x85: (text, length) = ("\\u0085", 2)
        case 0xE2 where bytes[(index + 1)...].starts(with: [0x80, 0xA8]): (text, length) = ("\\u2028", 3)
        case 0xE2 where bytes[(index + 1)...].starts(with: [0x80, 0xA9]): (text, length) = ("\\u2029", 3)
        default: return nil
        }
    }
}
