import APIClient

/// The course of a test in equal intervals; the last takes in what is left.
package struct Timeline: Sendable, Codable, Equatable {
    private static let mostIntervals = 80

    /// The length of an interval in seconds, a round figure.
    package var interval: Double
    /// Output tokens per second in each interval.
    package var tokensPerSecond: [Double]
    /// Requests in flight, as the mean over each interval.
    package var active: [Double]

    /// - Parameter seconds: how long the test took; times of the exchanges count from `start`.
    package init(_ exchanges: [Exchange], start: Double, seconds: Double) {
        let parts = Intervals(length: Self.interval(for: seconds), seconds: seconds)
        var tokens = [Double](repeating: 0, count: parts.count)
        var active = tokens
        for exchange in exchanges {
            // A server may put several tokens into one event.
            let pieces = exchange.answer.deltaTimes
            let weight = max(1, Double(exchange.answer.outputTokens) / Double(max(1, pieces.count)))
            for time in pieces { tokens[parts.index(of: time - start)] += weight }
            let (begin, end) = (exchange.start - start, max(exchange.start, exchange.end) - start)
            for index in parts.index(of: begin)...parts.index(of: end) {
                active[index] += max(0, min(end, parts.end(of: index)) - max(begin, parts.begin(of: index)))
            }
        }
        let lengths = (0..<parts.count).map { max(1e-9, parts.end(of: $0) - parts.begin(of: $0)) }
        interval = parts.length
        tokensPerSecond = zip(tokens, lengths).map { $0 / $1 }
        self.active = zip(active, lengths).map { $0 / $1 }
    }

    /// The shortest round length of which there are not too many.
    private static func interval(for seconds: Double) -> Double {
        var power = 0.01
        while power < 1e9 {
            for step in [1.0, 2, 5] where seconds / (power * step) <= Double(mostIntervals) { return power * step }
            power *= 10
        }
        return power
    }

    private struct Intervals {
        let length: Double
        let seconds: Double
        let count: Int

        init(length: Double, seconds: Double) {
            self.length = length
            self.seconds = seconds
            // A remainder shorter than half an interval gets none of its own: a rate of a mere moment says nothing.
            count = max(1, Int((seconds / length).rounded()))
        }

        func index(of time: Double) -> Int { min(count - 1, max(0, Int(time / length))) }
        func begin(of index: Int) -> Double { Double(index) * length }
        func end(of index: Int) -> Double { index == count - 1 ? seconds : Double(index + 1) * length }
    }
}
