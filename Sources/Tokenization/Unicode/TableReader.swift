/// Reads the hexadecimal numbers of the generated tables.
struct TableReader {
    private var rest: Substring.UTF8View

    init(_ text: String) { rest = Substring(text).utf8 }

    /// Whether anything follows; passes the space before it.
    mutating func hasMore() -> Bool {
        if rest.first == UInt8(ascii: " ") { rest.removeFirst() }
        return !rest.isEmpty
    }

    /// The next number, nil if none begins here.
    mutating func number() -> UInt32? {
        var value: UInt32?
        while let byte = rest.first, let digit = Self.digit(byte) {
            value = (value ?? 0) << 4 | digit
            rest.removeFirst()
        }
        return value
    }

    private static func digit(_ byte: UInt8) -> UInt32? {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): UInt32(byte - UInt8(ascii: "0"))
        case UInt8(ascii: "a")...UInt8(ascii: "f"): UInt32(byte - UInt8(ascii: "a")) + 10
        default: nil
        }
    }

    mutating func take(_ mark: Character) -> Bool {
        guard let first = rest.first, first == mark.asciiValue else { return false }
        rest.removeFirst()
        return true
    }

    /// Two letters, for example `Lu`.
    mutating func letters() -> String {
        defer { rest = rest.dropFirst(2) }
        return String(decoding: rest.prefix(2), as: UTF8.self)
    }

    /// The numbers up to the next space, `,` between them.
    mutating func numbers() -> [UInt32] {
        var result: [UInt32] = []
        while let next = number() {
            result.append(next)
            guard take(",") else { break }
        }
        return result
    }
}
