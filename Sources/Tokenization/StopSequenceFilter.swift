/// Finds stop sequences in text that comes in pieces, and holds back only what could still begin one.
package struct StopSequenceFilter: Sendable {
    private let sequences: [[UInt8]]
    private var pending: [UInt8] = []

    /// Empty sequences are ignored.
    package init(_ sequences: [String]) { self.sequences = sequences.map { Array($0.utf8) }.filter { !$0.isEmpty } }

    /// Adds text.
    /// - Returns: the text that is now certain, and the sequence that ended it, if one did. Of several the one that
    ///   begins first wins, then the one listed first; nothing may be pushed after it.
    package mutating func push(_ text: String) -> (text: String, matched: String?) {
        guard !sequences.isEmpty else { return (text, nil) }
        pending += text.utf8
        for start in pending.indices {
            let rest = pending[start...]
            if let found = sequences.first(where: { rest.starts(with: $0) }) {
                let before = String(decoding: pending[..<start], as: UTF8.self)
                pending = []
                return (before, String(decoding: found, as: UTF8.self))
            }
            // Everything from here may be the beginning of a sequence: keep it until more is known.
            if sequences.contains(where: { $0.count > rest.count && $0.starts(with: rest) }) {
                let certain = String(decoding: pending[..<start], as: UTF8.self)
                pending.removeFirst(start)
                return (certain, nil)
            }
        }
        defer { pending = [] }
        return (String(decoding: pending, as: UTF8.self), nil)
    }

    /// What was held back, at the end of the text. A sequence may be found even now: one inside the beginning of
    /// another that never came.
    package mutating func finish() -> (text: String, matched: String?) {
        defer { pending = [] }
        for start in pending.indices {
            if let found = sequences.first(where: { pending[start...].starts(with: $0) }) {
                return (String(decoding: pending[..<start], as: UTF8.self), String(decoding: found, as: UTF8.self))
            }
        }
        return (String(decoding: pending, as: UTF8.self), nil)
    }
}
