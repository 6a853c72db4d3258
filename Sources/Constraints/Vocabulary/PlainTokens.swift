import EngineContract

/// The tokens that are whole characters of which none is special in a JSON string, by their number of characters: where a
/// string is free, all of them may come next, and need not be tried.
struct PlainTokens: Sendable {
    /// A set of its own for each length up to this; the few longer ones are added one by one.
    private static let mostSets = 24

    /// `sets[n]`: the tokens of at most n characters.
    private var sets: [[UInt64]] = []
    /// All of them.
    let all: [UInt64]
    private var longer: [(token: Token, length: Int)] = []
    /// Characters of the longest.
    let longest: Int

    /// - Parameter tokens: each with its number of characters.
    init(_ tokens: [(Token, Int)], tokenCount: Int) {
        let empty = [UInt64](repeating: 0, count: (tokenCount + 63) / 64)
        var byLength = [[Token]](repeating: [], count: Self.mostSets + 1)
        var longest = 0
        for (token, length) in tokens {
            longest = max(longest, length)
            if length <= Self.mostSets { byLength[length].append(token) } else { longer.append((token, length)) }
        }
        var set = empty
        for tokens in byLength {
            for token in tokens { set[Int(token) >> 6] |= 1 << UInt64(token & 63) }
            sets.append(set)
        }
        for (token, _) in longer { set[Int(token) >> 6] |= 1 << UInt64(token & 63) }
        all = set
        self.longest = longest
    }

    /// Adds the tokens of at most `length` characters; all if that is nil.
    func add(upTo length: Int?, to mask: inout TokenMask) {
        guard let length, length < longest else { return mask.formUnion(all) }
        mask.formUnion(sets[min(length, Self.mostSets)])
        for (token, size) in longer where size <= length { mask.insert(token) }
    }

    /// How many characters a text has; nil if it is not plain. The line ends of Unicode count as special: `.` of a
    /// pattern does not match them.
    static func length(_ text: UnsafeBufferPointer<UInt8>) -> Int? {
        var length = 0
        var rest = text[...]
        while let byte = rest.first {
            let size = byte < 0x80 ? 1 : byte < 0xE0 ? 2 : byte < 0xF0 ? 3 : 4
            if size == 1 {
                guard byte >= 0x20, byte != UInt8(ascii: "\""), byte != UInt8(ascii: "\\") else { return nil }
            } else {
                guard rest.count >= size, let scalar = decoded(rest.prefix(size)), scalar != 0x2028, scalar != 0x2029
                else { return nil }
            }
            rest = rest.dropFirst(size)
            length += 1
        }
        return length
    }

    /// The scalar of two to four bytes; nil if they are not well formed.
    private static func decoded(_ bytes: Slice<UnsafeBufferPointer<UInt8>>) -> UInt32? {
        var decoder = UTF8()
        var iterator = bytes.makeIterator()
        guard case .scalarValue(let scalar) = decoder.decode(&iterator), iterator.next() == nil else { return nil }
        return scalar.value
    }
}
