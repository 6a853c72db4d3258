/// A `Replace`, of a normalizer or a decoder.
struct Replacement: Sendable {
    private enum Target: Sendable {
        /// A literal text, not empty.
        case literal([UInt8])
        case pattern(Pattern)
    }

    private let target: Target
    private let content: [UInt8]

    init(_ node: JSONNode) throws(TokenizerError) {
        let pattern = try node.required("pattern")
        content = try node.required("content").bytes()
        if try pattern.member("Regex") == nil, case let literal = try pattern.required("String").bytes(),
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

    func apply(_ text: [UInt8]) -> [UInt8] {
        var text = SourceText(text, isFirst: true)
        apply(to: &text)
        return text.bytes
    }

    func apply(to text: inout SourceText) {
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
            if match.upperBound <= text.origin { newOrigin = result.count }
            done = match.upperBound
        }
        result += text.bytes[done...]
        if done < text.origin { newOrigin = result.count - (text.bytes.count - text.origin) }
        text.bytes = result
        text.origin = newOrigin
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
