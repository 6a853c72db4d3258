/// Texts as Python sees them: sequences of code points.
extension Text {
    /// The character at an offset, and the offset after it.
    func scalar(at offset: Int) -> (value: Unicode.Scalar, end: Int) {
        let (value, end) = allBytes.character(at: start + offset)
        return (value, end - start)
    }

    /// The character that ends before an offset, and where it begins.
    func scalar(before offset: Int) -> (value: Unicode.Scalar, start: Int)? {
        guard offset > 0 else { return nil }
        var start = offset - 1
        while start > 0, self[start] & 0xC0 == 0x80 { start -= 1 }
        return (scalar(at: start).value, start)
    }

    /// Every character with its place. Ends early if `body` returns false.
    func forEachScalar(_ body: (Unicode.Scalar, Range<Int>) throws(TemplateError) -> Bool) throws(TemplateError) {
        var offset = 0
        while offset < count {
            let (scalar, end) = scalar(at: offset)
            guard try body(scalar, offset..<end) else { return }
            offset = end
        }
    }

    func allScalars(_ test: (Unicode.Scalar) -> Bool) -> Bool {
        var offset = 0
        while offset < count {
            let (scalar, end) = scalar(at: offset)
            guard test(scalar) else { return false }
            offset = end
        }
        return true
    }

    /// In characters.
    var length: Int { length(of: 0..<count) }

    func length(of range: Range<Int>) -> Int {
        if isKnownASCII { return range.count }
        var length = 0
        for byte in self[range].bytes where byte & 0xC0 != 0x80 { length += 1 }
        return length
    }

    /// The offset of the character number `index`, or of the end.
    func offset(ofScalar index: Int) -> Int {
        if isKnownASCII { return min(index, count) }
        var remaining = index
        for (offset, byte) in bytes.enumerated() where byte & 0xC0 != 0x80 {
            if remaining == 0 { return offset }
            remaining -= 1
        }
        return count
    }

    // MARK: Trimming

    func trimmed(
        start trimsStart: Bool = true,
        end trimsEnd: Bool = true,
        where isTrimmed: (Unicode.Scalar) -> Bool = \.isPythonSpace
    ) -> Text {
        var (first, last) = (0, count)
        while trimsStart, first < last {
            let (scalar, end) = scalar(at: first)
            guard isTrimmed(scalar) else { break }
            first = end
        }
        while trimsEnd, last > first, let (scalar, start) = scalar(before: last), isTrimmed(scalar) { last = start }
        return self[first..<last]
    }

    func hasPrefix(_ other: Text, at offset: Int = 0) -> Bool {
        offset + other.count <= count && self[offset..<offset + other.count] == other
    }

    func hasSuffix(_ other: Text) -> Bool { other.count <= count && hasPrefix(other, at: count - other.count) }
}

/// Which elements a Python slice names.
struct SliceIndices {
    let first: Int
    /// Where the slice ends, whether or not a step leads there.
    let stop: Int
    let count: Int
    let step: Int

    /// - Throws: if the step is 0.
    init(start: Int?, stop: Int?, step: Int?, length: Int) throws(TemplateError) {
        let step = step ?? 1
        guard step != 0 else { throw .operation("a slice's step cannot be zero") }
        let bounds = step > 0 ? (0, length) : (-1, length - 1)
        func place(_ index: Int?, _ absent: Int) -> Int {
            guard let index else { return absent }
            let place = index < 0 ? max(index + length, bounds.0) : index
            return min(max(place, bounds.0), bounds.1)
        }
        let first = place(start, step > 0 ? bounds.0 : bounds.1)
        let end = place(stop, step > 0 ? bounds.1 : bounds.0)
        self.first = first
        self.stop = end
        self.step = step
        let distance = step > 0 ? end - first : first - end
        // The magnitude of `Int.min` is no Int; clamped it gives the same, as every step beyond the length does.
        let magnitude = Int(clamping: step.magnitude)
        count = distance > 0 ? (distance - 1) / magnitude + 1 : 0
    }

    /// The place of the slice's element number `index`.
    subscript(_ index: Int) -> Int { index == 0 ? first : first + index * step }
}
