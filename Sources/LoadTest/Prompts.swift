import APIClient

/// The prompts of a test, determined by the seed: questions, and filler text that makes prompts longer.
package struct Prompts: Sendable {
    /// The number of words of filler in a prompt.
    package struct Filler: Sendable, Equatable {
        /// A prefix that all prompts share.
        package var shared = 0
        /// Words after that prefix, different for each question.
        package var own = 0

        package init(shared: Int = 0, own: Int = 0) {
            self.shared = shared
            self.own = own
        }
    }

    private static let words = [
        "apple", "river", "stone", "cloud", "green", "seven", "table", "window", "garden", "paper", "light", "music",
        "water", "mountain", "silver", "bread", "horse", "winter", "candle", "orange", "forest", "bridge", "summer",
        "yellow", "pencil", "island", "market", "planet", "rocket", "shadow", "velvet", "wagon",
    ]
    private static let names = [
        "Anna", "Ben", "Clara", "David", "Elena", "Felix", "Grace", "Hugo", "Iris", "Jonas", "Laura", "Marta", "Noah",
        "Oscar", "Paul", "Ruth", "Simon", "Tara", "Victor", "Zoe",
    ]
    private static let openings = [
        "Who are you?", "What can you do?", "How large are you?", "What is this server?", "Tell me about the {}.",
        "Write a poem about the {}.", "Why is the {} important?", "How does a {} work?", "Where can I find a {}?",
    ]

    private let seed: UInt64
    private let questions: [Question]

    package init(options: LoadOptions) {
        seed = options.seed
        // With verification each question is asked about four times, so that replies can be compared.
        let count = options.verify ? min(256, max(8, options.requests / 4)) : min(4096, options.requests)
        var generator = SeededGenerator(seed: options.seed)
        let families = options.askedFamilies
        questions = (0..<count).map { Self.question(families[$0 % families.count], &generator) }
    }

    /// The question of the request with this index. The same question always has the same filler.
    package func question(_ index: Int, _ filler: Filler) -> Question {
        let number = index % questions.count
        var question = questions[number]
        if filler.shared + filler.own > 0 {
            let shared = Self.text(words: filler.shared, seed: seed)
            let own = Self.text(words: filler.own, seed: seed &+ UInt64(number + 1) &* 7919)
            question.system = [shared, own].filter { !$0.isEmpty }.joined(separator: " ")
        }
        return question
    }

    private static func question(_ family: Question.Family, _ generator: inout SeededGenerator) -> Question {
        switch family {
        case .recall:
            let number = Int.random(in: 10...9999, using: &generator)
            let name = names.randomElement(using: &generator) ?? "Anna"
            return Bool.random(using: &generator)
                ? Question(
                    .recall,
                    ["My lucky number is \(number).", "I will remember \(number).", "What is my lucky number?"],
                    expected: .number(number)
                )
                : Question(
                    .recall,
                    ["My name is \(name).", "Nice to meet you, \(name)!", "What is my name?"],
                    expected: .word(name)
                )
        case .copy:
            let number = Int.random(in: 100...999, using: &generator)
            return Question(.copy, ["Repeat after me: \(number)"], expected: .phrase("\(number)"))
        case .open:
            let opening = openings.randomElement(using: &generator) ?? "Who are you?"
            return Question(.open, [opening.replacing("{}", with: word(&generator))], expected: nil)
        case .sums:
            let pair = (Int.random(in: 10...99, using: &generator), Int.random(in: 10...99, using: &generator))
            let (large, small) = (max(pair.0, pair.1), min(pair.0, pair.1))
            return Bool.random(using: &generator)
                ? Question(.sums, ["What is \(pair.0) + \(pair.1)?"], expected: .number(large + small))
                : Question(.sums, ["What is \(large) - \(small)?"], expected: .number(large - small))
        case .phrases:
            let count = Int.random(in: 2...4, using: &generator)
            let phrase = (0..<count).map { _ in word(&generator) }.joined(separator: " ")
            return Question(.phrases, ["Repeat after me: \(phrase)"], expected: .phrase(phrase))
        case .spelling:
            let word = word(&generator)
            return Question(.spelling, ["Spell the word \(word)."], expected: .letters(word))
        case .calls: return call(&generator)
        case .tools: return toolQuestion(&generator)
        }
    }

    // MARK: Tools

    private static let weather = Tool(
        name: "get_weather",
        description: "Get the weather in a city.",
        parameters: [.init(name: "location", description: "The city.", kind: .text(atMost: 24))]
    )
    private static let sum = Tool(
        name: "add_numbers",
        description: "Add two numbers.",
        parameters: [
            .init(name: "a", description: "The first number.", kind: .integer(0...9999)),
            .init(name: "b", description: "The second number.", kind: .integer(0...9999)),
        ]
    )
    private static let lights = Tool(
        name: "set_lights",
        description: "Switch the lights of a room.",
        parameters: [
            .init(name: "room", description: "The room.", kind: .oneOf(["kitchen", "bedroom", "garden"])),
            .init(name: "state", description: "On or off.", kind: .oneOf(["on", "off"])),
        ]
    )
    private static let cities = [
        "Lyon", "Oslo", "Berlin", "Madrid", "Rome", "Paris", "London", "Vienna", "Prague", "Dublin", "Athens", "Lisbon",
    ]

    /// A question with a tool that must be called, which the question may have nothing to do with.
    private static func call(_ generator: inout SeededGenerator) -> Question {
        let tools = [weather, sum, lights].shuffled(using: &generator)
        var question = Question(.calls, ["Tell me about the \(word(&generator))."], expected: nil)
        question.tools = tools
        question.forcedTool = tools[0].name
        return question
    }

    private static func toolQuestion(_ generator: inout SeededGenerator) -> Question {
        let city = cities.randomElement(using: &generator) ?? "Lyon"
        var question = Question(
            .tools,
            ["What is the weather in \(city)?"],
            expected: .call(weather.name, ["location": city])
        )
        question.tools = [weather, Bool.random(using: &generator) ? sum : lights].shuffled(using: &generator)
        return question
    }

    private static func word(_ generator: inout SeededGenerator) -> String {
        words.randomElement(using: &generator) ?? "apple"
    }

    /// Sentences of `count` words in total; the last one may be cut.
    private static func text(words count: Int, seed: UInt64) -> String {
        var generator = SeededGenerator(seed: seed)
        var result: [String] = []
        result.reserveCapacity(count + 8)
        while result.count < count {
            let (a, b) = (word(&generator), word(&generator))
            result += ["The", a, word(&generator), "is", "near", "the", b + "."]
        }
        return result.prefix(count).joined(separator: " ")
    }
}

