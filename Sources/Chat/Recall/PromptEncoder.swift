import Templates
import Tokenization

/// Makes tokens of a prompt such that a conversation's next turn begins with the very tokens of the last.
///
/// Tokenizing what a model wrote may give other tokens than those that it sampled, and from the first other token on
/// nothing of the cache fits. So where the text goes on, after a prompt that is known, with an answer that the model gave
/// to it, the answer's own tokens stand there: they are what the model has seen.
struct PromptEncoder {
    let tokenizer: Tokenizer
    /// The texts of the special tokens that end a turn.
    let ends: [[UInt8]]
    /// The empty block of thinking with which the format ends this prompt so that the model does not think; empty if it
    /// writes none. It stays before the model's earlier answers too, where the format would leave it out.
    var emptyThinking: [UInt8] = []

    /// An answer's place in the text.
    private struct Answer {
        /// Where it begins.
        var start: Int
        var hasEmptyThinking: Bool
        /// Where the text goes on after it.
        var end: Int
        var tokens: ArraySlice<Int32>
    }

    /// The tokens of a prompt.
    /// - Throws: `TokenizerError` if the normalizer makes the text too long.
    func encode(_ text: PromptText, recalling recall: (any AnswerRecall)?) throws(TokenizerError) -> [Int32] {
        var tokens: [Int32] = []
        var start = 0
        for answer in recall.map({ answers(in: text, $0) }) ?? [] {
            tokens += try encode(text, start..<answer.start, tail: answer.hasEmptyThinking ? emptyThinking : [])
            tokens += answer.tokens
            start = answer.end
        }
        return try tokens + encode(text, start..<text.bytes.count)
    }

    /// - Parameter tail: more that the format writes, at the end of the range.
    private func encode(_ text: PromptText, _ range: Range<Int>, tail: [UInt8] = []) throws(TokenizerError) -> [Int32] {
        var trusted = text.trusted(in: range)
        if !tail.isEmpty {
            let isAdjacent = trusted.last?.upperBound == range.count
            let start = isAdjacent ? trusted.removeLast().lowerBound : range.count
            trusted.append(start..<(range.count + tail.count))
        }
        return try tokenizer.encode(Array(text.bytes[range] + tail), .ranges(trusted))
    }

    /// The answers in a text that are known, in order; none overlaps another.
    private func answers(in text: PromptText, _ recall: any AnswerRecall) -> [Answer] {
        let lengths = recall.promptLengths
        var prompts = text.beginnings(ofLengths: lengths).map { (end: $0.length, hasEmptyThinking: false, key: $0) }
        if !emptyThinking.isEmpty {
            prompts += text.beginnings(ofLengths: lengths, tail: emptyThinking).map {
                (end: $0.length - emptyThinking.count, hasEmptyThinking: true, key: $0)
            }
            prompts.sort { $0.end < $1.end }
        }
        var answers: [Answer] = []
        for prompt in prompts where prompt.end >= answers.last?.end ?? 0 {
            let search = AnswerSearch(text: text, start: prompt.end, ends: ends)
            let found = recall.answers(to: prompt.key).compactMap { tokens in
                search.find(tokens, tokenizer).map { (end: $0.end, tokens: tokens[..<$0.tokenCount]) }
            }
            guard let longest = found.max(by: { $0.end < $1.end }) else { continue }
            answers.append(
                Answer(
                    start: prompt.end,
                    hasEmptyThinking: prompt.hasEmptyThinking,
                    end: longest.end,
                    tokens: longest.tokens
                )
            )
        }
        return answers
    }
}

/// Looks for an answer at one place of a prompt's text.
private struct AnswerSearch {
    let text: PromptText
    let start: Int
    let ends: [[UInt8]]

    /// Finds an answer that stands here whole, or cut between two tokens, and is followed by the end of its turn or of
    /// the text.
    ///
    /// White space beside what the format writes is the format's matter, which trims texts and separates them from calls as
    /// it likes: there the white space that was sampled stands. All else must be the same.
    /// - Returns: where the text goes on, and how many of the tokens stand before it.
    func find(_ tokens: [Int32], _ tokenizer: Tokenizer) -> (end: Int, tokenCount: Int)? {
        var reading = Reading(text: text, start: start)
        var cut: (end: Int, tokenCount: Int)?
        for (index, token) in tokens.enumerated() {
            if cut == nil, reading.place > start, isEnd(reading.place) { cut = (reading.place, index) }
            for byte in tokenizer.bytes(of: token) where !reading.accept(byte) { return cut }
        }
        guard reading.place > start else { return nil }
        if reading.place == text.bytes.count { return reading.isExact ? (reading.place, tokens.count) : cut }
        return reading.skipSpace() && isEnd(reading.place) ? (reading.place, tokens.count) : cut
    }

    /// Whether the special token that ends a turn stands at a place.
    private func isEnd(_ place: Int) -> Bool {
        guard text.origin(at: place) == .template else { return false }
        return ends.contains { text.bytes[place...].starts(with: $0) }
    }
}

/// A place in a prompt's text, up to which it is the same as what was sampled.
private struct Reading {
    let text: PromptText
    let start: Int
    private(set) var place: Int
    /// Whether all white space since the last other byte is the same too.
    private(set) var isExact = true
    /// Where the white space before `place` begins.
    private var spaceStart: Int

    init(text: PromptText, start: Int) {
        self.text = text
        self.start = start
        place = start
        spaceStart = start
    }

    /// Goes on by a sampled byte.
    /// - Returns: whether the text has it here, or may lack it.
    mutating func accept(_ byte: UInt8) -> Bool {
        guard !byte.isBlank else {
            if place < text.bytes.count, text.bytes[place] == byte {
                place += 1
            } else {
                guard isBesideFormat(spaceStart..<endOfSpace) else { return false }
                isExact = false
            }
            return true
        }
        if next != byte {
            guard skipSpace(), next == byte || skipCallName() && next == byte else { return false }
        }
        place += 1
        spaceStart = place
        isExact = true
        return true
    }

    /// Goes past white space that was not sampled, where there is some.
    /// - Returns: whether it may be there.
    mutating func skipSpace() -> Bool {
        let end = endOfSpace
        guard end > place else { return true }
        guard isBesideFormat(spaceStart..<end) else { return false }
        place = end
        return true
    }

    private var next: UInt8? { place < text.bytes.count ? text.bytes[place] : nil }

    private static let callName = Array(", \"id\": \"".utf8)
    private static let longestCallName = 64

    /// Goes past the name that the format has for a call, as a last member of its object: some write one into histories
    /// that their models need not write.
    private mutating func skipCallName() -> Bool {
        guard text.origin(at: place) == .template, text.bytes[place...].starts(with: Self.callName) else {
            return false
        }
        let name = text.bytes[(place + Self.callName.count)...].prefix(Self.longestCallName)
        guard let end = name.firstIndex(of: UInt8(ascii: "\"")) else { return false }
        place = end + 1
        return true
    }

    private var endOfSpace: Int { text.bytes[place...].firstIndex { !$0.isBlank } ?? text.bytes.count }

    /// Whether some white space is in what the format writes, or beside it.
    private func isBesideFormat(_ space: Range<Int>) -> Bool {
        space.lowerBound == start || text.isTouchedByFormat(space)
    }
}

extension UInt8 {
    fileprivate var isBlank: Bool { self == 0x20 || (0x09...0x0D).contains(self) }
}
