import APIClient

/// The results of a test; times in seconds.
package struct Results: Sendable, Codable {
    /// Failed requests of one kind, with the server's message for the first.
    package struct Failure: Sendable, Codable, Equatable {
        package var count = 0
        package var example: String?
    }

    package struct Goodput: Sendable, Codable, Equatable {
        package var goals: LoadOptions.Goals
        package var requestsPerSecond: Double
        /// The share of answers within all limits, from 0 to 1.
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
    /// Nil if no limits are set.
    package var goodput: Goodput?
    package var timeline: Timeline
    package var verification: Verification?

    /// - Parameter repeated: questions repeated without other load; they count for errors and verification only.
    package init(_ samples: [RequestSample], repeated: [RequestSample] = [], options: LoadOptions) {
        let good = samples.filter { $0.outcome == .answered }
        let start = samples.map(\.start).min() ?? 0
        seconds = (samples.map(\.end).max() ?? 0) - start
        requests = samples.count
        answered = good.count
        aborted = samples.count { $0.outcome == .aborted }
        interrupted = samples.count { $0.outcome == .interrupted }
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
        timeline = Timeline(samples, start: start, seconds: seconds)
        if !options.goals.isEmpty, seconds > 0 {
            let within = Double(good.count { Self.isWithin($0, options.goals) })
            goodput = Goodput(
                goals: options.goals,
                requestsPerSecond: within / seconds,
                share: good.isEmpty ? 0 : within / Double(good.count)
            )
        }
        if options.verify { verification = Verification(samples, repeated: repeated) }
        for sample in samples { count(sample, "") }
        for sample in repeated { count(sample, "asked again alone: ") }
    }

    private mutating func count(_ sample: RequestSample, _ prefix: String) {
        guard case .failed(let kind, let detail) = sample.outcome else { return }
        errors[prefix + kind, default: Failure(example: detail)].count += 1
    }

    private static func isWithin(_ sample: RequestSample, _ goals: LoadOptions.Goals) -> Bool {
        let gaps = sample.interTokenLatencies
        let mean = gaps.isEmpty ? 0 : gaps.reduce(0, +) / Double(gaps.count)
        return (sample.timeToFirstToken ?? .infinity) <= goals.timeToFirstToken ?? .infinity
            && mean <= goals.interTokenLatency ?? .infinity && sample.duration <= goals.endToEnd ?? .infinity
    }

    package var failed: Int { errors.values.reduce(0) { $0 + $1.count } }

    /// Whether there were answers, and no errors, and no wrong, differing or invalid replies.
    package var isGood: Bool {
        errors.isEmpty && answered + aborted > 0
            && (verification.map { $0.wrong + $0.differing + $0.invalid == 0 } ?? true)
    }
}
