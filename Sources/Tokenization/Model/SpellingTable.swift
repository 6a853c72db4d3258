/// Finds the number of a spelling: the bytes of a whole vocabulary in one array, found by open addressing.
struct SpellingTable: Sendable {
    private var bytes: [UInt8] = []
    /// For each entry where its bytes begin; and where the last one's end.
    private var starts: [UInt32] = [0]
    private var numbers: [Int32] = []
    /// For each slot, the entry in it, or -1.
    private var slots: [Int32]
    private(set) var longest = 0

    var count: Int { numbers.count }
    /// Of all spellings together.
    var byteCount: Int { bytes.count }

    /// - Parameters:
    ///   - capacity: how many spellings are expected; there may be more.
    ///   - byteCapacity: how many bytes they have together.
    init(capacity: Int = 0, byteCapacity: Int = 0) {
        var size = 16
        while size < capacity * 2 { size *= 2 }
        slots = [Int32](repeating: -1, count: size)
        bytes.reserveCapacity(byteCapacity)
        starts.reserveCapacity(capacity + 1)
        numbers.reserveCapacity(capacity)
    }

    /// The number of a spelling, nil if it is none.
    func number(of text: [UInt8], _ range: Range<Int>) -> Int32? {
        guard range.count <= longest else { return nil }
        let entry = slots[slot(of: text, range)]
        return entry < 0 ? nil : numbers[Int(entry)]
    }

    func number(of text: [UInt8]) -> Int32? { number(of: text, text.indices) }

    /// Sets the number of a spelling; of two for the same spelling the last counts.
    mutating func insert(_ text: [UInt8], _ number: Int32) {
        let slot = slot(of: text, text.indices)
        if slots[slot] >= 0 { return numbers[Int(slots[slot])] = number }
        slots[slot] = Int32(truncatingIfNeeded: numbers.count)
        bytes += text
        starts.append(UInt32(truncatingIfNeeded: bytes.count))
        numbers.append(number)
        longest = max(longest, text.count)
        if numbers.count * 2 > slots.count { grow() }
    }

    /// A spelling in the table.
    struct Entry: Sendable {
        fileprivate var index: UInt32
        fileprivate var start: UInt32
        private(set) var count: Int32

        var isEmpty: Bool { count == 0 }

        fileprivate init(index: Int, _ range: Range<Int>) {
            self.index = UInt32(truncatingIfNeeded: index)
            start = UInt32(truncatingIfNeeded: range.lowerBound)
            count = Int32(truncatingIfNeeded: range.count)
        }
    }

    var entries: [Entry] { numbers.indices.map { Entry(index: $0, range(of: $0)) } }

    subscript(entry: Entry) -> ArraySlice<UInt8> { bytes[Int(entry.start)..<Int(entry.start) + Int(entry.count)] }

    /// One of an entry's bytes.
    func byte(_ entry: Entry, _ place: Int) -> UInt8 { bytes[Int(entry.start) + place] }

    func number(of entry: Entry) -> Int32 { numbers[Int(entry.index)] }

    /// Calls the body with each spelling and its number.
    func forEach(_ body: (_ spelling: [UInt8], _ number: Int32) -> Void) {
        for entry in numbers.indices { body(Array(bytes[range(of: entry)]), numbers[entry]) }
    }

    private func range(of entry: Int) -> Range<Int> { Int(starts[entry])..<Int(starts[entry + 1]) }

    /// The slot that a spelling is in, or the free one it belongs in.
    private func slot(of text: [UInt8], _ range: Range<Int>) -> Int {
        var slot = Int(truncatingIfNeeded: ByteHash.hash(text, range) >> 32) & (slots.count - 1)
        while slots[slot] >= 0, !isEntry(Int(slots[slot]), text, range) { slot = (slot + 1) & (slots.count - 1) }
        return slot
    }

    private func isEntry(_ entry: Int, _ text: [UInt8], _ range: Range<Int>) -> Bool {
        let own = self.range(of: entry)
        guard own.count == range.count else { return false }
        for (one, other) in zip(own, range) where bytes[one] != text[other] { return false }
        return true
    }

    private mutating func grow() {
        slots = [Int32](repeating: -1, count: slots.count * 2)
        for entry in numbers.indices {
            slots[slot(of: bytes, range(of: entry))] = Int32(truncatingIfNeeded: entry)
        }
    }
}
