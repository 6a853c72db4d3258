/// A question for a model, with the expected answer.
package struct Question: Sendable, Hashable {
    /// Kinds of questions, which any chat model understands.
    package enum Family: String, Sendable, CaseIterable, Codable {
        /// A number or a name told in the first turn and asked for in the second.
        case recall
        /// A number to repeat.
        case copy
        /// No expected answer: replies are only compared with each other.
        case open
        /// Two-digit sums and differences.
        case sums
        /// Words to repeat.
        case phrases
        /// Words to spell.
        case spelling

        /// Those that Pensieve's small built-in model answers correctly.
        package static let certain: [Family] = [.recall, .copy, .open]
    }

    package var family: Family
    package var system: String?
    /// Alternately by user and assistant, the last by the user.
    package var turns: [String]
    package var expected: ExpectedAnswer?

    package init(_ family: Family, _ turns: [String], expected: ExpectedAnswer?, system: String? = nil) {
        self.family = family
        self.turns = turns
        self.expected = expected
        self.system = system
    }

    /// Whether a reply is correct; nil without an expected answer.
    package func isCorrect(_ reply: String) -> Bool? { expected?.matches(reply) }

    /// The user's turns, for reports.
    var label: String { turns.enumerated().filter { $0.offset % 2 == 0 }.map(\.element).joined(separator: " … ") }
}

/// An expected answer, recognised in various phrasings.
package enum ExpectedAnswer: Sendable, Hashable, CustomStringConvertible {
    /// The last number of the reply; others may precede it, as in "12 + 34 = 46."
    case number(Int)
    /// A word that must occur.
    case word(String)
    /// Exactly these words, perhaps quoted or after an introduction that ends in a colon.
    case phrase(String)
    /// Single letters in this order with any separators: "a-p-p-l-e".
    case letters(String)

    package func matches(_ reply: String) -> Bool {
        let words = Self.words(reply)
        switch self {
        case .number(let number):
            return words.last { $0.allSatisfy { $0.isASCII && $0.isNumber } } == "\(number)"
        case .word(let word): return words.contains(word.lowercased())
        case .phrase(let phrase):
            let afterColon = reply.lastIndex(of: ":").map { Self.words(String(reply[reply.index(after: $0)...])) }
            return [words, afterColon].contains(Self.words(phrase))
        case .letters(let word):
            let runs = words.map { $0.count == 1 ? $0 : " " }.joined().split(separator: " ")
            return runs.contains { $0 == word.lowercased() }
        }
    }

    private static func words(_ text: String) -> [String] {
        text.lowercased().split { !$0.isLetter && !$0.isNumber }.map(String.init)
    }

    package var description: String {
        switch self {
        case .number(let number): "\(number)"
        case .word(let word): word
        case .phrase(let phrase): phrase
        case .letters(let word): word.map(String.init).joined(separator: "-")
        }
    }
}