/// SplitMix64.
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

/// Determines how many words of filler give prompts of the requested length in the server's tokens.
package struct Calibration {
    /// The server's token count of a question with its filler.
    package typealias Counter = (Question) throws -> Int

    /// A whole number of rounds of the usual kinds of questions.
    private static let sampleSize = 12

    private let prompts: Prompts
    private let count: Counter

    package init(_ prompts: Prompts, count: @escaping Counter) {
        self.prompts = prompts
        self.count = count
    }

    /// - Throws: `UsageError` if the questions alone are longer or the server's counts are implausible; what the
    ///   counter throws.
    package func filler(promptTokens: Int?, sharedPrefix: Int) throws -> Prompts.Filler {
        guard promptTokens ?? 0 > 0 || sharedPrefix > 0 else { return Prompts.Filler() }
        // Two measurements give the tokens per word and those of everything else. Both lengths fit any context.
        let (few, many) = (16, 160)
        let (low, high) = (try mean(words: few), try mean(words: many))
        let perWord = (high - low) / Double(many - few)
        guard perWord > 0.05, perWord < 50 else {
            throw UsageError("the server counts \(perWord) tokens for a word: prompts cannot be made to measure")
        }
        let shared = Int((Double(sharedPrefix) / perWord).rounded())
        guard let promptTokens else { return Prompts.Filler(shared: shared) }
        let bare = try mean(words: 0)
        guard Double(promptTokens) >= bare else {
            throw UsageError("--prompt-tokens: the questions alone have \(Int(bare.rounded(.up))) tokens")
        }
        var words = max(0, (Double(promptTokens) - low) / perWord + Double(few))
        // One correction at the length found, because words differ in tokens.
        words += (Double(promptTokens) - (try mean(words: Int(words.rounded())))) / perWord
        let all = max(0, Int(words.rounded()))
        return Prompts.Filler(shared: min(shared, all), own: max(0, all - shared))
    }

    private func mean(words: Int) throws -> Double {
        let counts = try (0..<Self.sampleSize).map { try count(prompts.question($0, Prompts.Filler(own: words))) }
        return Double(counts.reduce(0, +)) / Double(counts.count)
    }
}
