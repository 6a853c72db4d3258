/// Finds stop sequences in text that comes in pieces, and holds back only what could still begin one.
///
/// The sequence that begins first wins, and of two that begin together the shorter: so the answer is the same however
/// the text is cut. Each byte costs at most one step for each sequence (Knuth, Morris and Pratt), whatever they look
/// like, and mostly one for those that it may begin.
///
/// Memory: the sequences themselves, a few words for each, and two bytes for each byte of a sequence that the text has
/// ever matched. Tables for bytes that never come are not made, so they stay tiny for ordinary text and below three times
/// the sequences' size for any.
package struct StopSequenceFilter: Sendable {
    /// The longest sequence that can be looked for.
    package static let maxSequenceBytes = Int(UInt16.max) - 1

    /// All sequences, one after another, without the empty ones; sorted by their first byte.
    private var bytes: [UInt8] = []
    private var searches: [Search] = []
    /// Which searches begin with a byte: those from its element to the next one.
    private var firstSearch: [UInt16] = []
    /// The searches of which the text ends with a beginning.
    private var begunSearches: [Int] = []
    /// Empty between two bytes; kept for its memory.
    private var lastBegun: [Int] = []
    /// Text that was not returned yet.
    private var pending: [UInt8] = []
    /// How many bytes came in all.
    private var position = 0
    /// The best match so far. It is not final while a sequence that begins before it may still come.
    private var found: (start: Int, search: Int)?
    private var isDone = false

    /// - Parameter sequences: empty ones are ignored, and so are those that are longer than `maxSequenceBytes` or beyond
    ///   the first 65,535: callers refuse such.
    package init(_ sequences: [String]) {
        let kept = sequences.lazy.filter { (1...Self.maxSequenceBytes).contains($0.utf8.count) }
            .prefix(Int(UInt16.max)).sorted { ($0.utf8.first ?? 0) < ($1.utf8.first ?? 0) }
        bytes.reserveCapacity(kept.reduce(0) { $0 + $1.utf8.count })
        searches.reserveCapacity(kept.count)
        for sequence in kept {
            searches.append(Search(sequence: bytes.count..<(bytes.count + sequence.utf8.count)))
            bytes += sequence.utf8
        }
        guard !searches.isEmpty else { return }
        firstSearch.reserveCapacity(257)
        var next = 0
        for byte in 0...256 {
            while next < searches.count, Int(bytes[searches[next].sequence.lowerBound]) < byte { next += 1 }
            firstSearch.append(UInt16(clamping: next))
        }
    }

    /// The bytes of memory that the tables take now, beside the sequences themselves.
    var tableBytes: Int { searches.reduce(0) { $0 + $1.tableBytes } }

    /// Adds text.
    /// - Returns: the text that is now certain, and the sequence that ended it, if one did. What follows a sequence is
    ///   swallowed.
    package mutating func push(_ text: String) -> (text: String, matched: String?) {
        guard !isDone else { return ("", nil) }
        guard !searches.isEmpty else { return (text, nil) }
        for byte in text.utf8 {
            pending.append(byte)
            position += 1
            advance(byte)
            if let found, begun >= found.start { return end() }
        }
        return (release(upTo: min(begun, found?.start ?? .max)), nil)
    }

    /// What was held back, at the end of the text. A sequence may be found even now: one inside the beginning of
    /// another that never came.
    package mutating func finish() -> (text: String, matched: String?) {
        isDone ? ("", nil) : end()
    }

    private mutating func advance(_ byte: UInt8) {
        swap(&begunSearches, &lastBegun)
        for element in lastBegun.indices { step(lastBegun[element], byte) }
        lastBegun.removeAll(keepingCapacity: true)
        for index in Int(firstSearch[Int(byte)])..<Int(firstSearch[Int(byte) + 1])
        where searches[index].lastStep != position {
            step(index, byte)
        }
    }

    private mutating func step(_ index: Int, _ byte: UInt8) {
        let isWhole = bytes.withUnsafeBufferPointer { searches[index].advance(byte, in: $0) }
        searches[index].lastStep = position
        if searches[index].matched > 0 { begunSearches.append(index) }
        guard isWhole else { return }
        let start = position - searches[index].sequence.count
        if start < found?.start ?? .max { found = (start, index) }
    }

    /// Where the first sequence that may still come begins; the end of the text if there is none.
    private var begun: Int { position - (begunSearches.lazy.map { searches[$0].matched }.max() ?? 0) }

    private mutating func end() -> (text: String, matched: String?) {
        isDone = true
        let sequence = found.map { String(decoding: bytes[searches[$0.search].sequence], as: UTF8.self) }
        let text = release(upTo: found?.start ?? position)
        (bytes, searches, begunSearches, lastBegun, pending) = ([], [], [], [], [])
        return (text, sequence)
    }

    private mutating func release(upTo end: Int) -> String {
        let count = pending.count - (position - end)
        defer { pending.removeFirst(count) }
        return String(decoding: pending.prefix(count), as: UTF8.self)
    }

    /// The search for one sequence.
    private struct Search: Sendable {
        /// Its place among all sequences' bytes.
        let sequence: Range<Int>
        /// How many bytes of the sequence the text ends with; fewer than all of them.
        private(set) var matched = 0
        /// The position of the text up to which the search has come.
        var lastStep = 0
        /// For each length of a beginning, from 2 to the longest that ever matched: the longest shorter beginning that it
        /// ends with.
        private var shorter: [UInt16] = []

        init(sequence: Range<Int>) { self.sequence = sequence }

        var tableBytes: Int { shorter.capacity * MemoryLayout<UInt16>.size }

        /// Whether the sequence ends with this byte.
        mutating func advance(_ byte: UInt8, in bytes: UnsafeBufferPointer<UInt8>) -> Bool {
            let own = UnsafeBufferPointer(rebasing: bytes[sequence])
            while matched > 0, own[matched] != byte { matched = fallback(matched) }
            guard own[matched] == byte else { return false }
            matched += 1
            extendTable(to: matched, own)
            guard matched == own.count else { return false }
            matched = fallback(matched)
            return true
        }

        private func fallback(_ length: Int) -> Int { length < 2 ? 0 : Int(shorter[length - 2]) }

        /// Adds the entry for a length; those of shorter lengths exist.
        private mutating func extendTable(to length: Int, _ own: UnsafeBufferPointer<UInt8>) {
            guard length - 2 == shorter.count else { return }
            if shorter.count == shorter.capacity {
                // Never more room than the whole sequence can use.
                shorter.reserveCapacity(min(own.count - 1, max(8, 2 * shorter.count)))
            }
            var ending = fallback(length - 1)
            while ending > 0, own[length - 1] != own[ending] { ending = fallback(ending) }
            if own[length - 1] == own[ending] { ending += 1 }
            shorter.append(UInt16(ending))
        }
    }
}
