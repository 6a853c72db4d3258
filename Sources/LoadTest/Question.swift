/// Something to ask a model, and what a right reply must say.
package struct Question: Sendable, Hashable {
    /// Kinds of questions; any chat model understands them.
    package enum Family: String, Sendable, CaseIterable, Codable {
        /// A number or a name told in the first turn and asked for in the second.
        case recall
        /// A number to repeat.
        case copy
        /// Nothing known: such replies are only compared with each other.
        case open
        /// Two-digit sums and differences.
        case sums
        /// Words to repeat.
        case phrases
        /// Words to spell.
        case spelling

        /// Those that Pensieve's built-in model, small as it is, does not get wrong.
        package static let certain: [Family] = [.recall, .copy, .open]
    }

    package var family: Family
    package var system: String?
    /// By user and assistant in turn; the last is the user's.
    package var turns: [String]
    package var expected: KnownAnswer?

    package init(_ family: Family, _ turns: [String], expected: KnownAnswer?, system: String? = nil) {
        self.family = family
        self.turns = turns
        self.expected = expected
        self.system = system
    }

    /// Whether a reply is right; nil where that is not known.
    package func judges(_ reply: String) -> Bool? { expected?.isGiven(by: reply) }

    /// What a person needs to see of it.
    var label: String { turns.enumerated().filter { $0.offset % 2 == 0 }.map(\.element).joined(separator: " … ") }
}

/// The answer to a question, recognized however a model clothes it.
package enum KnownAnswer: Sendable, Hashable, CustomStringConvertible {
    /// The last number of the reply: "12 + 34 = 46." names others before.
    case number(Int)
    /// A word that must occur.
    case word(String)
    /// These words and no others, perhaps in quotes or after an introduction that ends in a colon.
    case phrase(String)
    /// Single letters one after the other, whatever stands between them: "a-p-p-l-e".
    case letters(String)

    package func isGiven(by reply: String) -> Bool {
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
