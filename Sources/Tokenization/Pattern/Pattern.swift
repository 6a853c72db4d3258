/// A regular expression as a tree.
indirect enum PatternNode: Equatable, Sendable {
    /// One character of a set.
    case scalar(ScalarRanges)
    case sequence([PatternNode])
    /// The first of these that leads to a match.
    case alternatives([PatternNode])
    case repeated(PatternNode, Repetition)
    /// What must, or must not, follow or come before; takes no text.
    case look(PatternNode, isBehind: Bool, isNegated: Bool)
    /// What is not tried another way once it matched.
    case atomic(PatternNode)
    case anchor(Anchor)

    struct Repetition: Equatable, Sendable {
        enum Mode: Sendable { case greedy, lazy, possessive }

        var least: Int
        /// `Int.max` for no limit.
        var most: Int
        var mode = Mode.greedy
    }

    enum Anchor: Equatable, Sendable {
        case lineStart, lineEnd, textStart, textEnd
        /// At the end, or before a line break that is the last character.
        case lastLineEnd
        case wordBoundary, noWordBoundary
    }

    static let empty = PatternNode.sequence([])

    /// Whether it may match without taking text.
    var mayBeEmpty: Bool {
        switch self {
        case .scalar: false
        case .sequence(let parts): parts.allSatisfy(\.mayBeEmpty)
        case .alternatives(let parts): parts.contains(where: \.mayBeEmpty)
        case .repeated(let body, let repetition): repetition.least == 0 || body.mayBeEmpty
        case .atomic(let body): body.mayBeEmpty
        case .look, .anchor: true
        }
    }

    /// How many characters it takes, if it always takes as many.
    var fixedLength: Int? {
        switch self {
        case .scalar: return 1
        case .sequence(let parts):
            let lengths = parts.compactMap(\.fixedLength)
            return lengths.count == parts.count ? lengths.reduce(0, &+) : nil
        case .alternatives(let parts):
            let lengths = Set(parts.map(\.fixedLength))
            return lengths.count == 1 ? lengths.first ?? nil : nil
        case .repeated(let body, let repetition):
            guard repetition.least == repetition.most, let length = body.fixedLength else { return nil }
            let (product, overflow) = length.multipliedReportingOverflow(by: repetition.least)
            return overflow ? nil : product
        case .atomic(let body): return body.fixedLength
        case .look, .anchor: return 0
        }
    }
}

/// What is wrong with a regular expression, or not understood here.
struct PatternError: Error {
    let description: String

    init(_ description: String) { self.description = description }
}

/// A regular expression as `tokenizer.json` writes them, or a literal text.
struct Pattern: Sendable {
    private let program: PatternProgram

    /// - Throws: `PatternError` if it is malformed, or uses what is not supported.
    init(_ source: String) throws(PatternError) {
        program = try PatternProgram(PatternParser.parse(source))
    }

    init(literal: [UInt8]) throws(PatternError) {
        let scalars = String(decoding: literal, as: UTF8.self).unicodeScalars
        program = try PatternProgram(.sequence(scalars.map { .scalar(ScalarRanges($0.value)) }))
    }

    func matcher(for text: [UInt8]) -> PatternMatcher { PatternMatcher(program, text) }

    /// The text with every match replaced.
    func replacingMatches(in text: [UInt8], by replacement: [UInt8]) -> [UInt8] {
        var matches: [Range<Int>] = []
        var matcher = matcher(for: text)
        matcher.appendMatches(in: text.indices, to: &matches)
        var result: [UInt8] = []
        result.reserveCapacity(text.count)
        var done = 0
        for match in matches {
            result += text[done..<match.lowerBound]
            result += replacement
            done = match.upperBound
        }
        result += text[done...]
        return result
    }
}
