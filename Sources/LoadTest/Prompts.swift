/// What the clients ask, the same for the same seed: questions with known answers, and filler to make prompts longer.
package struct Prompts: Sendable {
    package struct Question: Sendable, Equatable, Hashable {
        package var text: String
        /// What a right answer must contain; nil where nothing is known.
        package var expected: String?
    }

    private static let words = [
        "apple", "river", "stone", "cloud", "green", "seven", "table", "window", "garden", "paper", "light", "music",
        "water", "mountain", "silver", "bread", "horse", "winter", "candle", "orange", "forest", "bridge", "summer",
        "yellow", "pencil", "island", "market", "planet", "rocket", "shadow", "velvet", "wagon",
    ]

    private let questions: [Question]
    private let prefix: String
    private let promptWords: Int

    package init(options: LoadOptions) {
        var generator = SeededGenerator(seed: options.seed)
        // With verification each question is asked about four times, so that its answers can be compared.
        let count = options.verify ? min(256, max(8, options.requests / 4)) : min(4096, max(1, options.requests))
        questions = (0..<count).map { _ in Self.question(&generator) }
        prefix = Self.filler(options.sharedPrefix, &generator)
        promptWords = options.promptTokens
    }

    package func question(_ index: Int) -> Question {
        var question = questions[index % questions.count]
        var generator = SeededGenerator(seed: UInt64(index % questions.count) &+ 77)
        let own = Self.filler(promptWords, &generator)
        if !prefix.isEmpty || !own.isEmpty { question.text = [prefix, own, question.text].joined(separator: " ") }
        return question
    }

    private static func question(_ generator: inout SeededGenerator) -> Question {
        let (a, b) = (Int.random(in: 10...99, using: &generator), Int.random(in: 10...99, using: &generator))
        switch Int.random(in: 0..<3, using: &generator) {
        case 0: return Question(text: "What is \(a) + \(b)?", expected: "\(a + b)")
        case 1: return Question(text: "What is \(max(a, b)) - \(min(a, b))?", expected: "\(max(a, b) - min(a, b))")
        default:
            let phrase = (0..<Int.random(in: 2...4, using: &generator)).map { _ in
                words.randomElement(using: &generator) ?? "apple"
            }.joined(separator: " ")
            return Question(text: "Repeat after me: \(phrase)", expected: phrase)
        }
    }

    private static func filler(_ count: Int, _ generator: inout SeededGenerator) -> String {
        (0..<count).map { _ in words.randomElement(using: &generator) ?? "apple" }.joined(separator: " ")
    }
}

/// SplitMix64: the same numbers for the same seed.
package struct SeededGenerator: RandomNumberGenerator, Sendable {
    private var state: UInt64

    package init(seed: UInt64) { state = seed }

    package mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }
}

extension Prompts.Question {
    /// Whether a reply is right; nil where that is not known. A number must stand alone: 168 is not 68.
    package func judges(_ reply: String) -> Bool? {
        guard let expected else { return nil }
        guard expected.allSatisfy(\.isNumber) else { return reply.lowercased().contains(expected.lowercased()) }
        return reply.split { !$0.isNumber }.contains { $0 == expected[...] }
    }
}
