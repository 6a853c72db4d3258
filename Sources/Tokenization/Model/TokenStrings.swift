/// The string of each token by its id, all in one array: a vocabulary takes little more memory than its bytes.
struct TokenStrings: Sendable {
    /// Marks an id without a token.
    static let absent: UInt32 = 1 << 31

    /// The strings one after the other, in the order of the ids.
    private var bytes: [UInt8] = []
    /// For each number where its string begins, marked if there is none; and where the last one ends.
    private var starts: [UInt32] = [0]

    /// No token strings yet; `append` gives them the ids from 0 on.
    /// - Parameters:
    ///   - capacity: how many are expected; there may be more.
    ///   - byteCapacity: how many bytes they have together, less than 2 GiB.
    init(capacity: Int = 0, byteCapacity: Int = 0) {
        bytes.reserveCapacity(byteCapacity)
        starts.reserveCapacity(capacity + 1)
    }

    /// Places for token strings, which `set` fills.
    /// - Parameter lengths: for each number how many bytes its string has, or `absent`; less than 2 GiB together.
    init(lengths: consuming [UInt32]) {
        var end: UInt32 = 0
        for number in lengths.indices {
            let length = lengths[number]
            lengths[number] = length == Self.absent ? end | Self.absent : end
            if length != Self.absent { end += length }
        }
        lengths.append(end)
        starts = lengths
        bytes = [UInt8](repeating: 0, count: Int(end))
    }

    /// One more than the largest number.
    var count: Int { starts.count - 1 }

    var knownCount: Int { starts.dropLast().count { $0 & Self.absent == 0 } }

    mutating func append(_ spelling: some Collection<UInt8>) {
        bytes += spelling
        starts.append(UInt32(truncatingIfNeeded: bytes.count))
    }

    /// Leaves the next id without a token.
    mutating func skip() {
        starts[count] |= Self.absent
        starts.append(UInt32(truncatingIfNeeded: bytes.count))
    }

    /// Fills a place with the string that it was made for.
    mutating func set(_ number: Int32, _ spelling: [UInt8]) {
        for (place, byte) in zip(range(number), spelling) { bytes[place] = byte }
    }

    /// Leaves an id without its token.
    mutating func remove(_ number: Int32) { starts[Int(number)] |= Self.absent }

    func isKnown(_ number: Int32) -> Bool {
        number >= 0 && Int(number) < count && starts[Int(number)] & Self.absent == 0
    }

    /// The bytes of a string; none for a number that stands for no token.
    subscript(number: Int32) -> ArraySlice<UInt8> { isKnown(number) ? bytes[range(number)] : [] }

    @inline(__always)
    private func range(_ number: Int32) -> Range<Int> {
        let start = Int(starts[Int(number)] & ~Self.absent)
        return start..<Int(starts[Int(number) + 1] & ~Self.absent)
    }

    /// The length of a token's string in bytes.
    @inline(__always)
    func length(_ number: Int32) -> Int { range(number).count }

    /// One byte of a token's string.
    @inline(__always)
    func byte(_ number: Int32, _ place: Int) -> UInt8 { bytes[range(number).lowerBound + place] }

    /// Whether bytes of a token's string, those at `places`, are those of a text from `index` on.
    @inline(__always)
    func has(_ number: Int32, _ places: Range<Int>, in text: [UInt8], at index: Int) -> Bool {
        let start = range(number).lowerBound
        var other = index
        for place in places {
            guard bytes[start + place] == text[other] else { return false }
            other += 1
        }
        return true
    }

    /// Whether a part of a text is a token's string.
    @inline(__always)
    func isSpelling(_ number: Int32, _ text: [UInt8], _ part: Range<Int>) -> Bool {
        length(number) == part.count && has(number, 0..<part.count, in: text, at: part.lowerBound)
    }

    /// The length in bytes of the common prefix of two tokens' strings.
    func sharedLength(_ one: Int32, _ other: Int32) -> Int {
        let most = min(length(one), length(other))
        var shared = 0
        while shared < most, byte(one, shared) == byte(other, shared) { shared += 1 }
        return shared
    }

    /// The order of the bytes; of equal ones, that of the numbers.
    func areInOrder(_ one: Int32, _ other: Int32) -> Bool {
        let shared = sharedLength(one, other)
        if shared < length(one), shared < length(other) { return byte(one, shared) < byte(other, shared) }
        return length(one) == length(other) ? one < other : length(one) < length(other)
    }
}
