import APIClient

/// What a whole test came to; times in seconds.
package struct Results: Sendable, Codable {
    /// Requests that ended in one way, and what the server said of the first.
    package struct Failure: Sendable, Codable, Equatable {
        package var count = 0
        package var example: String?
    }

    package struct Goodput: Sendable, Codable, Equatable {
        package var goals: LoadOptions.Goals
        package var requestsPerSecond: Double
        /// Of the answers, those within all limits, from 0 to 1.
        package var share: Double
    }

    package var requests: Int
    package var answered: Int
    package var aborted: Int
    package var interrupted: Int
    package var errors: [String: Failure]
    package var seconds: Double
    package var timeToFirstToken: Distribution
    package var interTokenLatency: Distribution
    package var endToEnd: Distribution
    /// Tokens of the prompts, as the server counted them.
    package var promptTokens: Distribution
    package var outputTokens: Distribution
    package var requestsPerSecond: Double
    package var outputTokensPerSecond: Double
    package var inputTokensTotal: Int
    package var cachedTokensTotal: Int
    package var outputTokensTotal: Int
    /// Nil without limits.
    package var goodput: Goodput?
    package var timeline: Timeline
    package var verification: Verification?

    /// - Parameter alone: those asked again with nobody else there; they count for errors and verification only.
    package init(_ exchanges: [Exchange], alone: [Exchange] = [], options: LoadOptions) {
        let good = exchanges.filter { $0.outcome == .answered }
        let start = exchanges.map(\.start).min() ?? 0
        seconds = (exchanges.map(\.end).max() ?? 0) - start
        requests = exchanges.count
        answered = good.count
        aborted = exchanges.count { $0.outcome == .aborted }
        interrupted = exchanges.count { $0.outcome == .interrupted }
        errors = [:]
        timeToFirstToken = Distribution(good.compactMap(\.timeToFirstToken))
        interTokenLatency = Distribution(good.flatMap(\.interTokenLatencies))
        endToEnd = Distribution(good.map(\.duration))
        promptTokens = Distribution(good.map { Double($0.answer.promptTokens) })
        outputTokens = Distribution(good.map { Double($0.answer.outputTokens) })
        inputTokensTotal = good.reduce(0) { $0 + $1.answer.promptTokens }
        cachedTokensTotal = good.reduce(0) { $0 + $1.answer.cachedTokens }
        outputTokensTotal = good.reduce(0) { $0 + $1.answer.outputTokens }
        requestsPerSecond = seconds > 0 ? Double(good.count) / seconds : 0
        outputTokensPerSecond = seconds > 0 ? Double(outputTokensTotal) / seconds : 0
        timeline = Timeline(exchanges, start: start, seconds: seconds)
        if !options.goals.isEmpty, seconds > 0 {
            let within = Double(good.count { Self.isWithin($0, options.goals) })
            goodput = Goodput(
                goals: options.goals,
                requestsPerSecond: within / seconds,
                share: good.isEmpty ? 0 : within / Double(good.count)
            )
        }
        if options.verify { verification = Verification(exchanges, alone: alone) }
        for exchange in exchanges { count(exchange, "") }
        for exchange in alone { count(exchange, "asked again alone: ") }
    }

    private mutating func count(_ exchange: Exchange, _ prefix: String) {
        guard case .failed(let kind, let detail) = exchange.outcome else { return }
        errors[prefix + kind, default: Failure(example: detail)].count += 1
    }

    private static func isWithin(_ exchange: Exchange, _ goals: LoadOptions.Goals) -> Bool {
        let gaps = exchange.interTokenLatencies
        let mean = gaps.isEmpty ? 0 : gaps.reduce(0, +) / Double(gaps.count)
        return (exchange.timeToFirstToken ?? .infinity) <= goals.timeToFirstToken ?? .infinity
            && mean <= goals.interTokenLatency ?? .infinity && exchange.duration <= goals.endToEnd ?? .infinity
    }

    package var failed: Int { errors.values.reduce(0) { $0 + $1.count } }

    /// Whether the test went as it should.
    package var isGood: Bool {
        errors.isEmpty && answered + aborted > 0 && (verification.map { $0.wrong == 0 && $0.differing == 0 } ?? true)
    }
}
