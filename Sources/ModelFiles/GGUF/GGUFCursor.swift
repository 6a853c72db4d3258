/// Reads the parts of a GGUF file one after another; whatever would go past its end is an error.
struct GGUFCursor {
    /// Arrays within arrays.
    private static let maxDepth = 4

    private let file: FileBytes
    private let label: String
    private(set) var position = 0

    init(_ file: FileBytes, label: String) {
        self.file = file
        self.label = label
    }

    /// The bytes that are left.
    var remaining: Int { file.count - position }

    mutating func number<Number: FixedWidthInteger & BitwiseCopyable>(
        _ type: Number.Type,
        _ what: String
    ) throws(ModelError) -> Number {
        let start = position
        try advance(by: MemoryLayout<Number>.size, what)
        return Number(littleEndian: file.bytes.loadUnaligned(fromByteOffset: start, as: type))
    }

    /// A number of 64 bits that must be at most `limit`.
    mutating func count(upTo limit: Int, _ what: String) throws(ModelError) -> Int {
        let value = try number(UInt64.self, what)
        guard value <= limit else { throw error("\(what) is \(value); at most \(limit) is possible") }
        return Int(value)
    }

    /// A name: short and of UTF-8.
    mutating func name(upTo limit: Int, _ what: String) throws(ModelError) -> String {
        let length = try count(upTo: limit, "the length of \(what)")
        let start = position
        try advance(by: length, what)
        guard let name = String(validating: file.bytes[start..<position], as: UTF8.self) else {
            throw error("\(what) is not UTF-8")
        }
        return name
    }

    mutating func kind(_ what: String) throws(ModelError) -> GGUFValue.Kind {
        let number = try number(UInt32.self, what)
        guard let kind = GGUFValue.Kind(rawValue: number) else {
            throw error("\(what) is \(number); 0 to 12 is expected")
        }
        return kind
    }

    mutating func value(_ what: String) throws(ModelError) -> GGUFValue {
        let kind = try kind("the type of \(what)")
        if kind == .array { return try array(what, depth: 0) }
        let start = position
        try skip(1, kind, what, depth: 0)
        return GGUFValue(kind: kind, count: nil, bytes: file.slice(start..<position))
    }

    private mutating func array(_ what: String, depth: Int) throws(ModelError) -> GGUFValue {
        guard depth < Self.maxDepth else { throw error("\(what) has arrays within arrays \(depth) deep") }
        let kind = try kind("the element type of \(what)")
        // Every element takes a byte or more.
        let count = try count(upTo: remaining, "the element count of \(what)")
        let start = position
        try skip(count, kind, what, depth: depth)
        return GGUFValue(kind: kind, count: count, bytes: file.slice(start..<position))
    }

    /// Passes over values, checking that they lie in the file and are what their kind allows.
    private mutating func skip(
        _ count: Int,
        _ kind: GGUFValue.Kind,
        _ what: String,
        depth: Int
    ) throws(ModelError) {
        switch kind {
        case .string:
            for _ in 0..<count {
                try advance(by: try self.count(upTo: remaining, "the length of a string in \(what)"), what)
            }
        case .array:
            for _ in 0..<count { _ = try array(what, depth: depth + 1) }
        default:
            let (size, overflow) = count.multipliedReportingOverflow(by: kind.byteCount ?? 0)
            guard !overflow else { throw error("\(what) goes past the end of the file") }
            try advance(by: size, what)
        }
    }

    private mutating func advance(by count: Int, _ what: String) throws(ModelError) {
        guard count >= 0, count <= remaining else {
            throw error("\(what) at byte \(position) goes past the end of the file, which has \(file.count) bytes")
        }
        position += count
    }

    private func error(_ text: String) -> ModelError { ModelError("\(label): \(text)") }
}
