/// What finding markers needs of texts.
extension [UInt8] {
    func first(_ part: String, from index: Int) -> Int? { first(Array(part.utf8), from: index) }

    func first(_ part: [UInt8], from index: Int) -> Int? {
        guard !part.isEmpty, count >= part.count, index <= count - part.count else { return nil }
        return (index...(count - part.count)).first { self[$0] == part[0] && self[$0...].starts(with: part) }
    }

    func last(_ part: [UInt8]) -> Int? {
        guard !part.isEmpty, count >= part.count else { return nil }
        return (0...(count - part.count)).last { self[$0] == part[0] && self[$0...].starts(with: part) }
    }

    /// How often a part occurs.
    func count(of part: [UInt8]) -> Int {
        var (count, index) = (0, 0)
        while let found = first(part, from: index) { (count, index) = (count + 1, found + part.count) }
        return count
    }

    func commonPrefix(_ other: [UInt8]) -> [UInt8] {
        var length = 0
        while length < Swift.min(count, other.count), self[length] == other[length] { length += 1 }
        return Array(self[..<length])
    }

    func commonSuffix(_ other: [UInt8]) -> [UInt8] {
        var length = 0
        while length < Swift.min(count, other.count), self[count - 1 - length] == other[other.count - 1 - length] {
            length += 1
        }
        return Array(self[(count - length)...])
    }

    private static let less = UInt8(ascii: "<")
    private static let greater = UInt8(ascii: ">")

    /// Without a tag at the end that is not closed.
    var withoutOpenTag: [UInt8] {
        guard let open = lastIndex(of: Self.less), !self[open...].contains(Self.greater) else { return self }
        return Array(self[..<open])
    }

    /// From the last tag on; all of it if there is none.
    var fromLastTag: [UInt8] { lastIndex(of: Self.less).map { Array(self[$0...]) } ?? self }

    /// From the first whole tag on; all of it if there is none.
    var fromFirstTag: [UInt8] {
        guard contains(Self.greater) else { return self }
        return firstIndex(of: Self.less).map { Array(self[$0...]) } ?? []
    }

    /// A tag at the beginning, such as `</think>` or `[/THINK]`, white space aside.
    var firstTag: [UInt8]? {
        let text = trimmed
        guard let first = text.first, let end = Self.closing(first),
            let last = text.firstIndex(of: end)
        else { return nil }
        return Array(text[...last])
    }

    /// A tag at the end, white space aside.
    var lastTag: [UInt8]? {
        let text = trimmed
        let open: UInt8
        switch text.last {
        case Self.greater: open = Self.less
        case UInt8(ascii: "]"): open = UInt8(ascii: "[")
        default: return nil
        }
        return text.lastIndex(of: open).map { Array(text[$0...]) }
    }

    private static func closing(_ open: UInt8) -> UInt8? {
        open == less ? greater : open == UInt8(ascii: "[") ? UInt8(ascii: "]") : nil
    }
}

extension ArraySlice<UInt8> {
    var array: [UInt8] { Array(self) }
}

extension Collection<UInt8> {
    var text: String { String(decoding: self, as: UTF8.self) }
}

extension String {
    func range(of part: String) -> Range<String.Index>? { firstRange(of: part) }

    /// Without the member of a JSON object that has a value: `, "id": "value"`.
    func withoutMember(_ value: String) -> String {
        guard let found = firstRange(of: "\"\(value)\""), let comma = self[..<found.lowerBound].lastIndex(of: ",")
        else {
            return self
        }
        return String(self[..<comma]) + self[found.upperBound...]
    }
}
