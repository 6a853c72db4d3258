import Templates

/// A prompt as its format wrote it, and the origin of each part.
struct PromptText {
    typealias Run = (range: Range<Int>, origin: TextOrigin)

    let bytes: [UInt8]
    /// In order; together they are the whole text. Neighbours differ in origin.
    let runs: [Run]

    init(_ rendered: RenderedText) { self.init(bytes: rendered.bytes, runs: rendered.runs) }

    init(bytes: [UInt8], runs: [Run]) {
        self.bytes = bytes
        var merged: [Run] = []
        for run in runs where !run.range.isEmpty {
            if let last = merged.last, last.origin == run.origin {
                merged[merged.count - 1].range = last.range.lowerBound..<run.range.upperBound
            } else {
                merged.append(run)
            }
        }
        self.runs = merged
    }

    /// What of a range may hold special tokens, counted from the range's beginning.
    func trusted(in range: Range<Int>) -> [Range<Int>] {
        runs.compactMap { run in
            let part = run.range.clamped(to: range)
            guard run.origin == .template, !part.isEmpty else { return nil }
            return (part.lowerBound - range.lowerBound)..<(part.upperBound - range.lowerBound)
        }
    }

    /// The origin of the byte at a place; nil at the end.
    func origin(at place: Int) -> TextOrigin? {
        let index = runs.firstIndex(endingAtLeast: place + 1)
        return index < runs.count ? runs[index].origin : nil
    }

    /// Whether the format has written something in a range, right before it or right after it.
    func isTouchedByFormat(_ range: Range<Int>) -> Bool {
        var index = runs.firstIndex(endingAtLeast: range.lowerBound)
        while index < runs.count, runs[index].range.lowerBound <= range.upperBound {
            if runs[index].origin == .template { return true }
            index += 1
        }
        return false
    }

    // MARK: Names

    /// The prompt's name; nil unless the format has the last word, as it has in all that begin a new answer.
    var key: PromptKey? {
        guard let last = runs.last, last.origin == .template else { return nil }
        var hash = 0
        for run in runs { hash = Self.hash(hash, run.origin, bytes[run.range]) }
        return PromptKey(length: last.range.upperBound, hash: hash)
    }

    /// The names that prompts of these lengths would have whose text, but for `tail` at its end, is the beginning of
    /// this one.
    ///
    /// A prompt ends in what the format writes, so places inside of other texts, which may be long, are not looked at.
    /// - Parameter lengths: ascending.
    func beginnings(ofLengths lengths: [Int], tail: [UInt8] = []) -> [PromptKey] {
        var keys: [PromptKey] = []
        var hash = 0
        for run in runs {
            if run.origin == .template {
                var index = lengths.firstIndex(atLeast: run.range.lowerBound + 1 + tail.count)
                while index < lengths.count, lengths[index] - tail.count <= run.range.upperBound {
                    let part = bytes[run.range.lowerBound..<(lengths[index] - tail.count)] + tail
                    keys.append(PromptKey(length: lengths[index], hash: Self.hash(hash, run.origin, part)))
                    index += 1
                }
            }
            hash = Self.hash(hash, run.origin, bytes[run.range])
        }
        return keys
    }

    private static func hash(_ before: Int, _ origin: TextOrigin, _ part: ArraySlice<UInt8>) -> Int {
        var hasher = Hasher()
        hasher.combine(before)
        hasher.combine(origin)
        hasher.combine(part.count)
        part.withUnsafeBytes { hasher.combine(bytes: $0) }
        return hasher.finalize()
    }
}

extension [Int] {
    /// The index of the first element that is not below `bound`, in an ascending array.
    fileprivate func firstIndex(atLeast bound: Int) -> Int { partition(isBelow: { $0 < bound }) }
}

extension [PromptText.Run] {
    fileprivate func firstIndex(endingAtLeast end: Int) -> Int { partition(isBelow: { $0.range.upperBound < end }) }
}

extension Array {
    /// The number of elements before the first that is not below something, in an ascending array.
    fileprivate func partition(isBelow: (Element) -> Bool) -> Int {
        var (low, high) = (0, count)
        while low < high {
            let middle = (low + high) / 2
            if isBelow(self[middle]) { low = middle + 1 } else { high = middle }
        }
        return low
    }
}
