import JSON

/// SentencePiece's spaces: they become a mark, one more may be put before the text, and words begin at marks.
struct Metaspace: Sendable {
    enum Scheme: String, CaseIterable { case always, first, never }

    let mark: [UInt8]
    let scheme: Scheme
    let splits: Bool

    init(_ node: JSONNode) throws(JSONError) {
        mark = try node["replacement"].character()
        let scheme = try node["prepend_scheme"].nullable?.oneOf(Scheme.self) ?? .always
        self.scheme = try node["add_prefix_space"].nullable?.bool() == false ? .never : scheme
        splits = try node["split"].nullable?.bool() ?? true
    }

    /// Marks the spaces of each piece, and cuts it before each mark.
    func cut(_ text: inout NormalizedText, _ ranges: inout [Range<Int>]) {
        let space = UInt8(ascii: " ")
        text.rewrite(&ranges) { piece, isAtOrigin in
            let startsWithMark = piece.first == space || piece.starts(with: mark)
            return !startsWithMark && (scheme == .always || (scheme == .first && isAtOrigin)) ? mark : []
        } append: { bytes, result in
            for byte in bytes {
                if byte == space { result += mark } else { result.append(byte) }
            }
        }
        guard splits else { return }
        var pieces: [Range<Int>] = []
        pieces.reserveCapacity(text.bytes.count / 5)
        for range in ranges {
            var start = range.lowerBound
            var index = start
            while index < range.upperBound {
                if text.bytes[index] == mark[0], index > start, text.bytes.hasBytes(mark, at: index) {
                    pieces.append(start..<index)
                    start = index
                }
                index += 1
            }
            pieces.append(start..<range.upperBound)
        }
        ranges = pieces
    }
}

extension Metaspace {
    /// The decoded string of a token: the first token of a text loses its marks.
    func unmarked(_ spelling: [UInt8], isFirst: Bool) -> [UInt8] {
        let space = isFirst && scheme != .never ? [] : [UInt8(ascii: " ")]
        return Replacement(literal: mark, by: space).apply(spelling)
    }
}
