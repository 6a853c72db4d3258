/// The text of each token, by its number, in one array.
struct TokenTexts: Sendable {
    private var bytes: [UInt8] = []
    /// For each token where its bytes are: the start above, the length below. Later texts are put at the end.
    private var places: [UInt64] = []
    private static let unknown = UInt64.max

    init(capacity: Int = 0, byteCapacity: Int = 0) {
        bytes.reserveCapacity(byteCapacity)
        places.reserveCapacity(capacity)
    }

    var count: Int { places.count }

    /// The bytes of a token; none for a number that stands for none.
    subscript(token: Int32) -> ArraySlice<UInt8> {
        get {
            guard isKnown(token) else { return [] }
            let place = places[Int(token)]
            let start = Int(place >> 32)
            return bytes[start..<start + Int(place & 0xFFFF_FFFF)]
        }
        set {
            guard token >= 0 else { return }
            if Int(token) >= places.count {
                places += Array(repeating: Self.unknown, count: Int(token) + 1 - places.count)
            }
            places[Int(token)] = UInt64(bytes.count) << 32 | UInt64(newValue.count)
            bytes += newValue
        }
    }

    func isKnown(_ token: Int32) -> Bool {
        token >= 0 && Int(token) < places.count && places[Int(token)] != Self.unknown
    }
}
