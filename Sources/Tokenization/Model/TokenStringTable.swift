/// Finds the id of a token by its string, by open addressing.
struct TokenStringTable: Sendable {
    private(set) var tokenStrings: TokenStrings
    /// An id in the lower bits and part of its string's hash above, so that another string is rarely compared.
    /// At most three quarters are taken.
    private var slots: [UInt32]
    private var longest = 0

    private static let free = UInt32.max
    private static let numberBits: UInt32 = 21

    /// Of tokens with the same string the last is found.
    /// - Parameter hidden: the tokens that are not to be found.
    init(_ tokenStrings: TokenStrings, hiding hidden: Set<Int32> = []) {
        self.init(places: tokenStrings, count: tokenStrings.count)
        for number in 0..<Int32(truncatingIfNeeded: tokenStrings.count)
        where tokenStrings.isKnown(number) && !hidden.contains(number) {
            insert(number)
        }
    }

    /// A table of token strings that `set` gives one by one.
    /// - Parameter count: no fewer than there will be.
    init(places: TokenStrings, count: Int) {
        tokenStrings = places
        slots = [UInt32](repeating: Self.free, count: 16 + count + count / 3)
    }

    /// Fills the place of a token. An earlier token with the same string is removed.
    mutating func set(_ number: Int32, _ spelling: [UInt8]) {
        tokenStrings.set(number, spelling)
        if let earlier = insert(number) { tokenStrings.remove(earlier) }
    }

    /// The number of a string, nil if it is none.
    @inline(__always)
    func id(of text: [UInt8], _ range: Range<Int>) -> Int32? {
        guard range.count <= longest else { return nil }
        let hash = ByteHash.hash(text, range)
        var slot = start(hash)
        while slots[slot] != Self.free {
            let number = Self.number(slots[slot])
            if Self.entry(number, hash) == slots[slot], tokenStrings.isSpelling(number, text, range) { return number }
            slot = after(slot)
        }
        return nil
    }

    func id(of text: [UInt8]) -> Int32? { id(of: text, text.indices) }

    /// - Returns: the token that had this string before.
    @discardableResult
    private mutating func insert(_ number: Int32) -> Int32? {
        let spelling = Array(tokenStrings[number])
        longest = max(longest, spelling.count)
        let hash = ByteHash.hash(spelling, spelling.indices)
        let entry = Self.entry(number, hash)
        var slot = start(hash)
        while slots[slot] != Self.free {
            let earlier = Self.number(slots[slot])
            if tokenStrings.isSpelling(earlier, spelling, spelling.indices) {
                slots[slot] = entry
                return earlier
            }
            slot = after(slot)
        }
        slots[slot] = entry
        return nil
    }

    @inline(__always)
    private static func entry(_ number: Int32, _ hash: UInt64) -> UInt32 {
        UInt32(truncatingIfNeeded: hash) << numberBits | UInt32(bitPattern: number)
    }

    @inline(__always)
    private static func number(_ entry: UInt32) -> Int32 { Int32(bitPattern: entry & (1 << numberBits - 1)) }

    /// The upper bits of the hash tell where to begin.
    @inline(__always)
    private func start(_ hash: UInt64) -> Int {
        Int(truncatingIfNeeded: hash.multipliedFullWidth(by: UInt64(slots.count)).high)
    }

    @inline(__always)
    private func after(_ slot: Int) -> Int { slot + 1 < slots.count ? slot + 1 : 0 }
}
