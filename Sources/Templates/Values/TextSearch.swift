/// The search for one text in others, in linear time whatever they look like (Knuth, Morris and Pratt).
struct TextSearch {
    private let pattern: [UInt8]
    /// For each length of a beginning: the longest shorter beginning that it ends with.
    private var shorter: [Int]

    /// - Parameter pattern: not empty.
    init(_ pattern: Text) {
        self.pattern = Array(pattern.bytes)
        shorter = [0, 0]
        shorter.reserveCapacity(self.pattern.count + 1)
        var length = 0
        for index in self.pattern.indices.dropFirst() {
            while length > 0, self.pattern[index] != self.pattern[length] { length = shorter[length] }
            if self.pattern[index] == self.pattern[length] { length += 1 }
            shorter.append(length)
        }
    }

    /// The offset of the first occurrence that begins at `start` or later.
    func first(in text: Text, from start: Int = 0) -> Int? {
        let bytes = text.bytes
        var matched = 0
        var index = bytes.startIndex + start
        while index < bytes.endIndex {
            while matched > 0, bytes[index] != pattern[matched] { matched = shorter[matched] }
            if bytes[index] == pattern[matched] { matched += 1 }
            index += 1
            if matched == pattern.count { return index - bytes.startIndex - pattern.count }
        }
        return nil
    }

    /// The offsets of occurrences that do not overlap, from the left.
    func all(in text: Text, atMost limit: Int = .max) -> [Int] {
        var result: [Int] = []
        var start = 0
        while result.count < limit, let found = first(in: text, from: start) {
            result.append(found)
            start = found + pattern.count
        }
        return result
    }

    /// The offsets of occurrences that do not overlap, chosen from the right; the rightmost first.
    func allFromEnd(in text: Text, atMost limit: Int = .max) -> [Int] {
        let reversed = TextSearch(reversing: self)
        let mirror = Text(text.bytes.reversed(), .input)
        return reversed.all(in: mirror, atMost: limit).map { text.count - $0 - pattern.count }
    }

    private init(reversing other: TextSearch) { self.init(Text(other.pattern.reversed(), .input)) }
}
