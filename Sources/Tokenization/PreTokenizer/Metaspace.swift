/// SentencePiece's way with spaces: they become a mark, one more may stand before the text, and words begin at marks.
struct Metaspace: Sendable {
    enum Scheme: String { case always, first, never }

    let mark: [UInt8]
    let scheme: Scheme
    let splits: Bool

    init(_ node: JSONNode) throws(TokenizerError) {
        let replacement = try node.required("replacement")
        mark = try replacement.bytes()
        guard !mark.isEmpty, mark.scalar(at: 0).end == mark.count else {
            throw replacement.fault("is not one character")
        }
        var scheme = Scheme.always
        if let member = try node.member("prepend_scheme") {
            guard let named = Scheme(rawValue: try member.string()) else { throw member.fault("is not a scheme") }
            scheme = named
        }
        if try node.bool("add_prefix_space", default: true) == false { scheme = .never }
        self.scheme = scheme
        splits = try node.bool("split", default: true)
    }

    /// Marks the spaces of each piece, and cuts it before each mark.
    func cut(_ text: inout SourceText, _ ranges: inout [Range<Int>]) {
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
    /// What a token's spelling becomes when it is decoded: the first token of a text loses its marks.
    func unmarked(_ spelling: [UInt8], isFirst: Bool) -> [UInt8] {
        let space = isFirst && scheme != .never ? [] : [UInt8(ascii: " ")]
        return Replacement(literal: mark, by: space).apply(spelling)
    }
}
