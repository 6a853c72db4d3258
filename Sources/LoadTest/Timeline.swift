/// The course of a test in equal intervals.
package struct Timeline: Sendable, Codable, Equatable {
    private static let mostIntervals = 120

    /// The length of an interval in seconds.
    package var interval: Double
    /// Output tokens per second in each interval.
    package var tokensPerSecond: [Double]
    /// Requests in flight, as the mean over each interval.
    package var active: [Double]

    /// - Parameter seconds: how long the test took; times of the exchanges count from `start`.
    package init(_ exchanges: [Exchange], start: Double, seconds: Double) {
        let interval = Self.interval(for: seconds)
        self.interval = interval
        let count = max(1, Int((seconds / interval).rounded(.up)))
        var tokens = [Double](repeating: 0, count: count)
        var active = [Double](repeating: 0, count: count)
        for exchange in exchanges {
            // A server may put several tokens into one event.
            let pieces = exchange.answer.deltaTimes
            let weight = pieces.isEmpty ? 0 : max(1, Double(exchange.answer.outputTokens) / Double(pieces.count))
            for time in pieces { tokens[Self.index(time - start, interval, count)] += weight }
            let (begin, end) = (exchange.start - start, exchange.end - start)
            for index in Self.index(
                begin,
                interval,
                count
            )...max(
                Self.index(begin, interval, count),
                Self.index(end, interval, count)
            ) {
                let from = max(begin, Double(index) * interval)
                active[index] += max(0, min(end, Double(index + 1) * interval) - from)
            }
        }
        // The last interval is only as long as the test still ran.
        let last = max(seconds - Double(count - 1) * interval, 1e-9)
        let lengths = (0..<count).map { $0 == count - 1 ? min(last, interval) : interval }
        tokensPerSecond = zip(tokens, lengths).map { $0 / $1 }
        self.active = zip(active, lengths).map { $0 / $1 }
    }

    /// A round length of which there are at most 120.
    private static func interval(for seconds: Double) -> Double {
        var power = 0.01
        while power < 1e9 {
            for step in [1.0, 2, 5] where seconds / (power * step) <= Double(mostIntervals) { return power * step }
            power *= 10
        }
        return power
    }

    private static func index(_ time: Double, _ interval: Double, _ count: Int) -> Int {
        min(count - 1, max(0, Int(time / interval)))
    }
}
