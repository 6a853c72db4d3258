/// Finds stop sequences in text that comes in pieces, and holds back only what could still begin one.
///
/// The sequence that begins first wins, and of two that begin together the shorter: so the answer is the same however
/// the text is cut. Each byte costs one step for each sequence (Knuth, Morris and Pratt), whatever they look like.
package struct StopSequenceFilter: Sendable {
    private var searches: [Search]
    /// Text that was not returned yet.
    private var pending: [UInt8] = []
    /// How many bytes came in all.
    private var position = 0
    /// The best match so far. It is not final while a sequence that begins before it may still come.
    private var found: (start: Int, sequence: [UInt8])?
    private var isDone = false

    /// Empty sequences are ignored.
    package init(_ sequences: [String]) { searches = sequences.filter { !$0.isEmpty }.map { Search(Array($0.utf8)) } }

    /// Adds text.
    /// - Returns: the text that is now certain, and the sequence that ended it, if one did. What follows a sequence is
    ///   swallowed.
    package mutating func push(_ text: String) -> (text: String, matched: String?) {
        guard !isDone else { return ("", nil) }
        for byte in text.utf8 {
            pending.append(byte)
            position += 1
            for index in searches.indices where searches[index].advance(byte) {
                let start = position - searches[index].sequence.count
                if start < found?.start ?? .max { found = (start, searches[index].sequence) }
            }
            if let found, begun >= found.start { return end() }
        }
        return (release(upTo: min(begun, found?.start ?? .max)), nil)
    }

    /// What was held back, at the end of the text. A sequence may be found even now: one inside the beginning of
    /// another that never came.
    package mutating func finish() -> (text: String, matched: String?) {
        isDone ? ("", nil) : end()
    }

    /// Where the first sequence that may still come begins; the end of the text if there is none.
    private var begun: Int { position - (searches.lazy.map(\.matched).max() ?? 0) }

    private mutating func end() -> (text: String, matched: String?) {
        isDone = true
        return (release(upTo: found?.start ?? position), found.map { String(decoding: $0.sequence, as: UTF8.self) })
    }

    private mutating func release(upTo end: Int) -> String {
        let count = pending.count - (position - end)
        defer { pending.removeFirst(count) }
        return String(decoding: pending.prefix(count), as: UTF8.self)
    }

    /// The search for one sequence.
    private struct Search: Sendable {
        let sequence: [UInt8]
        /// How many bytes of the sequence the text ends with; fewer than all of them.
        private(set) var matched = 0
        /// For each length of a beginning: the longest shorter beginning that it ends with.
        private var shorter: [Int] = [0, 0]

        init(_ sequence: [UInt8]) {
            self.sequence = sequence
            var length = 0
            for index in sequence.indices.dropFirst() {
                while length > 0, sequence[index] != sequence[length] { length = shorter[length] }
                if sequence[index] == sequence[length] { length += 1 }
                shorter.append(length)
            }
        }

        /// Whether the sequence ends with this byte.
        mutating func advance(_ byte: UInt8) -> Bool {
            while matched > 0, sequence[matched] != byte { matched = shorter[matched] }
            if sequence[matched] == byte { matched += 1 }
            guard matched == sequence.count else { return false }
            matched = shorter[matched]
            return true
        }
    }
}
