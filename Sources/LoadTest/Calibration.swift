import APIClient

/// Finds how many words of filler make prompts as long as asked for, by letting the server count.
package struct Calibration {
    /// The tokens of a question with so many words of filler in front.
    package typealias Counter = (Question) throws -> Int

    private static let sampleSize = 6

    private let prompts: Prompts
    private let count: Counter

    package init(_ prompts: Prompts, count: @escaping Counter) {
        self.prompts = prompts
        self.count = count
    }

    /// - Throws: `UsageError` if prompts cannot be that short or the server's counts make no sense; what counting throws.
    package func filler(promptTokens: Int?, sharedPrefix: Int) throws -> Prompts.Filler {
        guard promptTokens ?? 0 > 0 || sharedPrefix > 0 else { return Prompts.Filler() }
        // Two lengths give the tokens of a word and those of everything else. Short and long alike must fit any context.
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
        // Once more at the length found: words are not all alike.
        words += (Double(promptTokens) - (try mean(words: Int(words.rounded())))) / perWord
        let all = max(0, Int(words.rounded()))
        return Prompts.Filler(shared: min(shared, all), own: max(0, all - shared))
    }

    private func mean(words: Int) throws -> Double {
        let counts = try (0..<Self.sampleSize).map { try count(prompts.question($0, Prompts.Filler(own: words))) }
        return Double(counts.reduce(0, +)) / Double(counts.count)
    }
}
