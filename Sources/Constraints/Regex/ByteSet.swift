/// A set of bytes: a bit for each.
struct ByteSet: Hashable, Sendable {
    private var words: SIMD4<UInt64>

    static let none = ByteSet(words: .zero)

    private init(words: SIMD4<UInt64>) { self.words = words }

    init(_ byte: UInt8) {
        self = .none
        insert(byte)
    }

    init(_ range: ClosedRange<UInt8>) {
        self = .none
        for byte in range { insert(byte) }
    }

    init(_ bytes: some Sequence<UInt8>) {
        self = .none
        for byte in bytes { insert(byte) }
    }

    var isEmpty: Bool { words == .zero }

    func contains(_ byte: UInt8) -> Bool { words[Int(byte >> 6)] >> UInt64(byte & 63) & 1 != 0 }

    mutating func insert(_ byte: UInt8) { words[Int(byte >> 6)] |= 1 << UInt64(byte & 63) }

    func union(_ other: ByteSet) -> ByteSet { ByteSet(words: words | other.words) }
    func intersection(_ other: ByteSet) -> ByteSet { ByteSet(words: words & other.words) }

    /// The bytes as ranges, in order.
    var ranges: [ClosedRange<UInt8>] {
        var ranges: [ClosedRange<UInt8>] = []
        var start: UInt8?
        for byte in UInt8.min...UInt8.max {
            if contains(byte) {
                start = start ?? byte
            } else if let first = start {
                ranges.append(first...(byte - 1))
                start = nil
            }
        }
        if let start { ranges.append(start...UInt8.max) }
        return ranges
    }
}
