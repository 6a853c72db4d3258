/// What a JSON text may be.
package struct JSONLimits: Sendable {
    /// Offsets are stored in 32 bits.
    package static let largestText = Int(Int32.max)

    package var bytes: Int
    /// How many arrays and objects may stand one inside the other.
    package var depth: Int
    /// Whether `NaN`, `Infinity` and `-Infinity`, which Python writes, count as numbers.
    package var allowsPythonNumbers: Bool

    package init(bytes: Int = largestText, depth: Int = 64, allowsPythonNumbers: Bool = false) {
        self.bytes = min(bytes, Self.largestText)
        self.depth = depth
        self.allowsPythonNumbers = allowsPythonNumbers
    }

    /// For files that Python programs write, such as those of a model.
    package static let file = JSONLimits(allowsPythonNumbers: true)
}

/// A checked JSON text.
///
/// Values stay in the text, and a node names one by its offset: the file of a tokenizer has hundreds of thousands of
/// strings, and a tree of them would take several times the memory of the text. Two rules hold for every reader: of
/// members with one name the last counts, and half a surrogate pair reads as U+FFFD.
package final class JSONDocument: Sendable {
    let text: [UInt8]
    /// Where long values end, in the order in which they begin.
    private let longValues: [JSONScanner.LongValue]

    /// Checks the whole text (RFC 8259).
    /// - Throws: `JSONError` with the problem `syntax` or `tooLong`.
    package init(_ text: [UInt8], limits: JSONLimits = JSONLimits()) throws(JSONError) {
        longValues = try JSONScanner.longValues(of: text, limits)
        self.text = text
    }

    /// The value of the whole text.
    package var root: JSONNode { JSONNode(self, firstSolid(from: 0)) }

    // MARK: Offsets. The text is checked, so every value has an end.

    /// The first byte that is neither white space nor a comma or colon.
    func firstSolid(from index: Int) -> Int {
        var index = index
        while index < text.count {
            switch text[index] {
            case 0x20, 0x0A, 0x0D, 0x09, UInt8(ascii: ","), UInt8(ascii: ":"): index += 1
            default: return index
            }
        }
        return index
    }

    /// The offset of the value that follows `index` in an array or object; nil at the end of it.
    func nextValue(from index: Int) -> Int? {
        let index = firstSolid(from: index)
        guard index < text.count, text[index] != UInt8(ascii: "]"), text[index] != UInt8(ascii: "}") else { return nil }
        return index
    }

    /// Where a value ends. Long values are looked up, so that this takes a bounded time.
    func end(of start: Int) -> Int {
        // One more: what ends a number or word is behind it.
        let limit = min(text.count, start + JSONScanner.longest + 1)
        switch text[start] {
        case UInt8(ascii: "\""): return endOfString(start, before: limit) ?? endOfLongValue(start)
        case UInt8(ascii: "{"), UInt8(ascii: "["): return endOfContainer(start, before: limit) ?? endOfLongValue(start)
        default:
            var index = start
            while index < limit {
                switch text[index] {
                case 0x20, 0x0A, 0x0D, 0x09, UInt8(ascii: ","), UInt8(ascii: "]"), UInt8(ascii: "}"): return index
                default: index += 1
                }
            }
            return limit == text.count ? limit : endOfLongValue(start)
        }
    }

    private func endOfString(_ start: Int, before limit: Int) -> Int? {
        var index = start + 1
        while index < limit {
            index = text.endOfPlainText(from: index, before: limit).end
            if index < limit, text[index] == UInt8(ascii: "\"") { return index + 1 }
            index += 2
        }
        return nil
    }

    private func endOfContainer(_ start: Int, before limit: Int) -> Int? {
        var depth = 0
        var index = start
        while index < limit {
            switch text[index] {
            case UInt8(ascii: "\""):
                guard let end = endOfString(index, before: limit) else { return nil }
                index = end
                continue
            case UInt8(ascii: "{"), UInt8(ascii: "["): depth += 1
            case UInt8(ascii: "}"), UInt8(ascii: "]"):
                depth -= 1
                if depth == 0 { return index + 1 }
            default: break
            }
            index += 1
        }
        return nil
    }

    /// A binary search. A value that is not there is short and ends within the text.
    private func endOfLongValue(_ start: Int) -> Int {
        var (low, high) = (0, longValues.count)
        while low < high {
            let middle = (low + high) / 2
            if longValues[middle].start < start { low = middle + 1 } else { high = middle }
        }
        return low < longValues.count ? Int(longValues[low].end) : text.count
    }

    // MARK: Strings

    /// The UTF-8 of the string that begins at `start`, escapes resolved.
    func bytes(ofStringAt start: Int) -> [UInt8] {
        var index = start + 1
        var end = text.endOfPlainText(from: index, before: text.count).end
        if text[end] == UInt8(ascii: "\"") { return Array(text[index..<end]) }
        var result: [UInt8] = []
        result.reserveCapacity(self.end(of: start) - start)
        text.withUnsafeBufferPointer { text in
            result.append(contentsOf: UnsafeBufferPointer(rebasing: text[index..<end]))
            while text[end] == UInt8(ascii: "\\") {
                index = end + 2
                switch text[end + 1] {
                case UInt8(ascii: "b"): result.append(0x08)
                case UInt8(ascii: "f"): result.append(0x0C)
                case UInt8(ascii: "n"): result.append(0x0A)
                case UInt8(ascii: "r"): result.append(0x0D)
                case UInt8(ascii: "t"): result.append(0x09)
                case UInt8(ascii: "u"):
                    result += UTF8.encode(unicodeEscape(at: &index)) ?? UTF8.encodedReplacementCharacter
                case let other: result.append(other)
                }
                end = self.text.endOfPlainText(from: index, before: text.count).end
                result.append(contentsOf: UnsafeBufferPointer(rebasing: text[index..<end]))
            }
        }
        return result
    }

    func string(at start: Int) -> String {
        let end = text.endOfPlainText(from: start + 1, before: text.count).end
        if text[end] == UInt8(ascii: "\"") { return String(decoding: text[(start + 1)..<end], as: UTF8.self) }
        return String(decoding: bytes(ofStringAt: start), as: UTF8.self)
    }

    /// Whether the string that begins at `start` is `other`, byte by byte.
    func isString(at start: Int, _ other: String) -> Bool {
        var index = start + 1
        for byte in other.utf8 {
            if text[index] == UInt8(ascii: "\\") { return bytes(ofStringAt: start).elementsEqual(other.utf8) }
            // The end of the string differs too: a quote never stands for itself.
            guard text[index] == byte, byte != UInt8(ascii: "\"") else { return false }
            index += 1
        }
        return text[index] == UInt8(ascii: "\"")
    }

    /// The character of four hexadecimal digits, or of a surrogate pair; goes past them.
    private func unicodeEscape(at index: inout Int) -> Unicode.Scalar {
        guard let unit = JSONScanner.codeUnit(text, at: index) else { return "\u{FFFD}" }
        index += 4
        if let scalar = Unicode.Scalar(unit) { return scalar }
        guard UTF16.isLeadSurrogate(unit), text[index] == UInt8(ascii: "\\"), text[index + 1] == UInt8(ascii: "u"),
            let trail = JSONScanner.codeUnit(text, at: index + 2), UTF16.isTrailSurrogate(trail)
        else { return "\u{FFFD}" }
        index += 6
        return Unicode.Scalar(0x10000 + (UInt32(unit) - 0xD800) << 10 + (UInt32(trail) - 0xDC00)) ?? "\u{FFFD}"
    }
}
