import JSON

extension JSONError {
    /// What is wrong in a configuration file, with its line. Names what lenient parsers accept and JSON does not have:
    /// comments, single quotes, needless commas.
    func explained(in text: [UInt8]) -> String {
        switch problem {
        case .syntax(let what, let byte):
            let line = 1 + text.prefix(byte).count { $0 == UInt8(ascii: "\n") }
            return "not valid JSON: line \(line): \(Self.mistake(in: text, at: byte) ?? what)"
        case .notA(.object): return "the file must hold one JSON object, such as {\"port\": 7777}"
        default: return description
        }
    }

    private static func mistake(in text: [UInt8], at byte: Int) -> String? {
        let rest = text[min(byte, text.count)...]
        let before = text.prefix(byte).last { !$0.isJSONSpace }
        switch rest.first {
        case UInt8(ascii: "/"), UInt8(ascii: "#"):
            let mark = String(decoding: rest.prefix(rest.first == UInt8(ascii: "#") ? 1 : 2), as: UTF8.self)
            return "JSON has no comments; take out what begins with '\(mark)'"
        case UInt8(ascii: "'"): return "a text stands in double quotes, not in single ones"
        case UInt8(ascii: ",") where before == UInt8(ascii: ","): return "two commas in a row"
        case UInt8(ascii: "}") where before == UInt8(ascii: ","), UInt8(ascii: "]") where before == UInt8(ascii: ","):
            return "a comma behind the last entry"
        default: return nil
        }
    }
}

extension UInt8 {
    fileprivate var isJSONSpace: Bool { self == 0x20 || self == 0x0A || self == 0x0D || self == 0x09 }
}
