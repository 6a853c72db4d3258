package import APIClient
import JSON

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
        /// A tool that must be called: any valid call will do.
        case calls
        /// A question for one of several tools, with the call that fits.
        case tools

        /// Those that Pensieve's small built-in model answers correctly.
        package static let certain: [Family] = [.recall, .copy, .open]
    }

    package var family: Family
    package var system: String?
    /// Alternately by user and assistant, the last by the user.
    package var turns: [String]
    package var expected: ExpectedAnswer?
    /// What the model may call.
    package var tools: [Tool] = []
    /// The tool that it must call, if it is not free.
    package var forcedTool: String?

    package init(_ family: Family, _ turns: [String], expected: ExpectedAnswer?, system: String? = nil) {
        self.family = family
        self.turns = turns
        self.expected = expected
        self.system = system
    }

    /// Whether an answer is correct; nil without an expected one.
    package func isCorrect(_ answer: AnswerReader) -> Bool? { expected?.matches(answer) }

    /// Whether an answer has calls that no server may give: of another tool than was forced or offered, with arguments
    /// that the tool does not take, none although one is forced, or without the stop reason that clients wait for.
    package func hasInvalidCalls(_ answer: AnswerReader) -> Bool {
        // An answer that was cut may end within a call.
        let isCut = answer.stopReason == "max_tokens"
        let calls = isCut ? answer.calls.dropLast() : answer.calls[...]
        if !isCut, calls.isEmpty ? forcedTool != nil : answer.stopReason != "tool_use" { return true }
        return calls.contains { call in
            guard let tool = tools.first(where: { $0.name == call.name }) else { return true }
            return tool.name != forcedTool ?? tool.name || !tool.accepts(call.arguments)
        }
    }

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
    /// One call of this tool with these texts or numbers for its parameters.
    case call(String, [String: String])

    package func matches(_ answer: AnswerReader) -> Bool {
        guard case .call(let name, let arguments) = self else { return matches(answer.text) }
        guard let call = answer.calls.first, answer.calls.count == 1, call.isComplete, call.name == name,
            let input = try? JSONDocument(Array(call.arguments.utf8)).root
        else { return false }
        return arguments.allSatisfy { parameter, expected in
            let value = input[parameter]
            return (try? value.string()) == expected || (try? value.int()).map(String.init) == expected
        }
    }

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
        case .call: return false
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
        case .call(let name, let arguments):
            name + "(" + arguments.sorted { $0.key < $1.key }.map { "\($0.key): \($0.value)" }.joined(separator: ", ")
                + ")"
        }
    }
}
