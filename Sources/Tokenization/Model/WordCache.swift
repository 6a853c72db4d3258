/// The tokens of words seen before, bounded.
///
/// A word is looked for in a few slots only, so no choice of words makes look-ups slow. A full cache is emptied.
struct WordCache {
    /// Longer words are seldom seen twice.
    static let longestWord = 128
    private static let largest = 1 << 15
    private static let probes = 4

    private struct Slot {
        var hash: UInt64 = 0
        var word: UInt32 = 0
        var tokens: UInt32 = 0
        var wordCount: UInt16 = 0
        var tokenCount: UInt16 = 0
    }

    private var slots = [Slot](repeating: Slot(), count: 1 << 10)
    private var words: [UInt8] = []
    private var tokens: [Int32] = []
    private var count = 0

    /// Appends the tokens of a word, if it is known.
    @inline(__always)
    func append(_ text: [UInt8], _ word: Range<Int>, _ hash: UInt64, to result: inout [Int32]) -> Bool {
        var index = Int(truncatingIfNeeded: hash >> 40) & (slots.count - 1)
        for _ in 0..<Self.probes {
            let slot = slots[index]
            if slot.hash == hash, Int(slot.wordCount) == word.count, isWord(text, word, at: Int(slot.word)) {
                let start = Int(slot.tokens)
                if slot.tokenCount == 1 {
                    result.append(tokens[start])
                } else {
                    result += tokens[start..<start + Int(slot.tokenCount)]
                }
                return true
            }
            index = (index + 1) & (slots.count - 1)
        }
        return false
    }

    private func isWord(_ text: [UInt8], _ word: Range<Int>, at start: Int) -> Bool {
        var other = start
        for index in word {
            guard text[index] == words[other] else { return false }
            other += 1
        }
        return true
    }

    /// Remembers the tokens of a word, if there is room where it would be looked for.
    mutating func insert(_ text: [UInt8], _ word: Range<Int>, _ hash: UInt64, _ found: ArraySlice<Int32>) {
        guard !word.isEmpty, word.count <= Self.longestWord, found.count <= Self.longestWord else { return }
        if count * 4 > slots.count * 3 { makeRoom() }
        var index = Int(truncatingIfNeeded: hash >> 40) & (slots.count - 1)
        for _ in 0..<Self.probes {
            guard slots[index].wordCount > 0 else {
                slots[index] = Slot(
                    hash: hash,
                    word: UInt32(truncatingIfNeeded: words.count),
                    tokens: UInt32(truncatingIfNeeded: tokens.count),
                    wordCount: UInt16(truncatingIfNeeded: word.count),
                    tokenCount: UInt16(truncatingIfNeeded: found.count)
                )
                words += text[word]
                tokens += found
                count += 1
                return
            }
            index = (index + 1) & (slots.count - 1)
        }
    }

    /// Empties the cache, with more slots until there are `largest`.
    private mutating func makeRoom() {
        let size = min(slots.count * 4, Self.largest)
        slots.removeAll(keepingCapacity: true)
        slots += repeatElement(Slot(), count: size)
        words.removeAll(keepingCapacity: true)
        tokens.removeAll(keepingCapacity: true)
        count = 0
    }
}

/// A hash of bytes, seeded anew in each process, so that nobody can prepare words that all collide.
enum ByteHash {
    private static let seed = UInt64.random(in: .min ... .max)

    /// FNV-1a with another seed, its high bits mixed down.
    @inline(__always)
    static func hash(_ text: [UInt8], _ range: Range<Int>, seed: UInt64 = Self.seed) -> UInt64 {
        var hash = seed
        for index in range { hash = (hash ^ UInt64(text[index])) &* 0x100_0000_01B3 }
        hash ^= hash >> 32
        return hash &* 0x9E37_79B9_7F4A_7C15
    }
}
