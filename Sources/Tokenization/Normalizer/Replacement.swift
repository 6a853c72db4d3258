import JSON

/// A `Replace`, of a normalizer or a decoder.
struct Replacement: Sendable {
    private enum Target: Sendable {
        /// A literal text, not empty.
        case literal([UInt8])
        case pattern(Pattern)
    }

    private let target: Target
    private let content: [UInt8]

    init(_ node: JSONNode) throws(JSONError) {
        let pattern = node["pattern"]
        content = try node["content"].bytes()
        if try pattern["Regex"].nullable == nil, case let literal = try pattern["String"].bytes(),
            !literal.isEmpty
        {
            target = .literal(literal)
        } else {
            target = .pattern(try pattern.pattern())
        }
    }

    init(space content: [UInt8]) {
        target = .literal([UInt8(ascii: " ")])
        self.content = content
    }

    init(literal: [UInt8], by content: [UInt8]) {
        target = .literal(literal)
        self.content = content
    }

    /// How many times as long as a text it may make one, at most.
    var growth: Int {
        switch target {
        case .literal(let literal): max(1, (content.count + literal.count - 1) / literal.count)
        // It may match between any two bytes.
        case .pattern: content.count + 1
        }
    }

    /// A text in which it finds something, if that is known.
    var sample: [UInt8] { if case .literal(let literal) = target { literal } else { [] } }

    func apply(_ text: [UInt8]) -> [UInt8] {
        var text = NormalizedText(text, isFirst: true)
        _ = rewrite(&text, .none)
        return text.bytes
    }

    /// - Throws: if the text goes beyond the limit.
    func apply(to text: inout NormalizedText, _ limit: GrowthLimit) throws(TokenizerError) {
        guard rewrite(&text, limit) else { throw limit.error }
    }

    /// - Returns: whether the text is within the limit; if not, it is as it was.
    private func rewrite(_ text: inout NormalizedText, _ limit: GrowthLimit) -> Bool {
        var result: [UInt8] = []
        result.reserveCapacity(text.bytes.count + text.bytes.count / 4)
        var newOrigin = 0
        var done = 0
        for match in matches(in: text.bytes) {
            result += text.bytes[done..<match.lowerBound]
            // What replaces a text stands for the last character of it.
            if match.upperBound > text.origin, done < text.origin {
                newOrigin = result.count - max(0, match.lowerBound - text.origin)
            }
            result += content
            guard limit.allows(result.count) else { return false }
            if match.upperBound <= text.origin { newOrigin = result.count }
            done = match.upperBound
        }
        result += text.bytes[done...]
        if done < text.origin { newOrigin = result.count - (text.bytes.count - text.origin) }
        text.bytes = result
        text.origin = newOrigin
        return true
    }

    private func matches(in text: [UInt8]) -> [Range<Int>] {
        var matches: [Range<Int>] = []
        switch target {
        case .literal(let literal):
            var index = 0
            while index < text.count {
                if text[index] == literal[0], text.hasBytes(literal, at: index) {
                    matches.append(index..<index + literal.count)
                    index += literal.count
                } else {
                    index += 1
                }
            }
        case .pattern(let pattern):
            var matcher = pattern.matcher(for: text)
            matcher.appendMatches(in: text.indices, to: &matches)
        }
        return matches
    }
}
