/// A text between the steps of the normalizer and the pre-tokenizer.
struct NormalizedText {
    var bytes: [UInt8]
    /// How many bytes at the beginning stand for the first character of what was given: none if another part of it came
    /// before, or if its beginning was removed.
    var origin: Int

    /// - Parameter isFirst: whether nothing comes before it.
    init(_ bytes: [UInt8], isFirst: Bool) {
        self.bytes = bytes
        origin = isFirst && !bytes.isEmpty ? bytes.scalar(at: 0).end : 0
    }

    /// A part of the text as a text of its own.
    func part(_ range: Range<Int>) -> NormalizedText {
        guard range.count < bytes.count else { return self }
        var part = NormalizedText(Array(bytes[range]), isFirst: false)
        part.origin = max(0, min(origin, range.upperBound) - range.lowerBound)
        return part
    }

    /// Rewrites each piece by itself; what is not in one is dropped.
    /// - Parameters:
    ///   - prefix: what to put before a piece; it counts as part of the piece's first character. Told whether the piece
    ///     begins where the text did.
    ///   - append: appends what becomes of bytes.
    mutating func rewrite(
        _ ranges: inout [Range<Int>],
        prefix: (_ piece: ArraySlice<UInt8>, _ isAtOrigin: Bool) -> [UInt8],
        append: (_ bytes: ArraySlice<UInt8>, _ result: inout [UInt8]) -> Void
    ) {
        var result: [UInt8] = []
        result.reserveCapacity(bytes.count + bytes.count / 4 + ranges.count)
        var newOrigin = 0
        for index in ranges.indices {
            let range = ranges[index]
            let start = result.count
            let head = range.clamped(to: 0..<origin).upperBound
            result += prefix(bytes[range], range.lowerBound < origin)
            if range.lowerBound < origin {
                append(bytes[range.lowerBound..<head], &result)
                newOrigin = result.count
                append(bytes[head..<range.upperBound], &result)
            } else {
                append(bytes[range], &result)
            }
            ranges[index] = start..<result.count
        }
        bytes = result
        origin = newOrigin
    }
}
