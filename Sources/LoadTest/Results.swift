/// What a whole test came to; times in seconds.
package struct Results: Sendable, Codable {
    package var requests: Int
    package var answered: Int
    package var aborted: Int
    package var errors: [String: Int]
    package var seconds: Double
    package var timeToFirstToken: Distribution
    package var interTokenLatency: Distribution
    package var endToEnd: Distribution
    package var requestsPerSecond: Double
    package var outputTokensPerSecond: Double
    package var inputTokens: Int
    package var cachedTokens: Int
    package var outputTokens: Int
    /// Answers within the limits asked for, per second; nil without limits.
    package var goodputPerSecond: Double?
    package var verification: Verification?

    package struct Verification: Sendable, Codable, Equatable {
        package var judged: Int
        package var wrong: Int
        /// Answers to the same question that are not the same text, under load or alone.
        package var compared: Int
        package var differing: Int
        package var repeatedAlone: Int
        /// A few of the wrong and differing ones, for people.
        package var examples: [String]
    }

    package init(_ exchanges: [Exchange], seconds: Double, options: LoadOptions) {
        let good = exchanges.filter { $0.outcome == .answered }
        requests = exchanges.count
        answered = good.count
        aborted = exchanges.count { $0.outcome == .aborted }
        errors = exchanges.reduce(into: [:]) { counts, exchange in
            if case .failed(let kind) = exchange.outcome { counts[kind, default: 0] += 1 }
        }
        self.seconds = seconds
        timeToFirstToken = Distribution(good.compactMap(\.timeToFirstToken))
        interTokenLatency = Distribution(good.flatMap(\.interTokenLatencies))
        endToEnd = Distribution(good.map(\.duration))
        inputTokens = good.reduce(0) { $0 + $1.answer.inputTokens + $1.answer.cachedTokens }
        cachedTokens = good.reduce(0) { $0 + $1.answer.cachedTokens }
        outputTokens = good.reduce(0) { $0 + $1.answer.outputTokens }
        requestsPerSecond = seconds > 0 ? Double(good.count) / seconds : 0
        outputTokensPerSecond = seconds > 0 ? Double(outputTokens) / seconds : 0
        if options.goodputTTFT != nil || options.goodputITL != nil, seconds > 0 {
            goodputPerSecond = Double(good.count { Self.isWithin($0, options) }) / seconds
        }
    }

    private static func isWithin(_ exchange: Exchange, _ options: LoadOptions) -> Bool {
        if let limit = options.goodputTTFT, (exchange.timeToFirstToken ?? .infinity) > limit { return false }
        let gaps = exchange.interTokenLatencies
        guard let limit = options.goodputITL, !gaps.isEmpty else { return true }
        return gaps.reduce(0, +) / Double(gaps.count) <= limit
    }

    /// Whether the test went as it should.
    package func isGood(_ options: LoadOptions) -> Bool {
        guard errors.isEmpty, answered > 0 || aborted > 0 else { return false }
        guard let verification else { return true }
        let wrongPercent = 100 * Double(verification.wrong) / Double(max(1, verification.judged))
        return verification.differing == 0 && wrongPercent <= options.verifyTolerancePercent
    }
}

extension Results.Verification {
    /// Holds the answers under load against what is known, against each other, and against those given alone.
    package init(_ exchanges: [Exchange], alone: [Exchange]) {
        self.init(judged: 0, wrong: 0, compared: 0, differing: 0, repeatedAlone: alone.count, examples: [])
        var reference: [Prompts.Question: String] = [:]
        for exchange in alone where exchange.outcome == .answered {
            reference[exchange.question] = exchange.answer.text
        }
        for exchange in exchanges where exchange.outcome == .answered {
            let (question, text) = (exchange.question, exchange.answer.text)
            if let isRight = question.judges(text) {
                judged += 1
                if !isRight {
                    wrong += 1
                    note("wrong", question, text)
                }
            }
            if let other = reference[question] {
                compared += 1
                if other != text {
                    differing += 1
                    note("differs from '\(other)'", question, text)
                }
            } else {
                reference[question] = text
            }
        }
    }

    private mutating func note(_ fault: String, _ question: Prompts.Question, _ text: String) {
        if examples.count < 10 { examples.append("\(fault): '\(question.text.suffix(60))' → '\(text.prefix(80))'") }
    }
}
